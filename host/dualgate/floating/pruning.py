# SPDX-License-Identifier: BSD-2-Clause

"""Dynamic pruning of whole batches of tangents; the policies of `dualgate.floating.dual.pruning`.

A policy gets the tangents that reach a hidden layer, (tags, units, samples), and the layer's own
births g'(z), (units, samples), or None where the layer is frozen. It returns both with entries set
to zero; it may overwrite the tangents and must not overwrite the births.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..contract.settings import PRUNE_OFF
from .dual.pruning import check_count, check_setting
from .kernels import Kernels

Floats = NDArray[np.floating[Any]]
Births = Floats | None


class Policy(Protocol):
    """What prunes; see the module."""

    def __call__(self, kernels: Kernels, tangents: Floats, births: Births) -> tuple[Floats, Births]:
        """Prune the tangents at a layer, and its births."""


@dataclass(frozen=True)
class RelativePerTag:
    """Drop a tag's tangents that are far below its largest in the layer; the engine's rule.

    Parameters
    ----------
    setting : int
        p: with ``2**(e - 1) <= largest < 2**e``, a tangent below ``2**(e - p)`` is dropped.
        `PRUNE_OFF` keeps all. A birth is the only entry of its tag and always stays.

    Raises
    ------
    InputError
        For a setting out of 1 to `PRUNE_OFF`.
    """

    setting: int = PRUNE_OFF

    def __post_init__(self) -> None:
        check_setting(self.setting)

    def __call__(self, kernels: Kernels, tangents: Floats, births: Births) -> tuple[Floats, Births]:
        """Prune."""
        if self.setting != PRUNE_OFF:
            kernels.drop_small(tangents, self.setting)
        return tangents, births


keep_all = RelativePerTag()
"""No pruning: the gradient is exact."""


@dataclass(frozen=True)
class LargestPerNumber:
    """Keep the `count` tangents of largest magnitude of each unit; of equals, the oldest tags.

    The unit's own birth competes with the rest.

    Raises
    ------
    InputError
        For a count below 1.
    """

    count: int

    def __post_init__(self) -> None:
        check_count(self.count)

    def __call__(self, kernels: Kernels, tangents: Floats, births: Births) -> tuple[Floats, Births]:
        """Prune."""
        rows = _with_births(tangents, births)
        if len(rows) > self.count:
            kernels.drop_lowest(rows, np.abs(rows), self.count)
        return _apart(rows, births)


@dataclass(frozen=True)
class RandomPerNumber:
    """Keep `count` tangents of each unit, chosen by chance among those that are not zero.

    Parameters
    ----------
    count : int
    seed : int
        Every batch draws on from here.

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

    def __call__(self, kernels: Kernels, tangents: Floats, births: Births) -> tuple[Floats, Births]:
        """Prune."""
        rows = _with_births(tangents, births)
        if len(rows) > self.count:
            lots = 1.0 - self._random.random(rows.shape, rows.dtype.type)
            kernels.drop_lowest(rows, lots * (rows != 0), self.count)
        return _apart(rows, births)


def _with_births(tangents: Floats, births: Births) -> Floats:
    """A unit's births as one more row of tangents: it has the only nonzero one of its tag."""
    return tangents if births is None else np.concatenate((tangents, births[None]))


def _apart(rows: Floats, births: Births) -> tuple[Floats, Births]:
    return (rows, None) if births is None else (rows[:-1], rows[-1])
