# SPDX-License-Identifier: BSD-2-Clause

"""Samples a second of boards: the figures of their page."""

import pytest

from dualgate_hw.boards import BOARDS
from dualgate_hw.build import speed
from dualgate_hw.build.speed import Speed


def test_a_compact_board_takes_the_interpreted_cycles(monkeypatch: pytest.MonkeyPatch) -> None:
    """As docs/reference/boards.md has them, of digits, pruning at 1/4."""
    monkeypatch.setattr(speed, "NETWORKS", (("digits", "64,16,10"), ("digits", "64,1000,10")))
    board = BOARDS["icebreaker"]
    assert list(speed.speeds(board.engine, board.depths, None)) == [
        Speed("digits", "64,16,10", 18_643.484375)
    ]
