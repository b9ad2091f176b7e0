# SPDX-License-Identifier: BSD-2-Clause

"""The loader of the model: samples come in a word a cycle, their inputs take places in a ring."""

from collections.abc import Sequence

from .plan import Batch, Plan


class InputLists:
    """The ring of the lists of inputs: an entry has a place of its own, but for the last of a list,
    which has that of two.

    Parameters
    ----------
    plan, batch

    Members
    -------
    room : whether the loader is told that any list fits
    """

    __slots__ = ("_batch", "_most", "_used", "room")

    def __init__(self, plan: Plan, batch: Batch) -> None:
        self._batch = batch
        self._used = 0
        listed = plan.depths.listed
        self._most: int | None = listed // 2 - plan.inputs[0] // 2 if listed else None
        self.room = True

    def tick(self, enters: int | None, leaves: int | None) -> None:
        """A cycle passes.

        Parameters
        ----------
        enters, leaves : int or None
            The sample that enters in it, and the one that leaves.
        """
        self.room = self._most is None or self._used < self._most
        for sample, sign in ((enters, 1), (leaves, -1)):
            if sample is not None:
                self._used += sign * -(-self._batch.counts[sample][0] // 2)


class Loader:
    """Loads samples into contexts.

    A sample costs ``loads + outputs + 4`` cycles: header, check, a cycle for each target, those
    that masks and inputs take, the bias, and handing on.

    Parameters
    ----------
    words : sequence of int
        Cycles of each sample's targets, masks and inputs.
    first : int
        When the first one can be handed on.

    Members
    -------
    sample : the one being loaded; the samples of the batch are `done` when there is none
    busy : cycles spent loading
    """

    __slots__ = ("_checks", "_offers", "_words", "busy", "sample")

    def __init__(self, words: Sequence[int], first: int) -> None:
        self._words = words
        self.sample = 0
        self._checks = -1
        self._offers: int | None = first
        self.busy = words[0] + 3

    def offers(self, now: int) -> bool:
        """Whether a sample is to be handed on."""
        return self._offers is not None and now >= self._offers

    def tick(self, now: int, context_free: bool, taken: bool) -> None:
        """The cycle `now` passes: was the sample `taken`, is there a `context_free`?"""
        if taken:
            self.busy += 1
            self.sample += 1
            self._offers = None
            self._checks = now + 2
        elif (
            self._offers is None
            and now >= self._checks
            and context_free
            and self.sample < len(self._words)
        ):
            words = self._words[self.sample]
            self._offers = now + words + 2
            self.busy += words + 3
