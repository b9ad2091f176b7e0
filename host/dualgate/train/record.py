# SPDX-License-Identifier: BSD-2-Clause

"""What a run counts: a record of every epoch, and a tally of the one that is under way."""

from dataclasses import dataclass

from ..devices import Counters


@dataclass(frozen=True)
class Record:
    """One epoch.

    Parameters
    ----------
    epoch : int
        From 1.
    loss, accuracy : float
        Of the training samples, each measured before its batch moved the weights. An accuracy is
        None where samples have no classes.
    held_out_loss, held_out_accuracy : float or None
        After the epoch; None without held-out samples.
    samples_per_s : float
        Training only.
    cycles_per_sample : float or None
        Of the engine, training only; None where the device has no clock.
    kept_fraction : float
        Share of the tangents crossing hidden layers that was kept.
    saturations : int
        Everything clipped, in training and measuring.
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
    """What an epoch has counted so far, in training.

    Parameters
    ----------
    loss : float
        Sum over the samples.
    right : int
        Samples answered with the right class.
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
