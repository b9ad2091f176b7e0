# SPDX-License-Identifier: BSD-2-Clause

"""Weight updates: the step after a batch, by the engine or by an optimiser on the host.

Either way, the device sees the same samples and returns the same outputs. The engine computes SGD
and momentum. For other optimisers it leaves the gradient of the batch in the velocity. The host
reads that gradient, computes new weights in float64 with an `optim.optimisers.Optimiser` and a
`Penalty`, rounds them to master weights and writes them back. The gradient consists of integers, so
that every device arrives at the same weights.
"""

from collections.abc import Sequence

from ...contract.network import Network
from ..recipe import Recipe
from .base import WeightUpdate
from .on_chip import OnChip
from .on_host import OnHost

__all__ = ["WeightUpdate", "weight_update"]


def weight_update(
    network: Network, recipe: Recipe, epoch: int, sizes: set[int], weights: Sequence[float] = ()
) -> WeightUpdate:
    """Make the weight update that a recipe asks for; for the parameters see `OnChip`."""
    if recipe.on_chip:
        return OnChip(network, recipe, epoch, sizes, weights)
    return OnHost(network, recipe, epoch, weights)
