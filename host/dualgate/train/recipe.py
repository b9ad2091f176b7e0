# SPDX-License-Identifier: BSD-2-Clause

"""A recipe: how a network is to be trained, on whatever device."""

import math
from dataclasses import dataclass

from ..contract.errors import InputError
from ..contract.formats import MAX_BATCH
from ..contract.settings import PRUNE_OFF
from ..optim.initialisers import check_initialiser
from ..optim.optimisers import Optimiser, find_optimiser
from ..optim.regularisation import Penalty, check_dropout
from ..optim.schedules import CONSTANT, Schedule, parse_schedule

LR_MIN, LR_MAX = 1e-9, 1e6
"""Far beyond use; within, no arithmetic of settings overflows before it is checked."""

ON_CHIP = ("sgd", "momentum")
"""Optimisers that the engine runs itself; for the others it returns the gradient."""

WITH_MOMENTUM = ("momentum", "nesterov")


@dataclass(frozen=True)
class Recipe:
    """What a training run needs beside a network and data.

    Parameters
    ----------
    epochs : int
    batch : int
        Most samples in a batch; an epoch is divided into batches as equal as can be.
    lr, momentum : float
        Learning rate at the start; momentum for the optimisers that have one.
    prune : int
        p as in `Settings.prune`.
    seed : int
        Of the first weights, of the order of the samples, of shifts and of dropout.
    optimiser : str
        A key of `floating.optimisers.OPTIMISERS`. ``momentum`` with a momentum of 0 is plain SGD.
    schedule : str
        See `floating.schedules.parse_schedule`.
    l1, l2 : float
        See `floating.regularisation.Penalty`.
    dropout : float
        Share of the hidden units that is left out of each sample, see `dualgate.train.dropout`.
    class_weights : sequence of float
        How much the samples of each class count, above 0; empty where all count alike. Not for
        ``bce`` with several outputs, where the weights would be of outputs and not of samples.
    shift : int
        Square images move by up to so many pixels either way, by chance, in every epoch.
    patience : int
        Epochs without a lower held-out loss that end the run, whose best weights are then put
        back; 0 for no early stopping.
    initialiser : str or None
        See `initialisers.initial_weights`.

    Raises
    ------
    InputError
        For a number out of range or an unknown name. Momentum and pruning are checked by
        `make_settings`, which knows their formats.
    """

    epochs: int
    batch: int
    lr: float
    momentum: float = 0.0
    prune: int = PRUNE_OFF
    seed: int = 0
    optimiser: str = "momentum"
    schedule: str = CONSTANT
    l1: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    class_weights: tuple[float, ...] = ()
    shift: int = 0
    patience: int = 0
    initialiser: str | None = None

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise InputError(f"{self.epochs} epochs: give at least 1")
        if not 1 <= self.batch <= MAX_BATCH:
            raise InputError(f"batch of {self.batch}: give 1 to {MAX_BATCH} samples")
        if not LR_MIN <= self.lr <= LR_MAX:
            raise InputError(
                f"learning rate {self.lr}: give a number from {LR_MIN:g} to {LR_MAX:g}"
            )
        for name, value in (
            ("seed", self.seed),
            ("shift", self.shift),
            ("patience", self.patience),
        ):
            if value < 0:
                raise InputError(f"{name} {value}: give 0 or more")
        object.__setattr__(self, "class_weights", tuple(float(w) for w in self.class_weights))
        if not all(math.isfinite(w) and w > 0 for w in self.class_weights):
            raise InputError(f"class weights {self.class_weights}: give numbers above 0")
        find_optimiser(self.optimiser)
        if self.momentum and self.optimiser not in WITH_MOMENTUM:
            raise InputError(f"momentum {self.momentum}: {self.optimiser} has none; leave it 0")
        self.penalty  # noqa: B018 - raises for a bad one
        check_dropout(self.dropout)
        parse_schedule(self.schedule, self.lr, 1)
        check_initialiser(self.initialiser)

    @property
    def penalty(self) -> Penalty:
        """L1 and L2 on the weights."""
        return Penalty(self.l1, self.l2)

    @property
    def on_chip(self) -> bool:
        """Whether the engine moves the weights itself; a penalty needs the host."""
        return self.optimiser in ON_CHIP and not (self.l1 or self.l2)

    def rate(self, epoch: int) -> float | Schedule:
        """The learning rate, for epochs of so many batches."""
        return parse_schedule(self.schedule, self.lr, epoch)

    def host_optimiser(self, epoch: int) -> Optimiser:
        """The optimiser as the host runs it, for epochs of so many batches."""
        more = {"momentum": self.momentum} if self.optimiser in WITH_MOMENTUM else {}
        return find_optimiser(self.optimiser)(self.rate(epoch), **more)
