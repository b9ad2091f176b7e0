# SPDX-License-Identifier: BSD-2-Clause

"""Measurements of a run: a record of each finished epoch, and a tally of the current one."""

from dataclasses import dataclass

from ..devices import Counters


@dataclass(frozen=True)
class Record:
    """Measurements of one epoch.

    Parameters
    ----------
    epoch : int
        Number of the epoch, from 1.
    loss, accuracy : float
        Of the training samples, each measured before its batch moved the weights. The accuracy is
        None if samples have no classes.
    held_out_loss, held_out_accuracy : float or None
        After the epoch; None without held-out samples.
    samples_per_s : float
        Samples per second, for training alone.
    cycles_per_sample : float or None
        Clock cycles of the engine, for training alone; None if the device has no clock.
    kept_fraction : float
        Share of the tangents that crossed hidden layers and were kept.
    saturations : int
        Number of clipped values, in training and measuring.
    """

    epoch: int
    loss: float
    accuracy: float | None
    held_out_loss: float | None
    held_out_accuracy: float | None
    samples_per_s: float
    cycles_per_sample: float | None
    kept_fraction: float
    saturations: int


@dataclass(frozen=True)
class Tally:
    """Totals of the current epoch so far, for training alone.

    Parameters
    ----------
    loss : float
        Sum of the losses of the samples.
    right : int
        Number of samples whose class was predicted correctly.
    seconds : float
    counters : Counters
    """

    loss: float = 0.0
    right: int = 0
    seconds: float = 0.0
    counters: Counters = Counters()  # noqa: RUF009 - it is frozen


def add(one: Counters, other: Counters) -> Counters:
    """The sum of the counts `one` and `other`."""
    return one - (Counters() - other)
