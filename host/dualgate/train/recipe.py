# SPDX-License-Identifier: BSD-2-Clause

"""Recipes: how a network is trained, on any device."""

from dataclasses import dataclass

from ..contract.errors import InputError
from ..contract.formats import MAX_BATCH
from ..contract.settings import PRUNE_OFF, checked_prune
from ..contract.values import Count, Name, NameOrNone, Number, Positives, Seed, Whole, check_fields
from ..optim.initialisers import check_initialiser
from ..optim.optimisers import Optimiser, find_optimiser
from ..optim.regularisation import Penalty, check_dropout
from ..optim.schedules import CONSTANT, Schedule, parse_schedule

LR_MIN, LR_MAX = 1e-9, 1e6
"""Range of learning rates. It is far wider than useful rates, and inside it the arithmetic of
`make_settings` does not overflow before its own checks."""

PENALTY_MAX = 1e6
"""Largest L1 or L2, with which no optimiser leaves the range of floating point."""

ON_CHIP = ("sgd", "momentum")
"""Optimisers that the engine runs itself; for the others the host reads the gradient."""

SEED_BITS = 128
"""Largest seed, which is as much as `secrets.randbits` is usually asked for."""

WITH_MOMENTUM = ("momentum", "nesterov")
"""Optimisers that take the recipe's momentum."""


@dataclass(frozen=True)
class Method:
    """A recipe's rules for moving the weights, for epochs of a known number of batches.

    Parameters
    ----------
    rate : float or Schedule
        Learning rate, as a function of the batches done.
    optimiser : Optimiser
        With that rate.
    penalty : Penalty
        L1 and L2 on the weights.
    """

    rate: float | Schedule
    optimiser: Optimiser
    penalty: Penalty


@dataclass(frozen=True)
class Recipe:
    """Settings of a training run, beside its network and data.

    Parameters
    ----------
    epochs : int
    batch : int
        Largest number of samples in a batch. The batches of an epoch differ by one sample at most.
    lr, momentum : float
        Learning rate at the start; momentum for the optimisers that have one.
    prune : int
        p as in `Settings.prune`.
    seed : int
        Seed of the initial weights, the order of the samples, the shifts and dropout.
    optimiser : str
        A key of `optim.optimisers.OPTIMISERS`. ``momentum`` with a momentum of 0 is plain SGD.
    schedule : str
        See `optim.schedules.parse_schedule`.
    l1, l2 : float
        See `optim.regularisation.Penalty`.
    dropout : float
        Share of the hidden units that is left out of each sample; see `dualgate.train.dropout`.
    class_weights : sequence of float
        Weight of the samples of each class, above 0; empty if all classes have the same weight.
        Not for ``bce`` with several outputs, where a weight would belong to an output instead of a
        sample.
    shift : int
        Largest distance, in pixels along each axis, by which square images are moved at random in
        every epoch.
    patience : int
        Number of epochs without a lower held-out loss after which the run ends and the best
        weights are restored; 0 for no early stopping.
    initialiser : str or None
        See `optim.initialisers.initial_weights`.

    Raises
    ------
    InputError
        For a value of another type, a number out of range, or an unknown name.
    """

    epochs: Whole
    batch: Whole
    lr: Number
    momentum: Number = 0.0
    prune: Whole = PRUNE_OFF
    seed: Seed = 0
    optimiser: Name = "momentum"
    schedule: Name = CONSTANT
    l1: Number = 0.0
    l2: Number = 0.0
    dropout: Number = 0.0
    class_weights: Positives = ()
    shift: Count = 0
    patience: Count = 0
    initialiser: NameOrNone = None

    def __post_init__(self) -> None:
        check_fields(self)
        if self.epochs < 1:
            raise InputError(f"{self.epochs} epochs: give at least 1")
        if not 1 <= self.batch <= MAX_BATCH:
            raise InputError(f"batch of {self.batch}: give 1 to {MAX_BATCH} samples")
        if not LR_MIN <= self.lr <= LR_MAX:
            raise InputError(
                f"learning rate {self.lr}: give a number from {LR_MIN:g} to {LR_MAX:g}"
            )
        checked_prune(self.prune)
        if self.seed.bit_length() > SEED_BITS:
            raise InputError(f"a seed of {self.seed.bit_length()} bits: give {SEED_BITS} at most")
        find_optimiser(self.optimiser)
        if self.momentum and self.optimiser not in WITH_MOMENTUM:
            raise InputError(f"momentum {self.momentum}: {self.optimiser} has none; leave it 0")
        check_dropout(self.dropout)
        check_initialiser(self.initialiser)
        for name, value in (("L1", self.l1), ("L2", self.l2)):
            if value > PENALTY_MAX:
                raise InputError(f"{name} penalty {value:g}: give {PENALTY_MAX:g} at most")
        self.method(1)  # raises for a bad schedule, penalty or momentum

    @property
    def on_chip(self) -> bool:
        """Whether the engine moves the weights; for a penalty the host must."""
        return self.optimiser in ON_CHIP and not (self.l1 or self.l2)

    def batches(self, samples: int) -> int:
        """Return the number of batches in an epoch of so many `samples`."""
        return -(-samples // self.batch)

    def method(self, epoch: int) -> Method:
        """Parse schedule, optimiser and penalty; call it once a run.

        Parameters
        ----------
        epoch : int
            Batches in an epoch.
        """
        rate = parse_schedule(self.schedule, self.lr, epoch)
        more = {"momentum": self.momentum} if self.optimiser in WITH_MOMENTUM else {}
        optimiser = find_optimiser(self.optimiser)(rate, **more)
        return Method(rate, optimiser, Penalty(self.l1, self.l2))
