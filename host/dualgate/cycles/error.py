# SPDX-License-Identifier: BSD-2-Clause

"""The error unit of the model: a sample at a time, for a time known beforehand."""


class ErrorUnit:
    """Takes samples in turn; see `Plan.error_cycles`.

    Parameters
    ----------
    cycles : int
        From taking a sample to offering it.

    Members
    -------
    sample : the one in work, or None
    busy : cycles spent on samples
    """

    __slots__ = ("_cycles", "_offers", "busy", "sample")

    def __init__(self, cycles: int) -> None:
        self._cycles = cycles
        self.sample: int | None = None
        self._offers = 0
        self.busy = 0

    def offers(self, now: int) -> bool:
        """Whether a sample is to be handed on."""
        return self.sample is not None and now >= self._offers

    def take(self, now: int, sample: int) -> None:
        """The sample of number `sample` comes in this cycle, `now`."""
        self.sample = sample
        self._offers = now + self._cycles
        self.busy += self._cycles

    def give(self) -> None:
        """The sample on offer leaves in this cycle."""
        self.sample = None
