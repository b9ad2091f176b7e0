# SPDX-License-Identifier: BSD-2-Clause

"""The loader of the model, and the ring memory that holds the lists of inputs."""

from collections.abc import Sequence

from .plan import Batch, Plan


class InputLists:
    """The fill level of the ring of input lists, whose words hold two entries each.

    A list occupies whole words, so the last entry of a list with an odd number of entries has a
    word to itself.

    Parameters
    ----------
    plan : Plan
    batch : Batch

    Members
    -------
    room : bool
        Whether the longest list of the network fits; registered.
    """

    __slots__ = ("_batch", "_most", "_used", "room")

    def __init__(self, plan: Plan, batch: Batch) -> None:
        self._batch = batch
        self._used = 0
        listed = plan.depths.listed
        self._most: int | None = listed // 2 - plan.inputs[0] // 2 if listed else None
        self.room = True

    def tick(self, enters: int | None, leaves: int | None) -> None:
        """Advance by a cycle.

        Parameters
        ----------
        enters, leaves : int or None
            The sample whose list is added in this cycle, and the one whose list is freed.
        """
        self.room = self._most is None or self._used < self._most
        for sample, sign in ((enters, 1), (leaves, -1)):
            if sample is not None:
                self._used += sign * -(-self._batch.counts[sample][0] // 2)


class Loader:
    """Load samples into contexts.

    A sample costs ``loads + outputs + 4`` cycles: one for the header, one for the check, one for
    each target, ``loads`` for masks and inputs, one for the bias, and one to pass the sample on.

    Parameters
    ----------
    words : sequence of int
        Cycles of each sample's targets, masks and inputs.
    first : int
        Cycle in which the first sample is first offered to the value lane.

    Members
    -------
    sample : int
        The sample being loaded, or next to load; the number of samples after the last.
    busy : int
        Cycles spent loading so far.
    """

    __slots__ = ("_checks", "_offers", "_words", "busy", "sample")

    def __init__(self, words: Sequence[int], first: int) -> None:
        self._words = words
        self.sample = 0
        self._checks = -1
        self._offers: int | None = first
        self.busy = words[0] + 3

    def offers(self, now: int) -> bool:
        """Whether a loaded sample is offered to the value lane."""
        return self._offers is not None and now >= self._offers

    def tick(self, now: int, context_free: bool, taken: bool) -> None:
        """Advance past the cycle `now`.

        Parameters
        ----------
        now : int
        context_free : bool
            Whether there is a free context, and room for any list of inputs.
        taken : bool
            Whether the value lane takes the offered sample in this cycle.
        """
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
