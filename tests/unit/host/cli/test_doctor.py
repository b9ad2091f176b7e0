# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate doctor`: what is there, what is not, and how to get it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from dualgate.cli import doctor, main

FOUND = tuple(replace(tool, find=lambda: "1.2") for tool in doctor.TOOLS)


def without(*names: str) -> tuple[doctor.Tool, ...]:
    return tuple(replace(t, find=lambda: None) if t.name in names else t for t in FOUND)


def test_every_tool_is_named_with_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "TOOLS", FOUND)
    result = CliRunner().invoke(main, ["doctor"])
    assert (result.exit_code, result.stderr) == (0, "")
    rows = [line.split() for line in result.stdout.splitlines()[1:]]
    assert len(rows) == len(FOUND)
    assert all("1.2" in row for row in rows)


def test_a_missing_compiler_is_an_error_that_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(doctor, "TOOLS", without("C++ compiler", "matplotlib"))
    result = CliRunner().invoke(main, ["doctor", "--json", str(tmp_path / "d.json")])
    assert result.exit_code == 2
    assert result.stderr == (
        "error: training on the simulated RTL lacks C++ compiler; see the table\n"
    )
    assert "apt-get install g++" in result.stdout
    assert "pip install dualgate[plot]" in result.stdout
    found = {
        entry["tool"]: entry["version"] for entry in json.loads((tmp_path / "d.json").read_text())
    }
    assert found["C++ compiler"] is None
    assert found["numpy"] == "1.2"


def test_what_only_pictures_or_tests_need_is_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "TOOLS", without("matplotlib", "cocotb", "pyserial"))
    assert CliRunner().invoke(main, ["doctor"]).exit_code == 0


def test_packages_and_programs_are_really_looked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "g++"
    program.write_text("#!/bin/sh\necho compiler 12.3.4 of today\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    found = {finding.tool: finding.version for finding in doctor.examine()}
    assert found["C++ compiler"] == "12.3.4 (g++)"
    assert found["numpy"] is not None
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    found = {finding.tool: finding.version for finding in doctor.examine()}
    assert found["C++ compiler"] is None
    assert found["make"] is None
