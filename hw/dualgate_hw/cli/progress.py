# SPDX-License-Identifier: BSD-2-Clause

"""A line for each long step, with a moving sign on a terminal while the step runs."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status


class Steps:
    """A context manager that prints the steps of a command.

    Parameters
    ----------
    console : Console
        Where the lines go; the moving sign is shown only if it is a terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status: Status | None = None
        if console.is_terminal:
            self._status = console.status("")

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def say(self, line: str) -> None:
        """Print a line, and show it beside the moving sign until the next line."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)
        if self._status is not None:
            self._status.update(line)
