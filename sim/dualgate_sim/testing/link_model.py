# SPDX-License-Identifier: BSD-2-Clause

"""The device's end of a serial link in plain Python.

The rules are those of docs/reference/protocol.md. The gateware follows them a byte a cycle; this
model is fast enough to be tried against thousands of disturbed lines.
"""

from collections.abc import Callable, Sequence

import numpy as np

from dualgate.link.frame import POSITION_MASK, WORD_BYTES, Deframer, Frame, Kind

Engine = Callable[[int], list[int]]
"""Command word -> response words."""


class DeviceEnd:
    """The device's end of a link, with an engine: bytes in, bytes out.

    Parameters
    ----------
    identity : sequence of int
        Payload of WELCOME.
    make_engine : callable
        Makes an engine in its reset state, one for each session.
    receive_words, send_words : int
        Sizes of the queues of commands and responses, powers of two.
    most_words : int
        Largest payload that it sends.

    Members
    -------
    sessions : int
        HELLOs answered.
    """

    def __init__(
        self,
        identity: Sequence[int],
        make_engine: Callable[[], Engine],
        receive_words: int = 2048,
        send_words: int = 512,
        most_words: int = 64,
    ) -> None:
        self._welcome = np.array(identity, "<u4").tobytes()
        self._make_engine = make_engine
        self._receive_words = receive_words
        self._send_words = send_words
        self._most_words = most_words
        self._deframer = Deframer()
        self._mark = 0
        self.sessions = 0
        self.reset()

    def reset(self) -> None:
        """Enter the state after power-on: no session, and a new engine."""
        self._begin(0)
        self._welcoming = False

    def _begin(self, session: int) -> None:
        self._session = session
        self._engine = self._make_engine()
        self._commands: list[int] = []
        self._expected = 0
        self._responses: list[int] = []
        self._acknowledged = self._sent = self._limit = 0
        self._answer = self._polled = False

    def feed(self, data: bytes) -> None:
        """Accept bytes from the line."""
        for frame in self._deframer.feed(data):
            if frame.kind == Kind.HELLO:
                self._begin(frame.session)
                self._mark = frame.mark
                self._welcoming = True
                self.sessions += 1
            elif frame.kind in (Kind.DATA, Kind.POLL):
                self._mark = frame.mark
                self._take(frame)

    def _take(self, frame: Frame) -> None:
        if frame.session != self._session:
            self._polled = True
            return
        arrived = frame.acknowledged - self._acknowledged & POSITION_MASK
        if arrived <= len(self._responses):
            del self._responses[:arrived]
            self._acknowledged += arrived
            self._sent = max(self._sent, self._acknowledged)
            self._limit = self._acknowledged + frame.credit
        if frame.kind == Kind.POLL:
            self._polled = True
            self._sent = self._acknowledged
        self._answer |= bool(frame.payload)
        words = np.frombuffer(frame.payload, "<u4").tolist()
        if frame.sequence == self._expected & POSITION_MASK and len(words) <= self._room:
            self._commands += words
            self._expected += len(words)

    @property
    def _room(self) -> int:
        return self._receive_words - len(self._commands)

    def run(self, words: int) -> None:
        """Pass up to `words` command words to the engine, while there is room for responses."""
        while words and self._commands and len(self._responses) < self._send_words:
            self._responses += self._engine(self._commands.pop(0))
            words -= 1

    def output(self) -> bytes:
        """Return the bytes that the device sends now."""
        out = b""
        if self._welcoming:
            out += self._frame(Kind.WELCOME, self._welcome)
            self._welcoming = False
        if self._polled:
            out += self._frame(Kind.DATA, b"")
            self._polled = False
        while count := self._sendable():
            start = self._sent - self._acknowledged
            payload = np.array(self._responses[start : start + count], "<u4").tobytes()
            out += self._frame(Kind.DATA, payload)
        if self._answer:
            out += self._frame(Kind.DATA, b"")
        return out

    def _sendable(self) -> int:
        ready = self._acknowledged + len(self._responses) - self._sent
        return max(0, min(ready, self._limit - self._sent, self._most_words))

    def _frame(self, kind: Kind, payload: bytes) -> bytes:
        frame = Frame(
            kind,
            self._mark,
            self._session,
            self._sent & POSITION_MASK,
            self._expected & POSITION_MASK,
            self._room,
            payload=payload,
        )
        if kind == Kind.DATA:
            self._sent += len(payload) // WORD_BYTES
            self._answer = False
        return frame.encode()
