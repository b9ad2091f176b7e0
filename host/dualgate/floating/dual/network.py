# SPDX-License-Identifier: BSD-2-Clause

"""A multilayer perceptron in plain Python on `Dual` numbers, which other models vectorise.

Tags are units and not weights: a unit's pre-activation z is tagged ``(layer, unit)`` when it is
seeded, and since ``z = sum a_i w_ij``, the derivative of anything by w_ij is ``a_i`` times its
derivative by z_j. A network has far fewer units than weights.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...contract.activations import SOFTMAX, Activation, check_all_here
from ...contract.errors import InputError
from ...contract.network import Network
from ..losses import LOSSES
from .elementary import ELEMENTARY
from .functions import apply
from .number import Dual, Number
from .pruning import Policy, keep_all

Floats = NDArray[np.float64]
Weights = Sequence[Sequence[Sequence[Number]]]


@dataclass(frozen=True)
class Trace:
    """Results of a forward pass of one sample.

    Parameters
    ----------
    values : list of L + 1 lists of Dual
        The inputs, then the values of each layer. ``values[l + 1][j]`` holds derivatives by the
        tag ``(l, j)`` of its own pre-activation and by the tags of the layers before.
    z : list of Dual
        Pre-activations of the last layer.
    """

    values: list[list[Dual]]
    z: list[Dual]


def forward(
    network: Network,
    weights: Weights,
    x: Sequence[Number],
    policy: Policy = keep_all,
    frozen: Collection[int] = (),
) -> Trace:
    """Pass one sample through the network.

    Parameters
    ----------
    network : Network
    weights : sequence (layers) of sequence (inputs + 1) of sequence (outputs)
        The last row of each layer is the bias. A weight may itself be a `Dual`, such as a
        variable, whose tangents are carried together with those of the units.
    x : sequence (inputs)
    policy : callable
        Prunes the values of each hidden layer.
    frozen : collection of int
        Layers, from 0, that do not learn; their units have no tags.
    """
    values = [[_dual(a) for a in x]]
    last = len(network.layers) - 1
    for index, (layer, w) in enumerate(zip(network.layers, weights, strict=True)):
        z = [_weighted_sum(values[-1], w, unit) for unit in range(layer.outputs)]
        if index not in frozen:
            z = [number.tagged((index, unit)) for unit, number in enumerate(z)]
        a = _activate(layer.activation, z)
        values.append(a if index == last else policy(a))
    return Trace(values, z)


def loss(network: Network, trace: Trace, target: ArrayLike) -> Dual:
    """Compute the loss of one sample, by the formula in `floating.losses`, with its tangents.

    Parameters
    ----------
    network : Network
    trace : Trace
        From `forward`.
    target : (outputs,)
    """
    z, outputs = _array(trace.z), _array(trace.values[-1])
    result = LOSSES[network.loss].of_samples(z, outputs, np.asarray(target, np.float64))
    assert isinstance(result, Dual)
    return result


def gradient(
    network: Network,
    weights: Sequence[ArrayLike],
    x: ArrayLike,
    target: ArrayLike,
    policy: Policy = keep_all,
    frozen: Collection[int] = (),
) -> list[Floats]:
    """Compute the gradient of the mean loss of a batch, by outer products for each sample.

    Parameters
    ----------
    network : Network
    weights : sequence of (inputs + 1, outputs)
    x : (samples, inputs)
    target : (samples, outputs)
    policy, frozen
        As for `forward`.

    Returns
    -------
    list of float array (inputs + 1, outputs)
        Zeros for a frozen layer.

    Raises
    ------
    InputError
        Without samples, or if the numbers of inputs and targets differ.
    """
    inputs, targets = np.asarray(x, np.float64), np.asarray(target, np.float64)
    if not len(inputs) or len(inputs) != len(targets):
        raise InputError(f"{len(inputs)} inputs for {len(targets)} targets; match them")
    numbers = [np.asarray(w, np.float64).tolist() for w in weights]
    total = [np.zeros((layer.rows, layer.outputs)) for layer in network.layers]
    for sample, wanted in zip(inputs.tolist(), targets, strict=True):
        trace = forward(network, numbers, sample, policy, frozen)
        error = loss(network, trace, wanted)
        for index, slope in enumerate(total):
            a = [number.value for number in trace.values[index]]
            delta = [error.derivative((index, unit)) for unit in range(slope.shape[1])]
            slope += np.outer([*a, 1.0], delta)
    return [slope / len(inputs) for slope in total]


def _weighted_sum(values: Sequence[Dual], w: Sequence[Sequence[Number]], unit: int) -> Dual:
    total = _dual(w[-1][unit])
    for a, row in zip(values, w, strict=False):
        total = total + a * row[unit]
    return total


def _activate(activation: Activation, z: Sequence[Dual]) -> list[Dual]:
    if activation is SOFTMAX:  # the one that mixes a layer's units
        return list(activation.value(_array(z)))
    if activation.name not in ELEMENTARY:
        check_all_here((*ELEMENTARY, SOFTMAX.name), "dualgate/floating/dual/elementary.py")
    return [apply(activation.name, number) for number in z]


def _array(numbers: Sequence[Dual]) -> NDArray[np.float64]:
    """Make an array of objects, on which numpy calls the arithmetic of the objects."""
    array = np.empty(len(numbers), object)
    array[:] = numbers
    return array


def _dual(x: Number) -> Dual:
    return x if isinstance(x, Dual) else Dual(x)
