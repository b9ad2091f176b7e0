# SPDX-License-Identifier: BSD-2-Clause

"""The host's end of a serial link: two numbered streams of words over a line that loses frames.

The module uses neither port nor clock: the caller passes frames and times, so that tests can use a
time of their own. docs/reference/protocol.md gives the rules. All time-outs are on this side; a
device sends only in answer to the host.
"""

from collections import deque
from dataclasses import dataclass

from ..contract.errors import LinkError
from .frame import MARK_MASK, POSITION_MASK, WORD_BYTES, Frame, Kind

MOST_WORDS = 256
"""Payload of a frame on a clean line, in words; framing and header add 2 % to it."""

FEWEST_WORDS = 16
"""Smallest payload on a noisy line, in words."""

FRAMES_IN_FLIGHT = 8
"""Largest number of frames without an answer. After a loss the host repeats them, so small frames
on a noisy line waste little."""

CREDIT = 1 << 14
"""Number of words that the host can always accept."""

FIRST_WAIT = 0.2
"""Seconds without an answer that count as a loss, before the first round trip is measured."""

SHORTEST_WAIT = 0.03
"""Smallest such time in seconds, since USB serial adapters delay bytes by up to 16 ms."""

LONGEST_WAIT = 8
"""Largest factor of that time, which doubles with each consecutive time-out."""

POLLS = 10
"""Number of consecutive time-outs after which the device has failed."""


@dataclass(frozen=True)
class _Flight:
    """A transmission without an answer yet.

    Parameters
    ----------
    mark : int
        Its number.
    end : int
        Position after its payload, 0 without payload.
    time : float
        Time of sending.
    """

    mark: int
    end: int
    time: float


class HostEnd:
    """The state of a session on the host.

    Positions and marks count up without bound here; the wire carries their low bits.

    Parameters
    ----------
    session : int
    mark : int
        Number of the last transmission so far, the HELLO that was answered.
    credit : int
        Number of words that the device can accept, from its WELCOME.

    Members
    -------
    received : bytearray
        The words that arrived, in order and without repetition; the user removes them.
    accepted : int
        Number of words that arrived since the session began.
    written : int
        Number of words passed to `push`.
    retries : int
        Number of repetitions by either side and of time-outs.
    frames_sent : int
    round_trip : float or None
        Smoothed round trip in seconds.
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
        """Append complete words to the stream to the device."""
        self._queue += words
        self.written += len(words) // WORD_BYTES

    @property
    def backlog(self) -> int:
        """Number of words passed to `push` that are not yet acknowledged."""
        return self.written - self._acknowledged

    @property
    def progress(self) -> int:
        """Number of words known to have arrived, in both directions."""
        return self._acknowledged + self.accepted

    def resume(self, now: float) -> None:
        """Start the time-out of the device at `now`."""
        self._since = now
        self._silences = 0

    @property
    def deadline(self) -> float:
        """Time at which to call `on_time` unless a frame arrives before."""
        return self._since + self._wait * min(1 << self._silences, LONGEST_WAIT)

    @property
    def _wait(self) -> float:
        if self.round_trip is None:
            return FIRST_WAIT
        return max(SHORTEST_WAIT, self.round_trip + 4 * self._deviation)

    def on_time(self, now: float) -> None:
        """Poll the device if `deadline` has passed.

        Raises
        ------
        LinkError
            If the device has not answered `POLLS` polls.
        """
        if now < self.deadline:
            return
        if self._silences == POLLS:
            raise LinkError(
                f"the device has stopped answering and ignored {POLLS} polls; check its power and "
                "the cable, then train again from the checkpoint"
            )
        self._silences += 1
        self._since = now
        self._poll = True
        self.retries += 1

    def on_frame(self, frame: Frame, now: float) -> None:
        """Accept a complete `frame` from the device, which arrived at `now`, in seconds.

        Raises
        ------
        LinkError
            If the device is in another session or in none.
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
        """Drop acknowledged words; start again at the first lost one if a transmission was lost."""
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
        """Accept the next words of the stream; poll once for missing ones."""
        ahead = frame.sequence - self.accepted & POSITION_MASK
        if not ahead:
            self.received += frame.payload
            self.accepted += len(frame.payload) // WORD_BYTES
        elif ahead <= POSITION_MASK // 2 and self._heard >= self._asked and not self._poll:
            # Only a frame that the device sent after it received the last poll shows a new gap.
            self._poll = True
            self.retries += 1
        self._owes |= bool(frame.payload)

    def output(self, now: float) -> list[Frame]:
        """Return the frames to send now.

        These are a poll if one is due, then data within the credit, or an acknowledgement without
        data if one is due and there is no other frame.
        """
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
        """Return the size of the next frame; 0 if a larger one is possible after an answer."""
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
