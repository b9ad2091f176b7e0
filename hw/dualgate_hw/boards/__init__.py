# SPDX-License-Identifier: BSD-2-Clause

"""The boards that engines are built for, one file each, and their common parts."""

from dualgate.contract.errors import InputError

from .board import Board
from .icebreaker import ICEBREAKER
from .nitefury import NITEFURY
from .orangecrab import ORANGECRAB
from .tang_nano_9k import TANG_NANO_9K
from .ulx3s import ULX3S_25F, ULX3S_45F, ULX3S_85F

BOARDS = {
    board.name: board
    for board in (ULX3S_25F, ULX3S_45F, ULX3S_85F, ICEBREAKER, ORANGECRAB, TANG_NANO_9K, NITEFURY)
}


def find_board(name: str) -> Board:
    """Look up a board; raise `InputError` that lists the choices for an unknown name."""
    if name not in BOARDS:
        raise InputError(f"unknown board {name!r}; choose {', '.join(BOARDS)}")
    return BOARDS[name]
