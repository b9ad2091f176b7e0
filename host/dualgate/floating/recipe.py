# SPDX-License-Identifier: BSD-2-Clause

"""Recipes for training in floating point, with any optimiser and any batch size."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..contract.errors import InputError
from ..contract.values import Whole, checked
from ..optim.optimisers import Optimiser
from ..optim.regularisation import Penalty, check_dropout


@dataclass(frozen=True)
class FloatRecipe:
    """Settings of a training run in floating point.

    Parameters
    ----------
    epochs, batch : int
        As in `dualgate.train.recipe.Recipe`; a batch may have any number of samples.
    optimiser : Optimiser
    penalty : Penalty or None
    dropout : float
        Share of the hidden units that is left out of each sample.
    class_weights : sequence of float or None
        See `Loss.weigh`.
    seed : int
        Seed of the order of samples and of dropout.

    Raises
    ------
    InputError
        For a value of another type, or a number out of range.
    """

    epochs: int
    batch: int
    optimiser: Optimiser
    penalty: Penalty | None = None
    dropout: float = 0.0
    class_weights: Sequence[float] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value, least in (
            ("epochs", self.epochs, 1),
            ("batch", self.batch, 1),
            ("seed", self.seed, 0),
        ):
            if checked(name, value, Whole) < least:
                raise InputError(f"{name} {value}: give {least} or more")
        check_dropout(self.dropout)
