# SPDX-License-Identifier: BSD-2-Clause

"""Boards: clocks that their PLLs can make, pins that exist, and links within their rates."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from dualgate.cli import main
from dualgate.contract.engine import MEMORIES, EngineParameters
from dualgate.contract.errors import InputError
from dualgate_hw import boards
from dualgate_hw.boards import BOARDS, find_board
from dualgate_hw.boards.board import Board
from dualgate_hw.boards.clock import Ecp5Pll, GowinPll, Ice40Pll
from dualgate_hw.boards.top import BoardTop
from dualgate_hw.build.families import FAMILIES
from dualgate_hw.link.serial.uart import divisor_for

pytestmark = pytest.mark.slow

PLACED = {name: board for name, board in BOARDS.items() if board.part_only is None}

SMALLEST = EngineParameters(1, arrays=1, **dict.fromkeys(MEMORIES, 1))


@pytest.mark.parametrize("board", PLACED.values(), ids=PLACED)
def test_a_bit_is_off_by_less_than_a_fiftieth(board: Board) -> None:
    hertz = board.clock.mhz * 1e6
    cycles = divisor_for(hertz, board.baud) / 256
    assert abs(hertz / cycles / board.baud - 1) < 0.02


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_the_engine_does_not_ask_for_more_multipliers_than_there_are(board: Board) -> None:
    assert board.engine.multipliers <= board.capacity.multipliers


@pytest.mark.parametrize("board", PLACED.values(), ids=PLACED)
def test_every_pin_of_the_top_level_is_constrained(board: Board) -> None:
    small = replace(board, engine=SMALLEST)
    plan = small.make_platform().prepare(
        BoardTop(small, SMALLEST, bytes(32)), "top", emit_src=False
    )
    constraints = "".join(
        str(text) for name, text in plan.files.items() if name.endswith((".lpf", ".pcf", ".cst"))
    )
    for pin in ("rx", "tx"):
        assert f"uart_0__{pin}" in constraints
    commands = json.loads(plan.files["build_top.json"])["commands"]
    tools = FAMILIES[board.family].tools
    assert [command[0] for command in commands][: len(tools)] == list(tools)


def test_an_unknown_board_is_refused_with_the_choices() -> None:
    with pytest.raises(InputError, match=r"^unknown board 'ulx'; choose ulx3s-25f, "):
        find_board("ulx")


@pytest.mark.parametrize(
    ("make", "mhz"),
    [
        (lambda: Ecp5Pll("clk25", 25, 16, 5, 8), 80),
        (lambda: Ice40Pll("clk12", 12, 0, 63, 5), 24),
        (lambda: GowinPll("clk27", 27, 2, 1, 16), 40.5),
    ],
)
def test_a_pll_multiplies_and_divides(make: object, mhz: float) -> None:
    assert make().mhz == mhz  # type: ignore[operator]


@pytest.mark.parametrize(
    "make",
    [
        lambda: Ecp5Pll("clk25", 25, 16, 5, 2),
        lambda: Ecp5Pll("clk25", 25, 16, 5, 11),
        lambda: Ice40Pll("clk12", 12, 0, 127, 5),
        lambda: GowinPll("clk27", 27, 2, 1, 64),
    ],
)
def test_a_pll_out_of_its_range_is_refused(make: object) -> None:
    with pytest.raises(ValueError, match=r"^PLL: oscillator at .* is outside"):
        make()  # type: ignore[operator]


def test_a_board_whose_file_fails_is_named_and_others_load(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "failing_board.py").write_text("import a_package_that_is_not_there\n")
    (tmp_path / "unfinished.py").write_text("ELSEWHERE = None\n")
    monkeypatch.setattr(boards, "__path__", [*boards.__path__, str(tmp_path)])
    files = {
        "failing_board": ("one", "two"),
        "unfinished": ("new-one",),
        "icebreaker": ("icebreaker",),
    }
    loaded, broken = boards.load_boards(files)
    assert loaded == {"icebreaker": BOARDS["icebreaker"]}
    assert list(broken) == ["one", "two", "new-one"]
    assert broken["two"] == (
        "dualgate_hw/boards/failing_board.py fails: ModuleNotFoundError: "
        "No module named 'a_package_that_is_not_there'"
    )
    assert "unfinished.py fails: AttributeError:" in broken["new-one"]
    assert "'NEW_ONE'" in broken["new-one"]


def test_a_broken_board_is_refused_and_listed_by_its_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(boards.BROKEN, "mine", "dualgate_hw/boards/mine.py fails: ValueError: no")
    for command in (["build", "mine"], ["program", "mine"]):
        found = CliRunner().invoke(main, command)
        assert (found.exit_code, found.output.count("\n")) == (2, 1)
        assert "error: board mine: dualgate_hw/boards/mine.py fails: ValueError: no" in found.output
    found = CliRunner().invoke(main, ["boards"])
    assert found.exit_code == 0
    assert "mine          cannot be used: dualgate_hw/boards/mine.py fails" in found.output
    assert "icebreaker" in found.output
