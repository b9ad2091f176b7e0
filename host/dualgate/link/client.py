# SPDX-License-Identifier: BSD-2-Clause

"""A session with a board: handshake, then commands and responses, over a line that may fail."""

import secrets
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np

from ..contract.commands import Words
from ..contract.errors import DeviceError, HandshakeError, LinkError, NoAnswerError
from .endpoint import CREDIT, HostEnd
from .frame import DELIMITER, VERSION, WORD_BYTES, Deframer, Frame, Kind
from .health import Health
from .identity import Identity, accept
from .responses import Responses

HELLO_WAITS = (0.2, 0.2, 0.4, 0.4, 0.8, 0.8, 1.6)
"""Seconds to wait for WELCOME in each attempt."""

STALL_S = 60.0
"""Seconds without progress after which an engine has failed, although its board answers polls."""

PIECE_WORDS = 1 << 12
"""Number of words passed to the endpoint at a time."""


class Port(Protocol):
    """A line of bytes. Every method raises `LinkError` if the line is lost permanently.

    Members
    -------
    name : str
        Name of the port in messages.
    reconnects : int
        Number of times that the port was reopened.
    """

    name: str
    reconnects: int

    def read(self, seconds: float) -> bytes:
        """Return all available bytes; waits up to `seconds` for the first."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def drop_input(self) -> None:
        """Discard the bytes that have arrived but are unread."""

    def close(self) -> None:
        """Close the line."""


class Client:
    """A session over a port; the constructor begins it.

    Parameters
    ----------
    port : Port
        The caller closes it.
    build : str or None
        Hexadecimal digits that the board's build identity must begin with.
    clock : callable
        Monotonic time in seconds.

    Members
    -------
    identity : Identity

    Raises
    ------
    NoAnswerError
        If no board answers.
    HandshakeError
        If the board is incompatible with this host.
    """

    def __init__(
        self,
        port: Port,
        build: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._port = port
        self._clock = clock
        self._deframer = Deframer()
        self._bytes_sent = self._bytes_received = 0
        self._hellos = 0
        session = secrets.randbelow((1 << 16) - 1) + 1
        welcome = self._connect(session)
        if welcome.version != VERSION:
            raise HandshakeError(
                f"the device has link version {welcome.version}, this host {VERSION}; "
                "rebuild one of them"
            )
        self.identity: Identity = accept(np.frombuffer(welcome.payload, "<u4").tolist(), build)
        self._end = HostEnd(session, welcome.mark, welcome.credit)

    def _connect(self, session: int) -> Frame:
        """Send HELLO until WELCOME arrives, after a delimiter that ends any unfinished frame."""
        self._port.drop_input()
        for mark, wait in enumerate(HELLO_WAITS):
            hello = Frame(Kind.HELLO, mark, session, credit=CREDIT)
            self._write(DELIMITER + hello.encode())
            self._hellos += 1
            until = self._clock() + wait
            while (left := until - self._clock()) > 0:
                for frame in self._read(left):
                    if frame.kind == Kind.WELCOME and frame.session == session:
                        return frame
        raise NoAnswerError(
            f"no dualgate board answers on {self._port.name}; check the cable, the port, the "
            "baud rate and that the board is configured"
        )

    def exchange(self, words: Words, responses: int, capacity: int) -> Words:
        """Send complete commands and return their responses; see `StreamDevice.exchange`.

        Raises
        ------
        LinkError
            If the line is lost, the board stops answering, or its engine stops.
        DeviceError
            If more than `capacity` words arrive.
        """
        end = self._end
        data = np.ascontiguousarray(words, "<u4").tobytes()
        piece = PIECE_WORDS * WORD_BYTES
        given = 0
        wanted = Responses(responses)
        moved, since = -1, self._clock()
        end.resume(since)
        while not wanted.whole(end.received):
            now = self._clock()
            if given < len(data) and end.backlog < PIECE_WORDS:
                end.push(data[given : given + piece])
                given += piece
            self._send(now)
            for frame in self._read(max(0.0, end.deadline - now)):
                end.on_frame(frame, self._clock())
            now = self._clock()
            end.on_time(now)
            if end.progress != moved:
                moved, since = end.progress, now
            elif now - since > STALL_S:
                raise LinkError("the board answers but its engine has stopped; reset the board")
            if len(end.received) > capacity * WORD_BYTES:
                raise DeviceError("the responses do not match the commands; reset the device")
        got = np.frombuffer(bytes(end.received), "<u4")
        end.received.clear()
        return got.astype(np.uint32)

    def health(self) -> Health:
        """Return the counts of this session."""
        end = self._end
        return Health(
            frames_sent=end.frames_sent + self._hellos,
            frames_received=self._deframer.frames,
            bytes_sent=self._bytes_sent,
            bytes_received=self._bytes_received,
            words_sent=end.written,
            words_received=end.accepted,
            crc_errors=self._deframer.errors,
            retries=end.retries + self._hellos - 1,
            reconnects=self._port.reconnects,
            round_trip_s=end.round_trip,
        )

    def _send(self, now: float) -> None:
        frames = self._end.output(now)
        if frames:
            lead = DELIMITER if frames[0].kind == Kind.POLL else b""
            self._write(lead + b"".join(frame.encode() for frame in frames))

    def _write(self, data: bytes) -> None:
        self._port.write(data)
        self._bytes_sent += len(data)

    def _read(self, seconds: float) -> list[Frame]:
        data = self._port.read(seconds)
        self._bytes_received += len(data)
        return self._deframer.feed(data)
