"""Small parts that lanes are made of: the clock's appointments, the walker of lists."""

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


class Walker(Generic[Meta]):
    """Reads lists, an entry a cycle, job after job without a gap; the first step of a job follows
    it by 2 cycles.

    Members
    -------
    reading : whether a step is on offer
    last : whether it is its job's last
    meta : what its job carries along
    """

    __slots__ = ("_left", "_next", "last", "meta", "reading")

    def __init__(self) -> None:
        self._left = 0
        self._next: Meta | None = None
        self.reading = False
        self.last = False
        self.meta: Meta | None = None

    def ready(self, granted: bool) -> bool:
        """Whether a job is taken in this cycle, if `granted` says the step on offer is."""
        return not self._left or (self._left == 1 and (granted or not self.reading))

    def tick(self, granted: bool, count: int = 0, meta: Meta | None = None) -> None:
        """A cycle passes, a read `granted` or not; `count` entries, with `meta`, are taken."""
        if granted or not self.reading:
            self.reading = self._left > 0
            if self.reading:
                self.last = self._left == 1
                self.meta = self._next
                self._left -= 1
        if count:
            self._left = count
            self._next = meta
