# SPDX-License-Identifier: BSD-2-Clause

"""Measurements of a run: a record of each finished epoch, and a tally of the current one."""

from dataclasses import dataclass

from ..contract.values import Amount, Count, Positive, Real, Share
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
    part_losses : tuple of float
        Mean loss of the last `stream.TAIL` samples of each part of a stream; empty without parts.
    """

    epoch: Count
    loss: Real
    accuracy: Share | None
    held_out_loss: Real | None
    held_out_accuracy: Share | None
    samples_per_s: Positive
    cycles_per_sample: Amount | None
    kept_fraction: Share
    saturations: Count
    part_losses: tuple[Real, ...] = ()


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
    parts : tuple of float
        Sum of the losses at the end of each part of a stream.
    """

    loss: Real = 0.0
    right: Count = 0
    seconds: Amount = 0.0
    counters: Counters = Counters()  # noqa: RUF009 - it is frozen
    parts: tuple[Real, ...] = ()
