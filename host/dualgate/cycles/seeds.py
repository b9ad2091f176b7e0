# SPDX-License-Identifier: BSD-2-Clause

"""The seeds of the tangent lane's ring: each unit with a nonzero slope starts a tag."""

from .plan import Chunk, Plan, Seeding
from .ring import Word


class Seeds:
    """Walk the slopes of a sample, and offer a word for each chunk and group of the next layer.

    A layer with tags costs 3 cycles, a frozen layer 2, and the output layer 2. Each word of slopes
    costs ``4 + chunks * groups`` cycles, with the groups of the next layer, while slots are free
    and words are taken.

    Parameters
    ----------
    plan : Plan

    Members
    -------
    sample : int or None
        The sample in progress.
    layer : int
        Its layer in progress.
    """

    FETCH, LAYER, FOLLOWING, READ, WORD, EMIT, NEXT = range(7)

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.sample: int | None = None
        self._chunks: Seeding = []
        self._state = self.FETCH
        self.layer = self._word = self._target = self._place = 0

    def start(self, sample: int, chunks: Seeding) -> None:
        """Take sample number `sample` in this cycle, with its `chunks`."""
        self.sample = sample
        self._chunks = chunks
        self.layer = 0
        self._state = self.FETCH

    def word(self) -> Word | None:
        """The word that is offered if a slot is free, or None."""
        if self.sample is None or self._state != self.EMIT:
            return None
        chunks = self._chunks[self.layer][self._word]
        if self._place == len(chunks):
            return None
        final = self._target == self._plan.groups[self.layer + 1] - 1
        chunk = chunks[self._place]
        return Word(chunk, chunk.size, True, final)

    def tick(self, taken: bool, may_clear: bool, written: int) -> Chunk | None:
        """Advance by a cycle.

        Parameters
        ----------
        taken : bool
            Whether the issuer takes the offered word.
        may_clear : bool
            Whether a word of update scalars can be cleared in this cycle.
        written : int
            Layers whose slopes are written.

        Returns
        -------
        Chunk or None
            The chunk whose last word is taken, which now occupies a slot.
        """
        state = self._state
        if self.sample is None:
            return None
        if state == self.EMIT:
            chunks = self._chunks[self.layer][self._word]
            if self._place == len(chunks):
                self._state = self.NEXT
            elif taken:
                self._target += 1
                if self._target == self._plan.groups[self.layer + 1]:
                    self._target = 0
                    self._place += 1
                    return chunks[self._place - 1]
        elif state == self.NEXT:
            self._word += 1
            self._state = self.READ
            if self._word == len(self._chunks[self.layer]):
                self.layer += 1
                self._state = self.FETCH
        elif state == self.LAYER:
            self._word = 0
            self._state = self.FOLLOWING
            if self.layer == self._plan.layers - 1:
                self.sample = None
            elif self._plan.frozen[self.layer]:
                self.layer += 1
                self._state = self.FETCH
        elif state == self.WORD:
            self._place = self._target = 0
            self._state = self.EMIT
        elif state != self.READ or (may_clear and self.layer < written):
            self._state += 1
        return None
