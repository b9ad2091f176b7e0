# SPDX-License-Identifier: BSD-2-Clause

"""The error unit of the model: one sample at a time, for a fixed number of cycles."""


class ErrorUnit:
    """Hold one sample at a time for the cycles that `Plan.error_cycles` gives.

    Parameters
    ----------
    cycles : int
        Cycles from taking a sample to offering it to the tangent lane.

    Members
    -------
    sample : int or None
        The sample in progress.
    busy : int
        Cycles spent on samples so far.
    """

    __slots__ = ("_cycles", "_offers", "busy", "sample")

    def __init__(self, cycles: int) -> None:
        self._cycles = cycles
        self.sample: int | None = None
        self._offers = 0
        self.busy = 0

    def offers(self, now: int) -> bool:
        """Whether a sample is offered to the tangent lane."""
        return self.sample is not None and now >= self._offers

    def take(self, now: int, sample: int) -> None:
        """Take sample number `sample` in the current cycle, `now`."""
        self.sample = sample
        self._offers = now + self._cycles
        self.busy += self._cycles

    def give(self) -> None:
        """Release the offered sample to the tangent lane in this cycle."""
        self.sample = None
