# SPDX-License-Identifier: BSD-2-Clause

"""Parts that the lanes of the model share: a clock with scheduled events, a reader of lists."""

from collections.abc import Callable
from typing import Generic, TypeVar

Event = Callable[[], None]
Meta = TypeVar("Meta")


class Clock:
    """The number of the current cycle, and the events that pipelines deliver in later cycles.

    Members
    -------
    now : int
        The current cycle.
    """

    __slots__ = ("_later", "now")

    def __init__(self) -> None:
        self.now = 0
        self._later: dict[int, list[Event]] = {}

    def after(self, cycles: int, event: Event) -> None:
        """Call `event` at the beginning of the cycle that is `cycles` from now.

        The registers that it changes have their new values in that cycle.
        """
        self._later.setdefault(self.now + cycles, []).append(event)

    def begin(self) -> None:
        """Begin a cycle: call the events that are due in it."""
        for event in self._later.pop(self.now, ()):
            event()


class ListReader(Generic[Meta]):
    """Read lists, one entry a cycle, without a gap between jobs.

    The first step of a job is offered 3 cycles after the job is taken.

    Parameters
    ----------
    alternates : bool
        Whether the reader leaves a gap rather than read pairs of inputs in two successive cycles,
        because other clients use the port in the cycles between.

    Members
    -------
    offers : bool
        Whether a step is offered.
    last : bool
        Whether the offered step is the last of its job.
    meta : Meta or None
        The data that the job of the offered step carries to each of its steps.
    """

    __slots__ = (
        "_alternates",
        "_before",
        "_first",
        "_left",
        "_next",
        "_pairs",
        "_read",
        "_read_last",
        "_reading",
        "last",
        "meta",
        "offers",
    )

    def __init__(self, alternates: bool = False) -> None:
        self._alternates = alternates
        self._before = False
        self._pairs = False
        self._first = False
        self._left = 0
        self._next: Meta | None = None
        self._reading = False
        self._read_last = False
        self._read: Meta | None = None
        self.offers = False
        self.last = False
        self.meta: Meta | None = None

    @property
    def holds(self) -> bool:
        """Whether the reader holds steps that are not taken yet."""
        return self.offers or self._reading

    def uses(self, meta: Meta) -> bool:
        """Whether a step that the reader holds carries `meta`."""
        return (self.offers and self.meta == meta) or (self._reading and self._read == meta)

    def ready(self, granted: bool) -> bool:
        """Whether a job can be taken in this cycle; `granted` says if the offered step is taken."""
        reads = granted or not (self.offers and self._reading)
        return not self._left or (self._left == 1 and reads and not self._waits)

    @property
    def _waits(self) -> bool:
        """Whether reading now would read a pair in the cycle after another pair."""
        return self._alternates and self._before and self._first and self._left > 0

    def tick(
        self, granted: bool, count: int = 0, meta: Meta | None = None, pairs: bool = False
    ) -> None:
        """Advance by a cycle.

        Parameters
        ----------
        granted : bool
            Whether the offered step is taken.
        count : int
            Entries of the job that is taken in this cycle; 0 if there is no job.
        meta : Meta or None
            The data that the job carries to its steps.
        pairs : bool
            Whether the job's list is stored as pairs of entries, as lists of inputs are.
        """
        moves_on = granted or not self.offers
        reads = (moves_on or not self._reading) and not self._waits
        self._before = reads and self._first and self._left > 0
        if moves_on:
            self.offers = self._reading
            self.last = self._read_last
            self.meta = self._read
            self._reading = False
        if reads:
            self._reading = self._left > 0
            if self._reading:
                self._read_last = self._left == 1
                self._read = self._next
                self._left -= 1
                self._first = self._pairs and not self._first
        if count:
            self._left = count
            self._next = meta
            self._pairs = self._first = pairs
