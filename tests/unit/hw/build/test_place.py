# SPDX-License-Identifier: BSD-2-Clause

"""Placements: arguments of nextpnr, and whether one is fast enough."""

from dataclasses import replace
from pathlib import Path

from support.build_results import BOARD, result

from dualgate_hw.boards import BOARDS
from dualgate_hw.boards.clock import Oscillator
from dualgate_hw.build.job import Build
from dualgate_hw.build.place import place_arguments, too_slow


def test_a_placement_slower_than_the_clock_is_a_problem(tmp_path: Path) -> None:
    timing = result().timing
    fast = Build(
        replace(BOARD, clock=Oscillator("clk25", 90.0)), BOARD.engine, tmp_path, (1,), print
    )
    slow = replace(fast, board=replace(BOARD, clock=Oscillator("clk25", 91.0)))
    assert too_slow(fast, timing) == ""
    assert too_slow(slow, timing).startswith("reaches 90.0 MHz and its clock has 91, limited by a")


def test_gowin_options_go_where_himbaechel_has_them() -> None:
    job = Build(BOARDS["tang-nano-9k"], BOARD.engine, Path("out"), (1,), print)
    given = ["--family", "GW1N-9C", "--json", "top.syn.json", "--write", "top.pnr.json"]
    assert place_arguments(job, given, 3)[:6] == [
        *("--vopt", "family=GW1N-9C", "--json", "top.syn.json", "--write", "top_3.pnr.json")
    ]
