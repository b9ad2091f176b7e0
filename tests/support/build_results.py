# SPDX-License-Identifier: BSD-2-Clause

"""What a build of a board found, made up."""

from dataclasses import replace
from typing import Any

from dualgate_hw.boards import BOARDS
from dualgate_hw.build.result import Result
from dualgate_hw.build.timing import Timing
from dualgate_hw.build.utilisation import Utilisation

BOARD = BOARDS["ulx3s-25f"]


def result(**changes: Any) -> Result:
    """The result of a successful build of `BOARD`, with some fields changed."""
    timing = tuple(
        Timing(s, mhz, "a to b", 3.0, 8.5) for s, mhz in ((1, 90.0), (2, 81.0), (3, 85.0))
    )
    first = Result(
        BOARD.name, BOARD.engine, "ab" * 32, Utilisation(9, 8, 7, 6), timing, 80.0, "cd" * 32
    )
    return replace(first, **changes)
