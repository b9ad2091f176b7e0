# SPDX-License-Identifier: BSD-2-Clause

"""Dynamic pruning of whole batches of tangents; the policies of `dualgate.floating.dual.pruning`.

A policy gets the tangents that reach a hidden layer, (tags, units, samples), and the layer's own
seeds g'(z), (units, samples), or None where the layer is frozen. It returns both with entries set
to zero; it may overwrite the tangents and must not overwrite the seeds.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.settings import PRUNE_OFF, checked_prune
from .kernels import Kernels

Floats = NDArray[np.floating[Any]]
Seeds = Floats | None


def check_count(count: int) -> None:
    """Raise `InputError` unless `count` is a number of tangents that can be kept."""
    if count < 1:
        raise InputError(f"{count} tangents to keep: give at least 1")


class Policy(Protocol):
    """The interface of pruning policies; see the module."""

    def __call__(self, kernels: Kernels, tangents: Floats, seeds: Seeds) -> tuple[Floats, Seeds]:
        """Prune the tangents at a layer and its seeds."""


@dataclass(frozen=True)
class RelativePerTag:
    """Drop tangents far below the largest of their tag in the layer, by the engine's rule.

    Parameters
    ----------
    setting : int
        p: with ``2**(e - 1) <= largest < 2**e``, a tangent below ``2**(e - p)`` is dropped.
        `PRUNE_OFF` keeps all. A seed is the only entry of its tag and is always kept.

    Raises
    ------
    InputError
        For a setting out of 1 to `PRUNE_OFF`.
    """

    setting: int = PRUNE_OFF

    def __post_init__(self) -> None:
        checked_prune(self.setting)

    def __call__(self, kernels: Kernels, tangents: Floats, seeds: Seeds) -> tuple[Floats, Seeds]:
        """Prune."""
        if self.setting != PRUNE_OFF:
            kernels.drop_small(tangents, self.setting)
        return tangents, seeds


keep_all = RelativePerTag()
"""No pruning: the gradient is exact."""


@dataclass(frozen=True)
class LargestPerNumber:
    """Keep the `count` largest tangents of each unit; among equal ones, the oldest tags.

    The unit's own seed competes with the rest.

    Raises
    ------
    InputError
        For a count below 1.
    """

    count: int

    def __post_init__(self) -> None:
        check_count(self.count)

    def __call__(self, kernels: Kernels, tangents: Floats, seeds: Seeds) -> tuple[Floats, Seeds]:
        """Prune."""
        rows = _with_seeds(tangents, seeds)
        if len(rows) > self.count:
            kernels.drop_lowest(rows, np.abs(rows), self.count)
        return _apart(rows, seeds)


@dataclass(frozen=True)
class RandomPerNumber:
    """Keep `count` random nonzero tangents of each unit.

    Parameters
    ----------
    count : int
    seed : int
        Seed of the random numbers, which continue from batch to batch.

    Raises
    ------
    InputError
        For a count below 1.
    """

    count: int
    seed: int = 0
    _random: np.random.Generator = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_count(self.count)
        object.__setattr__(self, "_random", np.random.default_rng(self.seed))

    def __call__(self, kernels: Kernels, tangents: Floats, seeds: Seeds) -> tuple[Floats, Seeds]:
        """Prune."""
        rows = _with_seeds(tangents, seeds)
        if len(rows) > self.count:
            lots = 1.0 - self._random.random(rows.shape, rows.dtype.type)
            kernels.drop_lowest(rows, lots * (rows != 0), self.count)
        return _apart(rows, seeds)


def _with_seeds(tangents: Floats, seeds: Seeds) -> Floats:
    """Append the seeds as one row of tangents: a seed is the only nonzero tangent of its tag."""
    return tangents if seeds is None else np.concatenate((tangents, seeds[None]))


def _apart(rows: Floats, seeds: Seeds) -> tuple[Floats, Seeds]:
    return (rows, None) if seeds is None else (rows[:-1], rows[-1])
