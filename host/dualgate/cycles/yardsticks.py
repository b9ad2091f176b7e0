# SPDX-License-Identifier: BSD-2-Clause

"""What backpropagation would take on the same multipliers: the yardsticks of the benchmark."""

from dataclasses import dataclass

import numpy as np

from ..contract.engine import EngineParameters
from ..contract.network import Network
from .activity import Activity, per_word


def dense_backprop(network: Network, multipliers: int) -> float:
    """Cycles a sample of dense backpropagation whose multipliers are busy in every cycle.

    Each weight is multiplied once for the values and once for its gradient, and those after the
    first layer once more for the errors of the layer before: ``(2 * weights + weights after the
    first layer) / multipliers``. Biases, slopes and the batch's end are free.

    Parameters
    ----------
    network : Network
    multipliers : int
    """
    weights = [layer.inputs * layer.outputs for layer in network.layers]
    return (2 * sum(weights) + sum(weights[1:])) / multipliers


@dataclass(frozen=True)
class SparseBackprop:
    """Backpropagation that skips zeros, on lanes like the engine's, never waiting.

    Parameters
    ----------
    value : float
        Rows a sample, as the engine's value lane: groups of each layer * (nonzero inputs + bias).
    transposed : float
        For each layer after the first, units whose dL/dz is not zero * groups of the layer before.
        It needs a memory that gives weights by columns too, which the engine does not have.
    update : float
        As the engine's update lane: (nonzero inputs + bias) * groups with a dL/dz not zero.
    batch_end : float
        Cycles a sample of the batch's end, the same as the engine's.
    arrays : int
        With 3, each of the rows has an array of its own; with 1 they share it.
    cores : int
        As many work side by side, on samples of their own.
    """

    value: float
    transposed: float
    update: float
    batch_end: float
    arrays: int
    cores: int

    @property
    def rows(self) -> float:
        """Cycles a sample without the batch's end: all rows, or those of the slowest lane."""
        parts = (self.value, self.transposed, self.update)
        return (sum(parts) if self.arrays == 1 else max(parts)) / self.cores

    @property
    def cycles(self) -> float:
        """Cycles a sample."""
        return self.rows + self.batch_end


def sparse_backprop(
    network: Network, engine: EngineParameters, activity: Activity, batch_end: int
) -> SparseBackprop:
    """Rows of backpropagation with the nonzeros of a batch.

    Parameters
    ----------
    network : Network
    engine : EngineParameters
    activity : Activity
        Which dL/dz are not zero is taken from the update scalars.
    batch_end : int
        Cycles of the batch's end.
    """
    counts = activity.inputs + 1
    groups = np.array([engine.groups_of(layer) for layer in network.layers])
    transposed = update = 0
    for index, flags in enumerate(activity.updates):
        wanted = per_word(flags, engine.neurons) > 0
        update += int((wanted.sum(axis=1) * counts[:, index]).sum())
        if index:
            transposed += int(flags.sum()) * int(groups[index - 1])
    samples = activity.samples
    return SparseBackprop(
        float((counts * groups).sum()) / samples,
        transposed / samples,
        update / samples,
        batch_end / samples,
        engine.arrays,
        engine.cores,
    )
