"""A recipe: how a network is to be trained, on whatever device."""

from dataclasses import dataclass

from .errors import InputError
from .formats import MAX_BATCH
from .settings import PRUNE_OFF

LR_MIN, LR_MAX = 1e-9, 1e6
"""Far beyond use; within, no arithmetic of settings overflows before it is checked."""


@dataclass(frozen=True)
class Recipe:
    """What a training run needs beside a network and data.

    Parameters
    ----------
    epochs : int
    batch : int
        Most samples in a batch; an epoch is divided into batches as equal as can be.
    lr, momentum : float
    prune : int
        p as in `Settings.prune`.
    seed : int
        Of the first weights and of the order of the samples.

    Raises
    ------
    InputError
        For a number out of range. Momentum and pruning are checked by `make_settings`, which
        knows their formats.
    """

    epochs: int
    batch: int
    lr: float
    momentum: float = 0.0
    prune: int = PRUNE_OFF
    seed: int = 0

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise InputError(f"{self.epochs} epochs: give at least 1")
        if not 1 <= self.batch <= MAX_BATCH:
            raise InputError(f"batch of {self.batch}: give 1 to {MAX_BATCH} samples")
        if not LR_MIN <= self.lr <= LR_MAX:
            raise InputError(
                f"learning rate {self.lr}: give a number from {LR_MIN:g} to {LR_MAX:g}"
            )
        if self.seed < 0:
            raise InputError(f"seed {self.seed}: give 0 or more")
