# SPDX-License-Identifier: BSD-2-Clause

"""The host's end of a serial link: two numbered streams of words over a line that loses frames.

Knows no port and no clock; both are handed in, so that it runs the same in a test's own time.
docs/reference/protocol.md gives the rules. All time-outs are on this side: a device only ever
answers.
"""

from collections import deque
from dataclasses import dataclass

from ..contract.errors import LinkError
from .frame import MARK_MASK, POSITION_MASK, WORD_BYTES, Frame, Kind

MOST_WORDS = 256
"""Payload of a frame while the line is clean; framing and header then take 2 % of it."""

FEWEST_WORDS = 16
"""Payload that a noisy line is still offered."""

FRAMES_IN_FLIGHT = 8
"""Of what a loss makes the host send again, so small frames on a noisy line waste little."""

CREDIT = 1 << 14
"""Words that the host always has room for."""

FIRST_WAIT = 0.2
"""Seconds until the first silence is taken for a loss, before any round trip was measured."""

SHORTEST_WAIT = 0.03
"""Seconds. USB serial adapters hold bytes back for up to 16 ms."""

LONGEST_WAIT = 8
"""How many times as long a silence gets, doubling, where it follows others."""

POLLS = 10
"""Silences in a row after which the device is gone."""


@dataclass(frozen=True)
class _Flight:
    """A transmission that will be answered: its number, where its payload ends (0 where it has
    none), and when it left."""

    mark: int
    end: int
    time: float


