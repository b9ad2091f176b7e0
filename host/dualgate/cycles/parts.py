# SPDX-License-Identifier: BSD-2-Clause

"""Small parts that lanes are made of: the clock's appointments, the reader of lists."""

from collections.abc import Callable
from typing import Generic, TypeVar

Event = Callable[[], None]
Meta = TypeVar("Meta")


class Clock:
    """The cycle, and what a pipeline will bring in a later one.

    Members
    -------
    now : int
    """

    __slots__ = ("_later", "now")

    def __init__(self) -> None:
        self.now = 0
        self._later: dict[int, list[Event]] = {}

    def after(self, cycles: int, event: Event) -> None:
        """Let `event` change registers as they are seen `cycles` from now."""
        self._later.setdefault(self.now + cycles, []).append(event)

    def begin(self) -> None:
        """Bring what is due."""
        for event in self._later.pop(self.now, ()):
            event()


class ListReader(Generic[Meta]):
    """Reads lists, an entry a cycle, job after job without a gap; the first step of a job follows
    it by 3 cycles.

    Parameters
    ----------
    alternates : bool
        Whether it never reads pairs of inputs in two cycles running, and rather leaves a gap.

    Members
    -------
    offers : whether a step is on offer
    last : whether it is its job's last
    meta : what its job carries along
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
        """Whether steps are on their way."""
        return self.offers or self._reading

    def uses(self, meta: Meta) -> bool:
        """Whether one of them carries `meta`."""
        return (self.offers and self.meta == meta) or (self._reading and self._read == meta)

    def ready(self, granted: bool) -> bool:
        """Whether a job is taken in this cycle, if `granted` says the step on offer is."""
        reads = granted or not (self.offers and self._reading)
        return not self._left or (self._left == 1 and reads and not self._waits)

    @property
    def _waits(self) -> bool:
        """Whether a pair would be read in the cycle after another one."""
        return self._alternates and self._before and self._first and self._left > 0

    def tick(
        self, granted: bool, count: int = 0, meta: Meta | None = None, pairs: bool = False
    ) -> None:
        """A cycle passes, a step `granted` or not; `count` entries, with `meta`, are taken.

        Of inputs the memory has `pairs`.
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
