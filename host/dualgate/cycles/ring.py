# SPDX-License-Identifier: BSD-2-Clause

"""The parts of the tangent lane's ring: seeds, issuer, scaler, pruner."""

from collections import deque
from dataclasses import dataclass

from .plan import Chunk, Plan, Seeding


@dataclass(slots=True)
class Word:
    """Flagged entries of a vector, on their way to the MAC array.

    Parameters
    ----------
    chunk : Chunk
    flags : int
        How many entries.
    end : bool
        A group's sum ends with them.
    final : bool
        And that group is the layer's last.
    """

    chunk: Chunk
    flags: int
    end: bool
    final: bool


class Seeds:
    """Walks a sample's slopes.

    A tag layer costs 3 cycles, a frozen one 2, as do the outputs after them; a word of slopes costs
    4 and one for each chunk and group of the next layer, if a slot is free.

    Members
    -------
    sample : whose seeds these are, or None
    """

    FETCH, LAYER, FOLLOWING, READ, WORD, EMIT, NEXT = range(7)

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.sample: int | None = None
        self._teams: Seeding = []
        self._state = self.FETCH
        self._layer = self._word = self._target = self._place = 0

    def start(self, sample: int, chunks: Seeding) -> None:
        """The sample of number `sample` comes in this cycle, with its `chunks`."""
        self.sample = sample
        self._teams = chunks
        self._layer = 0
        self._state = self.FETCH

    def word(self) -> Word | None:
        """The word on offer, if a slot is free."""
        if self.sample is None or self._state != self.EMIT:
            return None
        chunks = self._teams[self._layer][self._word]
        if self._place == len(chunks):
            return None
        final = self._target == self._plan.groups[self._layer + 1] - 1
        chunk = chunks[self._place]
        return Word(chunk, chunk.size, True, final)

    def tick(self, taken: bool, may_clear: bool) -> Chunk | None:
        """A cycle passes: was the word `taken`, and may the sample go (`may_clear`)?

        Returns the chunk that is seeded.
        """
        state = self._state
        if self.sample is None:
            return None
        if state == self.EMIT:
            chunks = self._teams[self._layer][self._word]
            if self._place == len(chunks):
                self._state = self.NEXT
            elif taken:
                self._target += 1
                if self._target == self._plan.groups[self._layer + 1]:
                    self._target = 0
                    self._place += 1
                    return chunks[self._place - 1]
        elif state == self.NEXT:
            self._word += 1
            self._state = self.READ
            if self._word == len(self._teams[self._layer]):
                self._layer += 1
                self._state = self.FETCH
        elif state == self.LAYER:
            self._word = 0
            self._state = self.FOLLOWING
            if self._layer == self._plan.layers - 1:
                self.sample = None
            elif self._plan.frozen[self._layer]:
                self._layer += 1
                self._state = self.FETCH
        elif state == self.WORD:
            self._place = self._target = 0
            self._state = self.EMIT
        elif state != self.READ or may_clear:
            self._state += 1
        return None


class NonzeroIssuer:
    """Issues the entries of a word, one a cycle; a word without entries takes a cycle too.

    Members
    -------
    word : in work, or None
    """

    __slots__ = ("word",)

    def __init__(self) -> None:
        self.word: Word | None = None

    def requests(self) -> bool:
        """Whether the MAC array is asked for."""
        return self.word is not None and self.word.flags > 0

    def ready(self, granted: bool) -> bool:
        """Whether a word is taken in this cycle, if `granted` says the step on offer is."""
        word = self.word
        return word is None or word.flags == 0 or (granted and word.flags == 1)

    def tick(self, granted: bool, following: Word | None) -> Chunk | None:
        """A cycle passes, `granted` or not; `following` is taken; returns the chunk that ends."""
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
    """Sends a chunk's groups to the MAC array, one a cycle, 3 cycles after its job was taken.

    Members
    -------
    queue : chunks whose sums are complete
    """

    def __init__(self, plan: Plan) -> None:
        self._groups = plan.groups
        self.queue: deque[Chunk] = deque()
        self._team: Chunk | None = None
        self._group = 0
        self._read: tuple[Chunk, bool] | None = None
        self._request: tuple[Chunk, bool] | None = None

    def requests(self) -> bool:
        """Whether the MAC array is asked for."""
        return self._request is not None

    def tick(self, granted: bool) -> Chunk | None:
        """A cycle passes; returns the chunk whose last group was taken."""
        request = self._request
        if request is not None and not granted:
            return None
        chunk = self._team
        final = chunk is None or self._group == self._groups[chunk.layer] - 1
        self._request = self._read
        self._read = None if chunk is None else (chunk, final)
        if final:
            self._team = self.queue.popleft() if self.queue else None
            self._group = 0
        else:
            self._group += 1
        return request[0] if request is not None and request[1] else None


class Pruner:
    """Offers the words of stored vectors to the issuer, for each group of the layer they enter.

    A chunk costs 2 cycles, and each word 3 but the first, which costs 2; a word without entries
    is passed over, unless it is its vector's last.

    Members
    -------
    queue : chunks whose vectors are stored
    """

    IDLE, FETCH, READ, FLAG, OFFER = range(5)

    def __init__(self, plan: Plan) -> None:
        self._groups = plan.groups
        self.queue: deque[Chunk] = deque()
        self._state = self.IDLE
        self._team: Chunk | None = None
        self._words: list[int] = []
        self._group = self._word = 0

    def word(self) -> Word | None:
        """The word on offer."""
        if self._state != self.OFFER or self._team is None:
            return None
        flags, last = self._words[self._word], self._word == len(self._words) - 1
        if not flags and not last:
            return None
        return Word(self._team, flags, last, self._group == self._groups[self._team.layer] - 1)

    def tick(self, taken: bool) -> None:
        """A cycle passes, in which the word was taken or not."""
        state = self._state
        if state == self.IDLE:
            if self.queue:
                self._state = self.FETCH
        elif state == self.FETCH:
            self._team = chunk = self.queue.popleft()
            self._words = chunk.words[chunk.crossed - 1]
            self._group = self._word = 0
            self._state = self.FLAG
        elif state != self.OFFER:
            self._state += 1
        elif taken or self.word() is None:
            self._advance()

    def _advance(self) -> None:
        assert self._team is not None
        self._word += 1
        self._state = self.READ
        if self._word == len(self._words):
            self._word = 0
            self._group += 1
            if self._group == self._groups[self._team.layer]:
                self._state = self.IDLE
