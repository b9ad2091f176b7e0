# SPDX-License-Identifier: BSD-2-Clause

"""The error unit of the model: a pipeline that takes a sample at a fixed pace."""

from collections import deque


class ErrorUnit:
    """Take samples at the pace of `Plan.error_pace`, and offer each after `Plan.error_cycles`.

    Finished samples wait in a queue until the tangent lane takes them; it is never full.

    Parameters
    ----------
    pace : int
        Cycles from taking a sample to taking the next one, at least.
    cycles : int
        Cycles from taking a sample to offering it to the tangent lane.

    Members
    -------
    busy : int
        Cycles spent on samples so far, `pace` for each.
    """

    __slots__ = ("_cycles", "_free", "_pace", "_samples", "busy")

    def __init__(self, pace: int, cycles: int) -> None:
        self._pace = pace
        self._cycles = cycles
        self._samples: deque[tuple[int, int]] = deque()
        self._free = 0
        self.busy = 0

    def takes(self, now: int) -> bool:
        """Whether a sample can enter."""
        return now >= self._free

    def offers(self, now: int) -> bool:
        """Whether the oldest sample is offered to the tangent lane."""
        return bool(self._samples) and now >= self._samples[0][0]

    def take(self, now: int, sample: int) -> None:
        """Take sample number `sample` in the current cycle, `now`."""
        self._samples.append((now + self._cycles, sample))
        self._free = now + self._pace
        self.busy += self._pace

    def give(self) -> int:
        """Release the oldest sample in this cycle, and return its number."""
        return self._samples.popleft()[1]
