# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate doctor`: what is there, what is not, and how to get it."""

import json
import time
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, entry_points
from pathlib import Path
from typing import ClassVar
from unittest.mock import Mock

import pytest
import serial
from click.testing import CliRunner

from dualgate.cli import main, tools
from dualgate.contract.engine import EngineParameters
from dualgate.devices.rates import RATES
from dualgate.link.identity import Identity
from dualgate_hw.boards import BOARDS
from dualgate_hw.build.tools import COMMANDS
from dualgate_sim.testing.link_model import DeviceEnd

FOUND = tuple(replace(tool, find=lambda: "1.2") for tool in tools.TOOLS)


def without(*names: str) -> tuple[tools.Tool, ...]:
    return tuple(replace(t, find=lambda: None) if t.name in names else t for t in FOUND)


def test_every_tool_is_named_with_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "TOOLS", FOUND)
    result = CliRunner().invoke(main, ["doctor"])
    assert (result.exit_code, result.stderr) == (0, "")
    rows = [line.split() for line in result.stdout.splitlines()[1:]]
    assert len(rows) == len(FOUND) + 2
    assert all("1.2" in row for row in rows[:-2])
    assert [row[1] for row in rows[-2:]] == ["directory", "directory"]


def test_a_missing_compiler_is_an_error_that_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tools, "TOOLS", without("C++ compiler", "matplotlib"))
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
    monkeypatch.setattr(tools, "TOOLS", without("matplotlib", "cocotb", "pyserial"))
    assert CliRunner().invoke(main, ["doctor"]).exit_code == 0


def test_packages_and_programs_are_really_looked_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "g++"
    program.write_text("#!/bin/sh\necho compiler 12.3.4 of today\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    found = {finding.tool: finding.version for finding in tools.examine()}
    assert found["C++ compiler"] == "12.3.4 (g++)"
    assert found["numpy"] is not None
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    found = {finding.tool: finding.version for finding in tools.examine()}
    assert found["C++ compiler"] is None
    assert found["make"] is None


def test_each_tool_of_a_build_has_its_row() -> None:
    names = {tool.name for tool in tools.TOOLS}
    for command in COMMANDS.values():
        (entry,) = entry_points(group="console_scripts", name=command)
        assert entry.dist is not None
        assert entry.dist.name.lower() in names
    loaders = {board.program[0] for board in BOARDS.values() if board.program}
    assert loaders <= names


def test_the_library_that_a_loader_lacks_has_its_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "openFPGALoader"
    program.write_text("#!/bin/sh\necho error while loading shared libraries: libudev.so.1: >&2\n")
    program.chmod(0o755)
    monkeypatch.setattr("dualgate.cli.loaders.distribution", Mock(side_effect=PackageNotFoundError))
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    found = {finding.tool: finding for finding in tools.examine()}
    assert found["openFPGALoader"].version is not None
    assert found["its system libraries"].version is None
    assert found["its system libraries"].remedy == "apt-get install libudev1, or alike"
    program.write_text("#!/bin/sh\necho openFPGALoader v3.2.1\n")
    found = {finding.tool: finding for finding in tools.examine()}
    assert found["openFPGALoader"].version == "3.2.1"
    assert found["its system libraries"].version == "found"


def test_the_cache_is_shown_with_its_size_and_the_free_space(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "dualgate" / "build").mkdir(parents=True)
    (tmp_path / "dualgate" / "build" / "file").write_bytes(bytes(3_000_000))
    found = tools.cache_directory_finding()
    assert found.version is not None
    assert found.version.startswith(f"{tmp_path}/dualgate, can be written, 3 MB, ")
    assert found.version.endswith(" MB free")


def test_a_cache_that_cannot_be_written_is_an_error_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tools, "TOOLS", FOUND)
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 2
    assert result.stderr.endswith("lacks cache directory; see the table\n")
    assert "file/dualgate: Not a directory; set XDG_CACHE_HOME to a directory" in result.stdout


class Line:
    """A serial port with a model of a board at its other end, which has one rate.

    At another rate each side reads the other's bits at the wrong moments, and gets other bytes.
    """

    rate = 1_000_000
    opened: ClassVar[list[int]] = []

    def __init__(self, name: str, baud: int, **_: object) -> None:
        self.opened.append(baud)
        words = Identity(EngineParameters(), bytes(32)).words()
        # All commands of a handshake are a header alone, and so are their responses.
        self._board = DeviceEnd(words, lambda: lambda word: [word] if word else [])
        self._changed = 0 if baud == self.rate else 0x5A
        self.timeout = 0.0

    in_waiting = 1 << 16

    def write(self, data: bytes) -> None:
        self._board.feed(bytes(byte ^ self._changed for byte in data))

    def read(self, size: int) -> bytes:
        self._board.run(1 << 16)
        answer = bytes(byte ^ self._changed for byte in self._board.output())
        if not answer:
            time.sleep(self.timeout)
        return answer

    def reset_input_buffer(self) -> None:
        self._board.output()

    def close(self) -> None:
        pass


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> type[Line]:
    monkeypatch.setattr(serial, "Serial", Line)
    monkeypatch.setattr("dualgate.link.client.HELLO_WAITS", (0.1, 0.1))
    monkeypatch.setattr(Line, "opened", [])
    return Line


def test_a_board_at_another_rate_is_found(line: type[Line]) -> None:
    result = CliRunner().invoke(main, ["doctor", "--device", "serial:/dev/ttyX?build=00"])
    assert result.exit_code == 2
    assert result.stderr == (
        "no board answers at 3,000,000 baud; trying other rates, half a minute at most\n"
        "error: no board answers at 3,000,000 baud, but one does at 1,000,000: "
        "use --device 'serial:/dev/ttyX?build=00&baud=1000000'\n"
    )
    assert line.opened == [3_000_000, 12_000_000, 2_000_000, 1_000_000]


def test_a_board_that_answers_at_no_rate_is_told_so(
    line: type[Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "rate", 9_600)
    result = CliRunner().invoke(main, ["doctor", "--device", "serial:/dev/ttyX?baud=115200"])
    assert result.exit_code == 2
    assert "no dualgate board answers on /dev/ttyX; check the cable" in result.stderr
    assert "nothing answers at 3,000,000, 12,000,000, 2,000,000" in result.stderr
    assert sorted(line.opened) == sorted(RATES)


def test_no_rate_is_tried_on_a_port_that_cannot_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dualgate.devices.rates.find_rate", Mock(side_effect=AssertionError))
    result = CliRunner().invoke(main, ["doctor", "--device", "serial:/dev/nowhere"])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "No such file or directory" in result.stderr
