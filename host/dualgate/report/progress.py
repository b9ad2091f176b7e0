# SPDX-License-Identifier: BSD-2-Clause

"""Progress of a run: a row for each epoch, and on a terminal a bar below the rows."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from ..train.record import Record

COLUMNS = (
    ("epoch", 7),
    ("loss", 7),
    ("train", 8),
    ("held-out", 9),
    ("samples/s", 10),
    ("cycles/sample", 14),
    ("kept", 8),
    ("clipped", 9),
)
"""Heading and width of each column; clipped are the saturations of the epoch."""


def percent(share: float | None) -> str:
    """Format a share with two decimals, or a dash for None."""
    return "-" if share is None else f"{share:.2%}"


def heading() -> str:
    """Return the heading of the table of epochs."""
    return "".join(name.rjust(width) for name, width in COLUMNS)


def row(record: Record, epochs: int) -> str:
    """Format the `record` of one of `epochs` epochs as a row of the table."""
    cycles = record.cycles_per_sample
    cells = (
        f"{record.epoch}/{epochs}",
        f"{record.loss:.4f}",
        percent(record.accuracy),
        percent(record.held_out_accuracy),
        f"{record.samples_per_s:,.0f}",
        "-" if cycles is None else f"{cycles:,.1f}",
        percent(record.kept_fraction),
        f"{record.saturations:,}",
    )
    return "".join(cell.rjust(width) for cell, (_, width) in zip(cells, COLUMNS, strict=True))


class Display:
    """A display of a run; a context manager.

    Parameters
    ----------
    epochs, samples : int
        Number of epochs in the run and of samples in an epoch.
    console : Console
        If it is no terminal, there are rows but no bar.
    done : int
        Number of epochs that were finished before.
    """

    def __init__(self, epochs: int, samples: int, console: Console, done: int = 0) -> None:
        self._epochs = epochs
        self._samples = samples
        self._console = console
        self._done = done
        self._headed = False
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
            expand=True,
        )
        self._task = self._bar.add_task(self._label(), total=epochs * samples)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def batch(self, done: int, loss: float | None = None) -> None:
        """Update the bar after `done` samples of this epoch, whose mean `loss` it shows."""
        if not self._headed:
            self._print(heading())
            self._headed = True
        self._bar.update(
            self._task,
            completed=self._done * self._samples + done,
            description=self._label() + ("" if loss is None else f"  loss {loss:.4f}"),
        )

    def epoch(self, record: Record) -> None:
        """Print the row of an epoch."""
        self._done = record.epoch
        self._print(row(record, self._epochs))
        self._bar.update(self._task, description=self._label())

    def _label(self) -> str:
        return f"epoch {min(self._done + 1, self._epochs)}/{self._epochs}"

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
