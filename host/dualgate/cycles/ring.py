"""The parts of the tangent lane's ring: births, stepper, scaler, pruner."""

from collections import deque
from dataclasses import dataclass

from .plan import Births as Born
from .plan import Plan, Tag


@dataclass(slots=True)
class Word:
    """Flagged entries of a vector, on their way to the MAC array.

    Parameters
    ----------
    tag : Tag
    flags : int
        How many entries.
    end : bool
        A group's sum ends with them.
    final : bool
        And that group is the layer's last.
    """

    tag: Tag
    flags: int
    end: bool
    final: bool


class Births:
    """Walks a sample's slopes.

    A tag layer costs 3 cycles and the words after it 2; a word of slopes costs 4 and one for each
    birth and group of the next layer, if a slot is free.

    Members
    -------
    sample : whose births these are, or None
    """

    FETCH, LAYER, FOLLOWING, READ, WORD, EMIT, NEXT = range(7)

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.sample: int | None = None
        self._tags: Born = []
        self._state = self.FETCH
        self._layer = self._word = self._target = self._lane = 0

    def start(self, sample: int, tags: Born) -> None:
        """A sample comes in this cycle."""
        self.sample = sample
        self._tags = tags
        self._layer = 0
        self._state = self.FETCH

    def word(self) -> Word | None:
        """The word on offer, if a slot is free."""
        if self.sample is None or self._state != self.EMIT:
            return None
        tags = self._tags[self._layer][self._word]
        if self._lane == len(tags):
            return None
        final = self._target == self._plan.groups[self._layer + 1] - 1
        return Word(tags[self._lane], 1, True, final)

    def tick(self, taken: bool, may_clear: bool) -> Tag | None:
        """A cycle passes, in which the word was taken or not; returns the tag that is born."""
        state = self._state
        if self.sample is None:
            return None
        if state == self.EMIT:
            tags = self._tags[self._layer][self._word]
            if self._lane == len(tags):
                self._state = self.NEXT
            elif taken:
                self._target += 1
                if self._target == self._plan.groups[self._layer + 1]:
                    self._target = 0
                    self._lane += 1
                    return tags[self._lane - 1]
        elif state == self.NEXT:
            self._word += 1
            self._state = self.READ
            if self._word == len(self._tags[self._layer]):
                self._layer += 1
                self._state = self.FETCH
        elif state == self.LAYER:
            self._word = 0
            self._state = self.FOLLOWING
            if self._layer == self._plan.layers - 1:
                self.sample = None
        elif state == self.WORD:
            self._lane = self._target = 0
            self._state = self.EMIT
        elif state != self.READ or may_clear:
            self._state += 1
        return None


class Stepper:
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

    def tick(self, granted: bool, following: Word | None) -> Tag | None:
        """A cycle passes, in which `following` is taken; returns the tag whose sums end."""
        word, ended = self.word, None
        if word is not None and (granted or not word.flags):
            word.flags -= 1
            if word.flags <= 0:
                self.word = None
                if word.end and word.final:
                    ended = word.tag
        if following is not None:
            self.word = following
        return ended


class Scaler:
    """Sends a tag's groups to the MAC array, one a cycle, 3 cycles after its job was taken.

    Members
    -------
    queue : tags whose sums are complete
    """

    def __init__(self, plan: Plan) -> None:
        self._groups = plan.groups
        self.queue: deque[Tag] = deque()
        self._tag: Tag | None = None
        self._group = 0
        self._read: tuple[Tag, bool] | None = None
        self._request: tuple[Tag, bool] | None = None

    def requests(self) -> bool:
        """Whether the MAC array is asked for."""
        return self._request is not None

    def tick(self, granted: bool) -> Tag | None:
        """A cycle passes; returns the tag whose last group was taken."""
        request = self._request
        if request is not None and not granted:
            return None
        tag = self._tag
        final = tag is None or self._group == self._groups[tag.layer] - 1
        self._request = self._read
        self._read = None if tag is None else (tag, final)
        if final:
            self._tag = self.queue.popleft() if self.queue else None
            self._group = 0
        else:
            self._group += 1
        return request[0] if request is not None and request[1] else None


class Pruner:
    """Offers the words of stored vectors to the stepper, for each group of the layer they enter.

    A tag costs 2 cycles, and each word 3 but the first, which costs 2; a word without entries
    is passed over, unless it is its vector's last.

    Members
    -------
    queue : tags whose vectors are stored
    """

    IDLE, FETCH, READ, FLAG, OFFER = range(5)

    def __init__(self, plan: Plan) -> None:
        self._groups = plan.groups
        self.queue: deque[Tag] = deque()
        self._state = self.IDLE
        self._tag: Tag | None = None
        self._words: list[int] = []
        self._group = self._word = 0

    def word(self) -> Word | None:
        """The word on offer."""
        if self._state != self.OFFER or self._tag is None:
            return None
        flags, last = self._words[self._word], self._word == len(self._words) - 1
        if not flags and not last:
            return None
        return Word(self._tag, flags, last, self._group == self._groups[self._tag.layer] - 1)

    def tick(self, taken: bool) -> None:
        """A cycle passes, in which the word was taken or not."""
        state = self._state
        if state == self.IDLE:
            if self.queue:
                self._state = self.FETCH
        elif state == self.FETCH:
            self._tag = tag = self.queue.popleft()
            self._words = tag.words[tag.crossed - 1]
            self._group = self._word = 0
            self._state = self.FLAG
        elif state != self.OFFER:
            self._state += 1
        elif taken or self.word() is None:
            self._advance()

    def _advance(self) -> None:
        assert self._tag is not None
        self._word += 1
        self._state = self.READ
        if self._word == len(self._words):
            self._word = 0
            self._group += 1
            if self._group == self._groups[self._tag.layer]:
                self._state = self.IDLE
