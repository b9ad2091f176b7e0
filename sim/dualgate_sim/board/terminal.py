# SPDX-License-Identifier: BSD-2-Clause

"""A pseudo-terminal in place of a serial port, and the frames that a host writes to it."""

import contextlib
import os
import select
import termios
import tty

from dualgate.link.frame import DELIMITER, LONGEST, Kind, decode

READ_BYTES = 1 << 16
"""Number of bytes after which `PseudoTerminal.read` returns, though there may be more."""

LEAVING_BYTES = 1 << 17
"""Most bytes that wait for a host to read them: twice as many as it ever allows a board to send."""


class PseudoTerminal:
    """A pseudo-terminal: this process has one end, and a host opens the other by its `path`.

    Members
    -------
    path : str
    """

    def __init__(self) -> None:
        # The end of the host stays open here, too, which keeps the line alive between two hosts.
        self._fd, self._held = os.openpty()
        tty.setraw(self._fd)
        tty.setraw(self._held)
        os.set_blocking(self._fd, False)
        self.path = os.ttyname(self._held)
        self._leaving = b""

    @property
    def leaving(self) -> int:
        """Number of bytes that wait here for the host to read."""
        return len(self._leaving)

    def read(self, seconds: float) -> bytes:
        """Return the bytes that the host has written; waits up to `seconds` for the first."""
        data = b""
        # The system hands out a few kB at a time, and a HELLO may be behind them.
        while len(data) < READ_BYTES and select.select([self._fd], [], [], seconds)[0]:
            data += os.read(self._fd, READ_BYTES)
            seconds = 0.0
        return data

    def write(self, data: bytes) -> None:
        """Send bytes to the host, now or, if it does not read, in the next call.

        Where `LEAVING_BYTES` wait already, the bytes are lost, as in the adapter of a real line.
        """
        if len(self._leaving) + len(data) <= LEAVING_BYTES:
            self._leaving += data
        if self._leaving:
            with contextlib.suppress(BlockingIOError):
                self._leaving = self._leaving[os.write(self._fd, self._leaving) :]

    def drop_output(self) -> None:
        """Discard the bytes that the host has not read."""
        self._leaving = b""
        termios.tcflush(self._held, termios.TCIFLUSH)

    def close(self) -> None:
        """Close both ends."""
        os.close(self._fd)
        os.close(self._held)


class Frames:
    """The bytes that a host writes, in pieces that each end with a delimiter."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Add bytes; returns the pieces that they complete.

        What is longer than any frame is dropped, so that at most `LONGEST` bytes are kept.
        """
        *whole, self._rest = (self._rest + data).split(DELIMITER)
        if len(self._rest) > LONGEST:
            self._rest = b""
        return [piece + DELIMITER for piece in whole]


def begins_session(piece: bytes) -> bool:
    """Tell whether a piece from `Frames` is a HELLO."""
    frame = decode(piece.removesuffix(DELIMITER))
    return frame is not None and frame.kind == Kind.HELLO
