# SPDX-License-Identifier: BSD-2-Clause

"""Cycles of backpropagation on the same multipliers: the yardsticks of the benchmark."""

from dataclasses import dataclass

import numpy as np

from ..contract.engine import EngineParameters
from ..contract.network import Network
from .activity import Activity, per_word


def dense_backprop(network: Network, multipliers: int) -> float:
    """Count the cycles a sample of dense backpropagation with all multipliers always busy.

    Each weight is multiplied once for the values and once for its gradient. Each weight after the
    first layer is multiplied once more, for the errors of the layer before. The result is
    ``(2 * weights + weights after the first layer) / multipliers``. Biases, slopes and the batch's
    end are not counted.

    Parameters
    ----------
    network : Network
    multipliers : int
    """
    weights = [layer.inputs * layer.outputs for layer in network.layers]
    return (2 * sum(weights) + sum(weights[1:])) / multipliers


@dataclass(frozen=True)
class SparseBackprop:
    """Cycles of backpropagation that skips zeros, on lanes like the engine's that never wait.

    Parameters
    ----------
    value : float
        Rows a sample that compute values, as in the engine's value lane: the sum over layers of
        groups * (nonzero inputs + bias).
    transposed : float
        Rows a sample of transposed products: the sum over layers after the first of units whose
        dL/dz is nonzero * groups of the layer before. They need a memory that also reads weights
        by columns, which the engine does not have.
    update : float
        Rows a sample of updates, as in the engine's update lane: the sum over layers of
        (nonzero inputs + bias) * groups that have a nonzero dL/dz.
    batch_end : float
        Cycles of the batch's end divided by the samples; the same as the engine's.
    arrays : int
        Number of MAC arrays of a core, as many as the engine has.
    shared : bool
        Whether each array takes rows of any kind, as in an engine whose lanes share an array.
        Otherwise each kind has its own, and each array beyond three takes a part of the kind that
        is the slowest without it.
    cores : int
        Number of cores, which work in parallel on different samples.
    """

    value: float
    transposed: float
    update: float
    batch_end: float
    arrays: int
    shared: bool
    cores: int

    @property
    def rows(self) -> float:
        """Cycles a sample without the batch's end.

        All rows count if the arrays are shared, otherwise those of the slowest kind.
        """
        kinds = (self.value, self.transposed, self.update)
        if self.shared:
            return sum(kinds) / self.arrays / self.cores
        arrays = [1] * len(kinds)
        for _ in range(self.arrays - len(kinds)):
            arrays[int(np.argmax(np.divide(kinds, arrays)))] += 1
        return float(np.divide(kinds, arrays).max()) / self.cores

    @property
    def cycles(self) -> float:
        """Cycles a sample, including the batch's end."""
        return self.rows + self.batch_end


def sparse_backprop(
    network: Network, engine: EngineParameters, activity: Activity, batch_end: int
) -> SparseBackprop:
    """Count the rows of backpropagation with the nonzeros of a batch.

    Parameters
    ----------
    network : Network
    engine : EngineParameters
    activity : Activity
        A unit's dL/dz is taken to be nonzero if its update scalar is nonzero.
    batch_end : int
        Cycles of the engine's batch end.
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
        engine.arrays + engine.tangent_lanes - 1,
        engine.arrays == 1,
        engine.cores,
    )
