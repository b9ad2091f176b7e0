# SPDX-License-Identifier: BSD-2-Clause

"""Data sets: samples to train on and samples to measure with, and what is known of them."""

from dataclasses import dataclass

from .answers import Answers
from .preparation import Preparation
from .samples import Samples


@dataclass(frozen=True)
class Dataset:
    """Samples to train on, and held-out samples to measure with.

    Parameters
    ----------
    train, held_out : Samples
    preparation : Preparation or None
        How inputs were made, so that others can be made like them; None if that is not known.
    answers : Answers or None
        What outputs stand for; None if that is not known.
    notes : tuple of str
        What the user should know of the data, a line each.
    """

    train: Samples
    held_out: Samples
    preparation: Preparation | None = None
    answers: Answers | None = None
    notes: tuple[str, ...] = ()
