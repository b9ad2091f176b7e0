# SPDX-License-Identifier: BSD-2-Clause

"""Interruption of a run: by Ctrl-C (SIGINT), or SIGTERM, the batch is finished first."""

import signal
from types import FrameType, TracebackType
from typing import Any, Self

from ...contract.errors import DualgateError


class Interrupted(DualgateError):  # noqa: N818 - it is no error
    """A run that was told to end; says how to go on. Its exit status is 128 + the signal.

    Parameters
    ----------
    number : int
        The signal.
    advice : str
    """

    def __init__(self, number: int, advice: str) -> None:
        super().__init__(advice)
        self.exit_status = 128 + number  # type: ignore[misc] # the class's is for all others


class Interruption:
    """Notes the first signal; the second ends the process at once. A context manager.

    Members
    -------
    number : int or None
        The signal that came, if one did.
    """

    SIGNALS = (signal.SIGINT, signal.SIGTERM)

    def __init__(self) -> None:
        self.number: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        for number in self.SIGNALS:
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        for each in self.SIGNALS:
            signal.signal(each, signal.SIG_DFL)
