# SPDX-License-Identifier: BSD-2-Clause

"""Forward-mode gradients of whole batches, in numpy.

Tags are units. The tangents of a batch are an array (tags, units, samples) of derivatives of the
values of the current layer with respect to the pre-activations of all units before it. The units of
the layer add their seeds, vectors with the single entry g'(z). Tangents cross a layer by
``T' = g'(z') * (T W)`` and meet the error at the output: ``delta = (T W) . e``. There is no
backward pass.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.network import Network
from .kernels import NUMPY, Kernels
from .losses import LOSSES, Loss
from .pruning import Policy, keep_all

Floats = NDArray[np.floating[Any]]

CHUNK = 1 << 17
"""Number of tangent entries that are processed at a time, so that they stay in the cache."""

LEAST_SAMPLES = 64
"""Smallest number of samples processed at a time; wide layers would leave too few to vectorise."""


@dataclass(frozen=True)
class Trace:
    """Results of a forward pass, for L layers.

    Parameters
    ----------
    values : list of L + 1 arrays (samples, units)
        The inputs, then the value of each layer.
    slopes : list of L - 1 arrays (samples, units)
        g'(z) of each hidden layer.
    z : array (samples, outputs)
        Pre-activation of the last layer.
    """

    values: list[Floats]
    slopes: list[Floats]
    z: Floats

    @property
    def outputs(self) -> Floats:
        """The network's outputs, (samples, outputs)."""
        return self.values[-1]


@dataclass(frozen=True)
class Gradient:
    """Gradient of a batch, with its forward pass.

    Parameters
    ----------
    weights : list of array (inputs + 1, outputs)
        Derivative of the mean loss; zeros for a frozen layer.
    trace : Trace
    kept, dropped : int
        Numbers of nonzero tangents at hidden layers; both 0 without pruning.
    """

    weights: list[Floats]
    trace: Trace
    kept: int
    dropped: int


