# SPDX-License-Identifier: BSD-2-Clause

"""The page on boards."""

from support.build_results import BOARD, result
from support.paths import REFERENCE

from dualgate_hw.boards import BOARDS
from dualgate_hw.build.boards_page import boards_table, document


def test_the_page_has_every_board_built_or_not() -> None:
    page = document({BOARD.name: result(timing=())}, None)
    assert all(f"`{name}`" in page for name in BOARDS)
    assert "not built" in page


def test_the_documentation_has_the_boards_as_they_are() -> None:
    assert boards_table() in (REFERENCE / "boards.md").read_text()
