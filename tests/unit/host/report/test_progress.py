# SPDX-License-Identifier: BSD-2-Clause

"""Progress: aligned rows anywhere, a bar on a terminal only."""

import io

from rich.console import Console

from dualgate.report.progress import COLUMNS, Display, heading, row
from dualgate.train.trainer import Record

RECORD = Record(2, 0.51234, 0.8, 0.6, 0.7, 12345.6, 412.5, 0.25, 3)


def show(terminal: bool) -> str:
    out = io.StringIO()
    with Display(2, 50, Console(file=out, force_terminal=terminal, width=100)) as display:
        display.batch(50)
        display.epoch(RECORD)
    return out.getvalue()


def test_a_row_stands_under_its_heading() -> None:
    assert len(heading()) == len(row(RECORD, 20)) == sum(width for _, width in COLUMNS) <= 79
    assert row(RECORD, 20).split() == (
        ["2/20", "0.5123", "80.00%", "70.00%", "12,346", "412.5", "25.00%", "3"]
    )


def test_what_a_device_or_task_does_not_have_is_a_dash() -> None:
    bare = Record(1, 0.5, None, None, None, 10.0, None, 1.0, 0)
    assert row(bare, 1).split() == ["1/1", "0.5000", "-", "-", "10", "-", "100.00%", "0"]


def test_without_a_terminal_there_are_plain_lines() -> None:
    assert show(terminal=False).splitlines() == [heading(), row(RECORD, 2)]


def test_on_a_terminal_there_is_a_bar_too() -> None:
    text = show(terminal=True)
    assert "\x1b[" in text
    assert "epoch 1/2" in text
    assert row(RECORD, 2) in text
