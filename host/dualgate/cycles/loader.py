"""The loader of the model: samples come in a word a cycle."""

from collections.abc import Sequence


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