@dataclass(frozen=True)
class ForwardMode:
    """A method of computing gradients; it has no state.

    Parameters
    ----------
    network : Network
    loss : Loss or None
        Replacement of the loss of the network, for instance by one without a name.
    policy : Policy
        Pruning at every hidden layer.
    frozen : collection of int
        Layers, from 0, that do not learn, in addition to the frozen layers of the network. Their
        units have no tags.
    kernels : Kernels

    Raises
    ------
    InputError
        For a frozen layer that the network does not have.
    """

    network: Network
    loss: Loss | None = None
    policy: Policy = keep_all
    frozen: Collection[int] = ()
    kernels: Kernels = NUMPY

    def __post_init__(self) -> None:
        last = len(self.network.layers) - 1
        for layer in self.frozen:
            if not 0 <= layer <= last:
                raise InputError(f"there is no layer {layer} to freeze; give 0 to {last}")
        object.__setattr__(self, "frozen", {*self.frozen, *self.network.frozen})

    @property
    def objective(self) -> Loss:
        """The loss."""
        return LOSSES[self.network.loss] if self.loss is None else self.loss

    def forward(
        self, weights: Sequence[Floats], x: Floats, masks: Sequence[Floats] | None = None
    ) -> Trace:
        """Compute values and slopes: ``z = a W + b``, ``a' = g(z)``.

        Parameters
        ----------
        weights : sequence of array (inputs + 1, outputs)
        x : (samples, inputs)
        masks : sequence of array (samples, units) or None
            Factors of the values and slopes of each hidden layer, for dropout. The value and the
            tangents of a dropped unit are zero.
        """
        kinds = [layer.activation for layer in self.network.layers[:-1]]
        values, slopes = [x], []
        with np.errstate(over="ignore"):  # in exp(-z) of a sigmoid, which is then rightly zero
            for index, (kind, w) in enumerate(zip(kinds, weights, strict=False)):
                a = kind.value(values[-1] @ w[:-1] + w[-1])
                slope = kind.slope(a)
                if masks is not None:
                    a, slope = a * masks[index], slope * masks[index]
                values.append(a)
                slopes.append(slope)
            z = values[-1] @ weights[-1][:-1] + weights[-1][-1]
            values.append(self.objective.rule.output.value(z))
        return Trace(values, slopes, z)

    def gradient(
        self,
        weights: Sequence[Floats],
        x: Floats,
        target: Floats,
        weight: Floats | None = None,
        masks: Sequence[Floats] | None = None,
    ) -> Gradient:
        """Compute the gradient of the mean loss of a batch, in the precision of its arguments.

        Parameters
        ----------
        weights, x, masks
            As for `forward`.
        target : (samples, outputs)
        weight : array or None
            Weights of the terms of the loss; see `Loss.weigh`.
        """
        trace = self.forward(weights, x, masks)
        error = self._error(trace, target)
        if weight is not None:
            error *= weight
        deltas, kept, dropped = self._deltas(trace.slopes, weights, error)
        deltas.append(None if len(weights) - 1 in self.frozen else error)
        slopes = [
            np.zeros_like(w) if delta is None else _outer(a, delta, w)
            for a, delta, w in zip(trace.values, deltas, weights, strict=False)
        ]
        return Gradient(slopes, trace, kept, dropped)

    def _error(self, trace: Trace, target: Floats) -> Floats:
        """Return dL/dz of the outputs, divided by the number of samples."""
        rule = self.objective.rule
        error = trace.outputs - target
        error *= rule.scale(error.shape[1]) / len(error)
        if rule.sloped:
            error *= rule.output.slope(trace.outputs)
        return error

    def _deltas(
        self, slopes: Sequence[Floats], weights: Sequence[Floats], error: Floats
    ) -> tuple[list[Floats | None], int, int]:
        """Return dL/dz of each hidden layer (None if frozen), and tangents kept and dropped."""
        learning = [i not in self.frozen for i in range(len(slopes))]
        tags = [s.shape[1] for s, learns in zip(slopes, learning, strict=True) if learns]
        if not tags:
            return [None for _ in slopes], 0, 0
        entries = sum(tags) * max(w.shape[1] for w in weights[1:])
        step = max(LEAST_SAMPLES, CHUNK // entries)
        deltas = np.empty((sum(tags), len(error)), error.dtype)
        kept = dropped = 0
        for first in range(0, len(error), step):
            part = slice(first, first + step)
            transposed = [s[part].T.copy() for s in slopes]
            deltas[:, part], k, d = self._carry(transposed, weights, error[part].T.copy())
            kept, dropped = kept + k, dropped + d
        parts = iter(np.split(deltas, np.cumsum(tags)[:-1]))
        return [next(parts).T if learns else None for learns in learning], kept, dropped

    def _carry(
        self, slopes: Sequence[Floats], weights: Sequence[Floats], error: Floats
    ) -> tuple[Floats, int, int]:
        """Return deltas of all tags, (tags, samples), and tangents kept and dropped.

        Slopes and error are (units, samples).
        """
        kept = dropped = 0
        sums = np.empty((0, *slopes[0].shape), error.dtype)
        for index, slope in enumerate(slopes):
            tangents, seeds = sums * slope, None if index in self.frozen else slope
            if self.policy != keep_all:
                before = _count(tangents)
                tangents, seeds = self.policy(self.kernels, tangents, seeds)
                after = _count(tangents)
                kept, dropped = kept + after, dropped + before - after
            w = weights[index + 1][:-1]
            if index < len(slopes) - 1:
                sums = self.kernels.cross(tangents, seeds, w)
        return self.kernels.meet(tangents, seeds, w, error), kept, dropped


def _count(tangents: Floats) -> int:
    """Count what is not zero; numpy has vector instructions for booleans, and none for floats."""
    return int(np.count_nonzero(tangents != 0))


def _outer(a: Floats, delta: Floats, w: Floats) -> Floats:
    """Return the gradient of a layer from its inputs and its dL/dz: ``[a, 1]^T delta``."""
    result = np.empty_like(w)
    np.matmul(a.T, delta, out=result[:-1])
    delta.sum(axis=0, out=result[-1])
    return result
