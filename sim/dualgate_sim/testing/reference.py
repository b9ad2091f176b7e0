# SPDX-License-Identifier: BSD-2-Clause

"""The float reference: the calculus of the engine, in float64 and without rounding rules.

It contains only the calculus. It is checked by finite differences, and the golden model is checked
against it, so that errors of calculus and of quantisation are never mixed. `dualgate.floating`
covers the same ground, masks and the perceptron included, but does not replace this module: its
gradients, dual numbers and optimisers are themselves tested against it, which needs an independent
implementation. The gradient is computed twice: `gradient` goes forward with tangents, as the engine
does, and `backprop` goes backward, as a textbook does. Without pruning they agree to rounding.

Throughout, weights are a list of (inputs + 1, outputs) arrays, one a layer, the last row the bias;
`x` is (samples, inputs) and `target` (samples, outputs), all float64.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dualgate.contract.commands import Masks
from dualgate.contract.formats import MASTER_WIDTH, VALUE_WIDTH, WEIGHT_FRAC, Format
from dualgate.contract.network import Network
from dualgate.contract.settings import PRUNE_OFF

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Weights = Sequence[Floats]

_MAC_WEIGHT = Format(VALUE_WIDTH, WEIGHT_FRAC)


def real_weights(master: Sequence[Ints]) -> list[Floats]:
    """The real numbers the MAC multiplies by: the upper half of integer master weights."""
    return [_MAC_WEIGHT.real(w >> (MASTER_WIDTH - VALUE_WIDTH)) for w in master]


@dataclass(frozen=True)
class Trace:
    """What a forward pass leaves, for L layers.

    Parameters
    ----------
    values : list of L + 1 arrays (samples, units)
        The inputs, then the value of each layer.
    slopes : list of L arrays (samples, units)
        g'(z), the derivative of each layer's activation at its pre-activation.
    """

    values: list[Floats]
    slopes: list[Floats]

    @property
    def outputs(self) -> Floats:
        """The network's outputs, (samples, outputs)."""
        return self.values[-1]


def forward(network: Network, weights: Weights, x: ArrayLike, masks: Masks | None = None) -> Trace:
    """Values and slopes: ``z = a W + b``, ``a' = g(z)``; both zero for units that masks leave out.

    `masks` are bool arrays (samples, units), one for each hidden layer.
    """
    values, slopes = [np.asarray(x, np.float64)], []
    for index, (layer, w) in enumerate(zip(network.layers, weights, strict=True)):
        z = values[-1] @ w[:-1] + w[-1]
        mask = 1.0 if masks is None or index == len(masks) else masks[index]
        values.append(layer.activation.value(z) * mask)
        slopes.append(layer.activation.derivative(z) * mask)
    return Trace(values, slopes)


def mean_loss(
    network: Network,
    weights: Weights,
    x: ArrayLike,
    target: ArrayLike,
    masks: Masks | None = None,
) -> float:
    """Loss of the batch, the mean over its samples; what `gradient` differentiates."""
    outputs = forward(network, weights, x, masks).outputs
    return float(network.objective.value(outputs, np.asarray(target, np.float64)).mean())


def output_error(network: Network, trace: Trace, target: ArrayLike) -> Floats:
    """dL/dz of the output layer for each sample, (samples, outputs).

    ``y - t`` for sigmoid with cross-entropy (over n) and for softmax with cross-entropy, whose
    targets are probabilities that add to one; ``2 (y - t) g'(z) / n`` for the squares.
    """
    error = trace.outputs - np.asarray(target, np.float64)
    if network.objective.sloped:
        error = error * trace.slopes[-1]
    return np.asarray(error * network.objective.scale(network.sizes[-1]))


def prune(tangents: Floats, setting: int) -> Floats:
    """Zero the entries of each vector that are far below its largest; the engine's rule.

    Parameters
    ----------
    tangents : (..., units)
        A vector for each tag along the last axis.
    setting : int
        p: an entry t is zeroed when ``|t| < 2**(e - p)``, with ``2**(e - 1) <= max |t| < 2**e``.
        The largest entry always stays. `PRUNE_OFF` keeps all.
    """
    if setting == PRUNE_OFF:
        return tangents
    exponent = np.frexp(np.abs(tangents).max(axis=-1, keepdims=True))[1]
    return np.where(np.abs(tangents) >= np.exp2(exponent - float(setting)), tangents, 0.0)


def tag_deltas(
    network: Network,
    weights: Weights,
    trace: Trace,
    error: Floats,
    tag_layer: int,
    setting: int = PRUNE_OFF,
) -> Floats:
    """dL/dz of a hidden layer by forward mode: each of its units is a tag.

    A tag t is born as the vector with the one entry ``g'(z_t)`` at t. It crosses a layer by
    ``T' = g'(z') * (T W)``, is pruned there, and meets the error at the outputs:
    ``delta_t = (T W) . error``.

    Parameters
    ----------
    error : (samples, outputs)
        From `output_error`.
    tag_layer : int
        Index of the hidden layer.
    setting : int
        See `prune`.

    Returns
    -------
    (samples, units of the tag layer)
    """
    sums = trace.slopes[tag_layer][:, :, None] * weights[tag_layer + 1][:-1]
    for index in range(tag_layer + 1, len(weights) - 1):
        tangents = prune(sums * trace.slopes[index][:, None, :], setting)
        sums = tangents @ weights[index + 1][:-1]
    return np.asarray((sums @ error[:, :, None])[:, :, 0])


def outer_products(trace: Trace, deltas: Sequence[Floats]) -> list[Floats]:
    """Gradient of the mean loss from each layer's dL/dz: ``[a, 1]^T delta / samples``."""
    samples = len(trace.outputs)
    return [
        np.concatenate((a.T @ delta, delta.sum(axis=0, keepdims=True))) / samples
        for a, delta in zip(trace.values, deltas, strict=False)
    ]


def gradient(
    network: Network,
    weights: Weights,
    x: ArrayLike,
    target: ArrayLike,
    setting: int = PRUNE_OFF,
    masks: Masks | None = None,
) -> list[Floats]:
    """Gradient of the mean loss by forward mode, (inputs + 1, outputs) a layer.

    Exact with pruning off, otherwise the pruned estimate that the engine follows.
    """
    trace = forward(network, weights, x, masks)
    error = output_error(network, trace, target)
    hidden = [
        tag_deltas(network, weights, trace, error, index, setting)
        for index in range(len(weights) - 1)
    ]
    return outer_products(trace, [*hidden, error])


def backprop(
    network: Network,
    weights: Weights,
    x: ArrayLike,
    target: ArrayLike,
    masks: Masks | None = None,
) -> list[Floats]:
    """The same gradient by the backward pass, ``delta = g'(z) * (W delta')``; for comparison."""
    trace = forward(network, weights, x, masks)
    deltas = [output_error(network, trace, target)]
    for index in range(len(weights) - 1, 0, -1):
        deltas.insert(0, trace.slopes[index - 1] * (deltas[0] @ weights[index][:-1].T))
    return outer_products(trace, deltas)


def descend(
    weights: Weights, velocity: Weights, slope: Weights, lr: float, momentum: float = 0.0
) -> tuple[list[Floats], list[Floats]]:
    """One step of gradient descent; returns the new weights and velocity.

    In the engine's order: ``v += lr * gradient``, ``w -= v``, and then ``v *= momentum``.
    """
    moved = [v + lr * g for v, g in zip(velocity, slope, strict=True)]
    return [w - v for w, v in zip(weights, moved, strict=True)], [v * momentum for v in moved]
