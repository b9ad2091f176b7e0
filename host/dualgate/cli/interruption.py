# SPDX-License-Identifier: BSD-2-Clause

"""Interruption of a command: SIGINT (Ctrl-C) and SIGTERM end it alike.

Every command sets handlers of its own, because a shell that starts ``command &`` in a script, and
``nohup``, have SIGINT ignored.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Self

from ..contract.errors import DualgateError

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(DualgateError):  # noqa: N818 - it is no error
    """A command that was told to end. Its exit status is 128 + the signal.

    Parameters
    ----------
    number : int
        The signal.
    advice : str
        The line that the user sees.
    """

    def __init__(self, number: int, advice: str = "interrupted") -> None:
        super().__init__(advice)
        self.exit_status = 128 + number  # type: ignore[misc] # the class's is for all others


class _Signalled(KeyboardInterrupt):
    """The exception that a signal raises in whatever runs; all clean up after this kind."""

    def __init__(self, number: int) -> None:
        self.number = number


@contextmanager
def _handled(act: Callable[[int], None]) -> Iterator[None]:
    """Call `act` with the first signal; a second one ends the process at once."""

    def first(number: int, frame: object) -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_DFL)
        act(number)

    before = {number: signal.signal(number, first) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise `Interrupted` when a signal comes while the block runs, after its cleaning up."""

    def stop(number: int) -> None:
        raise _Signalled(number)

    try:
        with _handled(stop):
            yield
    except _Signalled as signalled:
        raise Interrupted(signalled.number) from None
    except KeyboardInterrupt:
        raise Interrupted(signal.SIGINT) from None


class Interruption:
    """A context manager that notes a signal, so that the block can end where nothing is lost.

    It begins to note with `begin`; until then a signal ends the block at once.

    Members
    -------
    number : int or None
        The signal that came, if one did.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._stack = ExitStack()
        self._begun = False

    def __enter__(self) -> Self:
        return self

    def begin(self) -> None:
        """Note signals from now on; further calls change nothing."""
        if not self._begun:
            self._begun = True
            self._stack.enter_context(_handled(self._note))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def _note(self, number: int) -> None:
        self.number = number