class HostEnd:
    """One session's state on the host.

    Positions and marks count up without bound here; the wire carries their low bits.

    Parameters
    ----------
    session : int
    mark : int
        Number of the last transmission so far, the HELLO that was answered.
    credit : int
        Words that the device has room for, from its WELCOME.

    Members
    -------
    received : bytearray
        Words that arrived, in order and each once; the user takes them away from the front.
    accepted : int
        How many those are, since the session began.
    written : int
        Words handed in by `push`.
    retries : int
        Times that either side had to go back, or a silence had to be ended.
    frames_sent : int
    round_trip : float or None
        Seconds, smoothed.
    """

    def __init__(self, session: int, mark: int, credit: int) -> None:
        self.session = session
        self.received = bytearray()
        self.accepted = self.written = 0
        self.retries = self.frames_sent = 0
        self.round_trip: float | None = None
        self._deviation = 0.0
        self._queue = bytearray()
        self._acknowledged = self._sent = self._furthest = 0
        self._limit = credit
        self._size = MOST_WORDS
        self._mark = self._heard = mark
        self._flight: deque[_Flight] = deque()
        self._poll = self._owes = False
        self._asked = -1
        self._silences = 0
        self._since = 0.0

    def push(self, words: bytes) -> None:
        """Append whole words to the stream towards the device."""
        self._queue += words
        self.written += len(words) // WORD_BYTES

    @property
    def backlog(self) -> int:
        """Words handed in and not yet acknowledged."""
        return self.written - self._acknowledged

    @property
    def progress(self) -> int:
        """Words known to have arrived, in both directions."""
        return self._acknowledged + self.accepted

    def resume(self, now: float) -> None:
        """Begin to wait for the device; time before was the host's own."""
        self._since = now
        self._silences = 0

    @property
    def deadline(self) -> float:
        """When `on_time` wants to be called if nothing arrives before."""
        return self._since + self._wait * min(1 << self._silences, LONGEST_WAIT)

    @property
    def _wait(self) -> float:
        if self.round_trip is None:
            return FIRST_WAIT
        return max(SHORTEST_WAIT, self.round_trip + 4 * self._deviation)

    def on_time(self, now: float) -> None:
        """Ask for a sign of life where `deadline` has passed.

        Raises
        ------
        LinkError
            When the device stayed silent through `POLLS` of them.
        """
        if now < self.deadline:
            return
        if self._silences == POLLS:
            raise LinkError(
                f"the device has stopped answering, also to {POLLS} polls; check its power and "
                "the cable, then train again from the checkpoint"
            )
        self._silences += 1
        self._since = now
        self._poll = True
        self.retries += 1

    def on_frame(self, frame: Frame, now: float) -> None:
        """Take one whole `frame` from the device, which came at `now`, in seconds.

        Raises
        ------
        LinkError
            When the device is in another session, or in none.
        """
        if frame.kind != Kind.DATA:
            return
        if frame.session != self.session:
            raise LinkError(
                "the device was reset or taken over in the middle of the session, and its weights "
                "are lost; train again from the checkpoint"
            )
        self.resume(now)
        self._take_acknowledgement(frame, now)
        self._take_payload(frame)

    def _take_acknowledgement(self, frame: Frame, now: float) -> None:
        """Forget what arrived; go back if a transmission of this round is known to be lost."""
        arrived = frame.acknowledged - self._acknowledged & POSITION_MASK
        if arrived > self._furthest - self._acknowledged:
            return
        del self._queue[: arrived * WORD_BYTES]
        self._acknowledged += arrived
        self._sent = max(self._sent, self._acknowledged)
        self._limit = self._acknowledged + frame.credit
        self._heard = self._mark - (self._mark - frame.mark & MARK_MASK)
        lost = False
        while self._flight and self._flight[0].mark <= self._heard:
            flight = self._flight.popleft()
            lost |= flight.end > self._acknowledged
            if flight.mark == self._heard:
                self._measure(now - flight.time)
            if flight.end and not lost:
                self._size = min(MOST_WORDS, self._size + self._size // 4)
        if lost:
            self._size = max(FEWEST_WORDS, self._size // 2)
            self._sent = self._acknowledged
            self._flight.clear()
            self.retries += 1

    def _measure(self, seconds: float) -> None:
        """Smooth the round trip and its deviation (Jacobson and Karels, 1988)."""
        if self.round_trip is None:
            self.round_trip, self._deviation = seconds, seconds / 2
            return
        self._deviation += (abs(seconds - self.round_trip) - self._deviation) / 4
        self.round_trip += (seconds - self.round_trip) / 8

    def _take_payload(self, frame: Frame) -> None:
        """Keep the words that come next; ask once for those that are missing."""
        ahead = frame.sequence - self.accepted & POSITION_MASK
        if not ahead:
            self.received += frame.payload
            self.accepted += len(frame.payload) // WORD_BYTES
        elif ahead <= POSITION_MASK // 2 and self._heard >= self._asked and not self._poll:
            # Only a frame that left the device after it heard the last question tells of a new gap.
            self._poll = True
            self.retries += 1
        self._owes |= bool(frame.payload)

    def output(self, now: float) -> list[Frame]:
        """The frames to send now: a poll if there is need, what the credit allows, or else a bare
        acknowledgement if one is owed."""
        frames = []
        if self._poll:
            self._asked = self._mark + 1
            frames.append(self._frame(Kind.POLL, 0, now))
            self._poll = False
        while (count := self._sendable()) > 0:
            frames.append(self._frame(Kind.DATA, count, now))
        if self._owes and not frames:
            frames.append(self._frame(Kind.DATA, 0, now))
        self._owes = False
        self.frames_sent += len(frames)
        return frames

    def _sendable(self) -> int:
        """Words of the next frame; not fewer than could go together a little later."""
        if len(self._flight) >= FRAMES_IN_FLIGHT:
            return 0
        whole = min(self._size, self.written - self._sent)
        room = self._limit - self._sent
        return whole if room >= whole else 0 if self._flight else room

    def _frame(self, kind: Kind, count: int, now: float) -> Frame:
        start = (self._sent - self._acknowledged) * WORD_BYTES
        frame = Frame(
            kind,
            self._mark + 1 & MARK_MASK,
            self.session,
            self._sent & POSITION_MASK,
            self.accepted & POSITION_MASK,
            CREDIT,
            payload=bytes(self._queue[start : start + count * WORD_BYTES]),
        )
        self._mark += 1
        self._sent += count
        self._furthest = max(self._furthest, self._sent)
        if count or kind == Kind.POLL:
            self._flight.append(_Flight(self._mark, self._sent if count else 0, now))
        return frame
