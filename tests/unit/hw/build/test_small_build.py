# SPDX-License-Identifier: BSD-2-Clause

"""A small design built for real: synthesis, place and route, bitstream; and twice the same."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest
from support.paths import TESTS

from dualgate_hw.boards import BOARDS
from dualgate_hw.build.families import FAMILIES
from dualgate_hw.build.job import NAME
from dualgate_hw.build.result import RESULT, Result

pytestmark = pytest.mark.slow

ALWAYS = ("ulx3s-25f", "icebreaker")
REST = [name for name, board in BOARDS.items() if not board.part_only and name not in ALWAYS]

SCRIPT = TESTS / "support" / "small_build.py"


def built(name: str, directory: Path, hash_seed: str) -> tuple[Result, bytes]:
    """Build in a process of its own, with a cache of its own; the result and the bitstream."""
    environment = {
        "XDG_CACHE_HOME": str(directory / "cache"),
        "PYTHONHASHSEED": hash_seed,
        # The tools, once they are compiled, are not compiled again.
        "YOWASP_CACHE_DIR": platformdirs.user_cache_dir("YoWASP", appauthor=False),
    }
    said = subprocess.run(
        [sys.executable, SCRIPT, name, directory / "out"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr
    for step in ("writing sources", "synthesis", "placing and routing, seed 1", "packing"):
        assert f"{name}: {step}\n" in said.stdout
    out = directory / "out"
    assert all((out / log).exists() for log in ("yosys.log", "top.rpt", "nextpnr_1.log"))
    extension = FAMILIES[BOARDS[name].family].bitstream
    result = Result.from_json((out / RESULT).read_text())
    return result, (out / f"{NAME}.{extension}").read_bytes()


@pytest.mark.parametrize(
    "name", [*ALWAYS, *(pytest.param(n, marks=pytest.mark.boards) for n in REST)]
)
def test_the_same_inputs_make_the_same_bitstream_anywhere(name: str, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    first, bitstream = built(name, tmp_path / "a", "1")
    second, again = built(name, tmp_path / "with a longer name" / "b", "2")
    assert first.problem == ""
    assert (first.utilisation.multipliers, first.utilisation.block_rams) == (3, 1)
    assert first.bitstream_sha256 == hashlib.sha256(bitstream).hexdigest()
    assert (second, again) == (first, bitstream)
    assert len(bitstream) > 10_000
