# SPDX-License-Identifier: BSD-2-Clause

"""Learning-rate schedules: the rate as a function of the number of batches so far.

A plain number is a constant rate. The unit of `every` is batches; for a schedule in epochs, give
the number of batches in an epoch.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from ..contract.errors import InputError
from ..contract.values import Number, Whole, checked

Schedule = Callable[[int], float]
"""Number of batches so far, from 0 -> learning rate of the next batch."""


@dataclass(frozen=True)
class _Falling:
    """A learning rate that begins at `first` and decreases.

    Parameters
    ----------
    first : float
        Rate of the first batch, above 0.
    factor : float
        Parameter of the formula of the schedule, 0 or more.
    every : int
        Number of batches in one step of the formula, 1 or more.

    Raises
    ------
    InputError
        For a number out of range.
    """

    first: float
    factor: float
    every: int = 1

    def __post_init__(self) -> None:
        check_rate(self.first)
        if not 0 <= checked("factor", self.factor, Number) < math.inf:
            raise InputError(f"factor {self.factor} of a schedule: give a number of 0 or more")
        if checked("every", self.every, Whole) < 1:
            raise InputError(f"schedule with a step every {self.every} batches: give 1 or more")


class InverseTime(_Falling):
    """``first / (1 + factor * steps)``."""

    def __call__(self, batches: int) -> float:
        """Return the rate after `batches` batches."""
        return self.first / (1.0 + self.factor * batches / self.every)


class InverseRoot(_Falling):
    """``first / sqrt(1 + factor * steps)``."""

    def __call__(self, batches: int) -> float:
        """Return the rate after `batches` batches."""
        return self.first / math.sqrt(1.0 + self.factor * batches / self.every)


class Exponential(_Falling):
    """``first * factor ** steps``, with fractional steps, so that the rate changes every batch."""

    def __call__(self, batches: int) -> float:
        """Return the rate after `batches` batches."""
        return float(self.first * self.factor ** (batches / self.every))


class Staircase(_Falling):
    """``first * factor ** steps``, with whole steps only."""

    def __call__(self, batches: int) -> float:
        """Return the rate after `batches` batches."""
        return float(self.first * self.factor ** (batches // self.every))


SCHEDULES: dict[str, Callable[[float, float, int], Schedule]] = {
    "inverse-time": InverseTime,
    "inverse-root": InverseRoot,
    "exponential": Exponential,
    "staircase": Staircase,
}

CONSTANT = "constant"


def parse_schedule(text: str, first: float, epoch: int) -> float | Schedule:
    """Parse ``constant`` or ``NAME:FACTOR[:EPOCHS]``, for instance ``staircase:0.5:10``.

    Parameters
    ----------
    text : str
        A key of `SCHEDULES`, its factor, and the number of epochs in one step, by default 1.
    first : float
        Rate of the first batch.
    epoch : int
        Number of batches in an epoch.

    Raises
    ------
    InputError
        For any other text, or numbers out of range.
    """
    if text == CONSTANT:
        return first
    name, *numbers = text.split(":")
    try:
        factor, every = (float(number) for number in (*numbers, "1")[:2])
        if name not in SCHEDULES or len(numbers) not in (1, 2) or not 0 < every < math.inf:
            raise ValueError
    except ValueError:
        raise InputError(
            f"schedule {text!r}: give {CONSTANT} or NAME:FACTOR[:EPOCHS] with a name of "
            f"{', '.join(SCHEDULES)}, such as staircase:0.5:10"
        ) from None
    return SCHEDULES[name](first, factor, max(1, round(every * epoch)))


def rate_of(lr: float | Schedule, batches: int) -> float:
    """Return the rate of `lr`, a schedule or a constant, after `batches` batches.

    Raises
    ------
    InputError
        For a schedule that has grown beyond all numbers by then.
    """
    try:
        rate = float(lr(batches) if callable(lr) else lr)
    except OverflowError:
        rate = math.inf
    if rate == math.inf:
        raise InputError(
            f"the learning rate grows beyond all numbers within {batches} batches; lower the "
            "factor of its schedule"
        )
    return rate


def check_rate(lr: float | Schedule) -> None:
    """Raise `InputError` for a constant rate that is not a positive number."""
    if not callable(lr) and not 0 < checked("learning rate", lr, Number) < math.inf:
        raise InputError(f"learning rate {lr}: give a number above 0")
