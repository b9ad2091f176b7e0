# SPDX-License-Identifier: BSD-2-Clause

"""Losses in floating point, computed from the pre-activation where that is safer.

The parts common to all devices (output activation, error, scale, the targets' transformation)
stay in `dualgate.contract.losses.LOSSES`. This module adds the parts that need real numbers. The
logarithm of a sigmoid or softmax is computed from z, so that no probability needs to be clipped.
Values are plain numpy formulas, which also work on arrays of `dualgate.floating.dual.Dual`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..contract import losses as contract
from ..contract.errors import InputError

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Loss:
    """A loss and its output activation.

    Parameters
    ----------
    rule : contract.Loss
    terms : callable
        (z, outputs, transformed targets), arrays (samples, n) -> the term of each output in the
        loss of its sample, before a mean over outputs. The derivative of the terms is
        ``rule.factor * (outputs - targets)``, with respect to the output if ``rule.sloped`` and to
        z otherwise.
    """

    rule: contract.Loss
    terms: Callable[[Any, Any, Any], Any]

    def of_samples(self, z: Any, outputs: Any, target: Any, weight: Any = 1.0) -> Any:
        """Return the loss of each sample.

        `z`, `outputs` and `target` are as for `terms`; `weight` comes from `weigh`.
        """
        total = (weight * self.terms(z, outputs, target)).sum(axis=-1)
        return total / target.shape[-1] if self.rule.mean else total

    def weigh(self, target: ArrayLike, class_weights: Sequence[float]) -> Floats:
        """Return weights of the terms that implement class weights.

        Parameters
        ----------
        target : (samples, n)
        class_weights : sequence of float
            One for each of the n classes. For a single output and for `bce`, whose outputs are
            independent yes-or-no questions, the pair (negative, positive).

        Returns
        -------
        float array (samples, 1), or (samples, n) for `bce`
            The loss of a batch is still divided by the number of samples, not by the sum of their
            weights.

        Raises
        ------
        InputError
            For a loss without classes, another number of weights, or a negative weight.
        """
        wanted, weights = np.asarray(target), np.asarray(class_weights, np.float64)
        if not self.rule.classes:
            raise InputError(f"class weights: {self.rule.name} is not a loss of classes")
        pairs = self.rule.name == "bce" or wanted.shape[1] == 1
        needed = 2 if pairs else wanted.shape[1]
        if weights.shape != (needed,) or not (np.isfinite(weights) & (weights >= 0)).all():
            raise InputError(f"class weights {class_weights}: give {needed} numbers of 0 or more")
        if pairs:
            return np.asarray(weights[0] + (weights[1] - weights[0]) * wanted)
        return np.asarray(wanted @ weights[:, None])


def _square(z: Any, y: Any, t: Any) -> Any:
    return (y - t) ** 2


def _binary_entropy(z: Any, y: Any, t: Any) -> Any:
    # -t log y - (1 - t) log(1 - y), with log(1 + e^z) written so that nothing overflows.
    return np.maximum(z, 0.0) + np.log(1.0 + np.exp(-np.abs(z))) - t * z


def _entropy(z: Any, y: Any, t: Any) -> Any:
    top = z.max(axis=-1, keepdims=True)
    total = top + np.log(np.exp(z - top).sum(axis=-1, keepdims=True))
    return t * (total - z)


def _criterion(z: Any, y: Any, t: Any) -> Any:
    # How far z is on the wrong side of zero; its derivative by z is y - t, except at zero.
    return (y - t) * z


LOSSES = {
    name: Loss(contract.LOSSES[name], terms)
    for name, terms in (
        ("mse", _square),
        ("sigmoid-mse", _square),
        ("msle", _square),
        ("bce", _binary_entropy),
        ("cce", _entropy),
        ("perceptron", _criterion),
    )
}
