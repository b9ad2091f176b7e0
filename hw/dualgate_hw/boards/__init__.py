# SPDX-License-Identifier: BSD-2-Clause

"""The boards that engines are built for, one file each, and their common parts."""

from importlib import import_module

from dualgate.contract.errors import InputError, MissingToolError
from dualgate.contract.names import unknown

from .board import Board

FILES = {
    "ulx3s": ("ulx3s-25f", "ulx3s-45f", "ulx3s-85f"),
    "icebreaker": ("icebreaker",),
    "orangecrab": ("orangecrab",),
    "tang_nano_9k": ("tang-nano-9k",),
    "nitefury": ("nitefury",),
}
"""Files of boards in this folder, and the names of their boards in the order of the tables.

A file's constant of a board is its name in capitals, with underscores.
"""


def load_boards(files: dict[str, tuple[str, ...]]) -> tuple[dict[str, Board], dict[str, str]]:
    """Load files of boards; one that fails does not keep the others away.

    Parameters
    ----------
    files : dict
        See `FILES`.

    Returns
    -------
    dict of Board, dict of str
        Those loaded, and the errors of the others, both by name of the board.
    """
    boards, broken = dict[str, Board](), dict[str, str]()
    for file, names in files.items():
        try:
            module = import_module(f"{__name__}.{file}")
            boards |= {n: getattr(module, n.replace("-", "_").upper()) for n in names}
        except Exception as error:  # whatever a file of a board may raise
            why = f"{type(error).__name__}: {error}"
            broken |= dict.fromkeys(names, f"dualgate_hw/boards/{file}.py fails: {why}")
    return boards, broken


BOARDS, BROKEN = load_boards(FILES)
"""The boards by name; and for each board whose file cannot be loaded, the error."""


def find_board(name: str) -> Board:
    """Look up a board.

    Raises
    ------
    InputError
        For an unknown name; lists the choices.
    MissingToolError
        For a board whose file cannot be loaded; names the file and its error.
    """
    if name in BROKEN:
        raise MissingToolError(f"board {name}: {BROKEN[name]}; the other boards can be used")
    if name not in BOARDS:
        raise InputError(unknown("board", name, BOARDS))
    return BOARDS[name]
