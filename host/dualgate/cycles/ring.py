# SPDX-License-Identifier: BSD-2-Clause

"""The parts of the tangent lane's ring behind the seeds: issuer, scaler and pruner."""

from collections import deque
from dataclasses import dataclass

from .plan import Chunk, Plan


@dataclass(slots=True)
class Word:
    """The flagged entries of one word of a chunk's vectors, for the issuer.

    Parameters
    ----------
    chunk : Chunk
    flags : int
        Number of flagged entries that are not issued yet.
    end : bool
        Whether a group's sum ends with this word.
    final : bool
        Whether that group is the last of its layer.
    """

    chunk: Chunk
    flags: int
    end: bool
    final: bool


class NonzeroIssuer:
    """Issue the entries of a word, one a cycle; a word without entries takes one cycle as well.

    Members
    -------
    word : Word or None
        The word in progress.
    """

    __slots__ = ("word",)

    def __init__(self) -> None:
        self.word: Word | None = None

    def requests(self) -> bool:
        """Whether the MAC array is requested."""
        return self.word is not None and self.word.flags > 0

    def ready(self, granted: bool) -> bool:
        """Whether a word can be taken in this cycle; `granted` says if the request is granted."""
        word = self.word
        return word is None or word.flags == 0 or (granted and word.flags == 1)

    def tick(self, granted: bool, following: Word | None) -> Chunk | None:
        """Advance by a cycle.

        Parameters
        ----------
        granted : bool
            Whether the MAC array takes the request.
        following : Word or None
            The word that is taken in this cycle.

        Returns
        -------
        Chunk or None
            The chunk whose last sum ends in this cycle.
        """
        word, ended = self.word, None
        if word is not None and (granted or not word.flags):
            word.flags -= 1
            if word.flags <= 0:
                self.word = None
                if word.end and word.final:
                    ended = word.chunk
        if following is not None:
            self.word = following
        return ended


class Scaler:
    """Request the MAC array for each group of a chunk, one group a cycle.

    The first request follows 3 cycles after the chunk is taken from the queue.

    Parameters
    ----------
    plan : Plan

    Members
    -------
    queue : deque of Chunk
        Chunks whose sums are complete.
    """

    def __init__(self, plan: Plan) -> None:
        self._groups = plan.groups
        self.queue: deque[Chunk] = deque()
        self._chunk: Chunk | None = None
        self._group = 0
        self._read: tuple[Chunk, bool] | None = None
        self._request: tuple[Chunk, bool] | None = None

    def requests(self) -> bool:
        """Whether the MAC array is requested."""
        return self._request is not None

    def tick(self, granted: bool, written: int) -> Chunk | None:
        """Advance by a cycle, and return the chunk whose last group is taken, or None.

        `granted` says whether the MAC array takes the request. Only a chunk that enters one of the
        first `written` layers is taken from the queue.
        """
        request = self._request
        if request is not None and not granted:
            return None
        chunk = self._chunk
        final = chunk is None or self._group == self._groups[chunk.layer] - 1
        self._request = self._read
        self._read = None if chunk is None else (chunk, final)
        if final:
            passes = bool(self.queue) and self.queue[0].layer < written
            self._chunk = self.queue.popleft() if passes else None
            self._group = 0
        else:
            self._group += 1
        return request[0] if request is not None and request[1] else None


class Pruner:
    """Offer the words of stored vectors to the issuer, for each group of the layer they enter.

    A chunk costs 2 cycles, its first word 2 and each other word 3. A word without entries is not
    offered, unless it is the last of its vector.

    Parameters
    ----------
    plan : Plan

    Members
    -------
    queue : deque of Chunk
        Chunks whose vectors are stored.
    """

    IDLE, FETCH, READ, FLAG, OFFER = range(5)

    def __init__(self, plan: Plan) -> None:
        self._groups = plan.groups
        self.queue: deque[Chunk] = deque()
        self._state = self.IDLE
        self._chunk: Chunk | None = None
        self._words: list[int] = []
        self._group = self._word = 0

    def word(self) -> Word | None:
        """The word that is offered, or None."""
        if self._state != self.OFFER or self._chunk is None:
            return None
        flags, last = self._words[self._word], self._word == len(self._words) - 1
        if not flags and not last:
            return None
        return Word(self._chunk, flags, last, self._group == self._groups[self._chunk.layer] - 1)

    def tick(self, taken: bool) -> None:
        """Advance by a cycle; `taken` says whether the issuer takes the offered word."""
        state = self._state
        if state == self.IDLE:
            if self.queue:
                self._state = self.FETCH
        elif state == self.FETCH:
            self._chunk = chunk = self.queue.popleft()
            self._words = chunk.words[chunk.crossed - 1]
            self._group = self._word = 0
            self._state = self.FLAG
        elif state != self.OFFER:
            self._state += 1
        elif taken or self.word() is None:
            self._advance()

    def _advance(self) -> None:
        assert self._chunk is not None
        self._word += 1
        self._state = self.READ
        if self._word == len(self._words):
            self._word = 0
            self._group += 1
            if self._group == self._groups[self._chunk.layer]:
                self._state = self.IDLE
