# SPDX-License-Identifier: BSD-2-Clause

"""The tiers of property tests: the same examples in each run, but for the thorough one."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings
from support.effort import PROFILES
from support.paths import ROOT

CONFTEST = "from support.effort import register_profiles; register_profiles()"

PROPERTY = """
from hypothesis import given, strategies

SEEN = []

@given(strategies.integers(), strategies.randoms())
def test_anything(number, random):
    SEEN.append((number, random.random()))

def test_says_so():
    print("SEEN", hash(tuple(SEEN)))
"""


@pytest.mark.parametrize("profile", PROFILES)
def test_seeds_are_fixed_but_in_the_thorough_tier(profile: str, tmp_path: Path) -> None:
    file = tmp_path / "test_property.py"
    file.write_text(PROPERTY)
    (tmp_path / "conftest.py").write_text(CONFTEST)
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", str(file)]
    command += ["--rootdir", str(tmp_path), "-c", "/dev/null"]
    command += ["-o", f"pythonpath={ROOT / 'tests'}", "--hypothesis-profile", profile]

    def seen() -> str:
        said = subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout
        return next(line for line in said.splitlines() if "SEEN" in line)

    assert settings.get_profile(profile).derandomize == (profile != "thorough")
    assert (seen() == seen()) == (profile != "thorough")
