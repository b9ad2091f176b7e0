# SPDX-License-Identifier: BSD-2-Clause

"""What the golden model sees inside a network: ranges of its numbers, and its tangents."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract.formats import VALUE_WIDTH
from ..contract.settings import PRUNE_OFF
from ..data.spread import Spread

GAPS = VALUE_WIDTH
"""Number of gaps that two mantissas of 16 bits can have: 0 to 15."""


@dataclass(frozen=True)
class LayerUse:
    """Numbers of one layer, over the inspected samples.

    Parameters
    ----------
    sums, values : Spread
        Pre-activations and values.
    updates : Spread
        Update scalars of the units. All are zero in a frozen layer.
    tangents : Spread or None
        Mantissas of the tangents that enter the layer, before pruning; None in the first layer.
    derivatives : tuple of float
        The 1st, 50th and 99th percentile of the largest derivative of each of these tangents, as a
        power of two; empty without tangents.
    active : float array (units,)
        Share of the samples in which the unit's slope is not zero.
    flat : float
        Share of the slopes below 1/16 of the activation's largest.
    """

    sums: Spread
    values: Spread
    updates: Spread
    tangents: Spread | None
    derivatives: tuple[float, ...]
    active: NDArray[np.float64]
    flat: float


@dataclass(frozen=True)
class Crossing:
    """Tangents of one hidden layer's units where they cross a later hidden layer.

    Parameters
    ----------
    tag_layer, layer : int
        Positions of the two layers, from 0.
    kept : float array (tags, units)
        Share of the samples in which an entry is not zero and is kept.
    gaps : int array (GAPS,)
        Number of nonzero entries by how many bits they are shorter than the largest of their
        tangent.
    prune : int
        p as in `Settings.prune`, of this inspection.
    """

    tag_layer: int
    layer: int
    kept: NDArray[np.float64]
    gaps: NDArray[np.int64]
    prune: int

    @property
    def nonzero(self) -> int:
        """Number of entries that are not zero before pruning."""
        return int(self.gaps.sum())

    def share(self, prune: int | None = None) -> float:
        """Return the share of the nonzero entries that the pruning setting keeps; 1 without any.

        An entry stays if it is shorter than the largest of its tangent by less than `prune` bits.
        For another setting than that of the inspection this is what it would keep of the same
        tangents.
        """
        p = self.prune if prune is None else prune
        if p == PRUNE_OFF or not self.nonzero:
            return 1.0
        return float(self.gaps[:p].sum()) / self.nonzero


@dataclass(frozen=True)
class Inspection:
    """What one pass of the golden model over samples shows.

    Parameters
    ----------
    samples : int
    layers : tuple of LayerUse
    crossings : tuple of Crossing
        For each hidden layer as the tags' own, the later hidden layers.
    """

    samples: int
    layers: tuple[LayerUse, ...]
    crossings: tuple[Crossing, ...]
