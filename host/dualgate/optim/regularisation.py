# SPDX-License-Identifier: BSD-2-Clause

"""Measures against overfitting: penalties on the weights, dropout and early stopping."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.network import Network
from ..contract.values import Number, Whole, checked

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Penalty:
    """A term of the loss: ``l1 sum |w| + l2 / 2 sum w^2`` over all weights except biases.

    Parameters
    ----------
    l1, l2 : float
        0 or more.

    Raises
    ------
    InputError
        For a penalty that is negative or not a number.
    """

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("L1", self.l1), ("L2", self.l2)):
            if not 0 <= checked(f"{name} penalty", value, Number) < math.inf:
                raise InputError(f"{name} penalty {value}: give a number of 0 or more")

    def value(self, weights: Sequence[Floats]) -> float:
        """Return the penalty of `weights` (inputs + 1, outputs), whose last row is the bias."""
        return sum(
            float(self.l1 * np.abs(w[:-1]).sum() + self.l2 / 2.0 * (w[:-1] ** 2).sum())
            for w in weights
        )

    def add(self, gradients: Sequence[Floats], weights: Sequence[Floats]) -> list[Floats]:
        """Return `gradients` plus the gradient of the penalty, ``l1 sign(w) + l2 w``.

        Parameters
        ----------
        gradients, weights : sequence of float array (inputs + 1, outputs)
        """
        result = []
        for g, w in zip(gradients, weights, strict=True):
            total = g.copy()
            total[:-1] += self.l1 * np.sign(w[:-1]) + self.l2 * w[:-1]
            result.append(total)
        return result


def check_dropout(rate: float) -> None:
    """Raise `InputError` unless `rate`, the share of units left out, is from 0 to below 1."""
    if not 0.0 <= checked("dropout", rate, Number) < 1.0:
        raise InputError(f"dropout {rate}: give a share from 0 to below 1")


def draw_masks(
    network: Network, rate: float, samples: int, random: np.random.Generator
) -> list[Bools]:
    """Draw the hidden units that take part in each sample.

    Parameters
    ----------
    network : Network
    rate : float
        Share of the units that are left out.
    samples : int
    random : numpy generator

    Returns
    -------
    list of bool array (samples, units), one for each hidden layer
    """
    return [random.random((samples, units)) >= rate for units in network.sizes[1:-1]]


class Dropout:
    """Random masks that leave out hidden units in each sample; Srivastava et al. 2014.

    The values of the other units are multiplied by ``1 / (1 - rate)``, so that the mean of the sums
    does not change and the trained weights serve for inference. On a device the values are not
    multiplied, and the outgoing weights become ``1 / (1 - rate)`` times as large instead; see
    `dualgate.train.dropout`.

    Parameters
    ----------
    rate : float
        Share of the units that are left out, from 0 to below 1.
    seed : int

    Raises
    ------
    InputError
        For a rate out of range.
    """

    def __init__(self, rate: float, seed: int = 0) -> None:
        check_dropout(rate)
        self.rate = rate
        self._random = np.random.default_rng(seed)

    def masks(self, network: Network, samples: int, dtype: Any) -> list[Floats]:
        """Draw factors for the values of each hidden layer: 0 or ``1 / (1 - rate)``.

        Parameters
        ----------
        network : Network
        samples : int
        dtype
            Precision of the arrays.

        Returns
        -------
        list of float array (samples, units)
        """
        return [
            (mask / (1.0 - self.rate)).astype(dtype)
            for mask in draw_masks(network, self.rate, samples, self._random)
        ]


class EarlyStopping:
    """Early stopping, by the loss of held-out samples; it keeps the best weights.

    Parameters
    ----------
    patience : int
        Number of epochs without a new best loss after which to stop, 1 or more.
    least : float
        Smallest decrease that counts as a new best loss.

    Members
    -------
    epoch : int
        Epoch of the best loss; 0 before the first epoch.
    loss : float
        Best loss.
    weights : list of array
        Copies of the weights after that epoch.

    Raises
    ------
    InputError
        For a patience below 1 or a negative `least`.
    """

    def __init__(self, patience: int, least: float = 0.0) -> None:
        if checked("patience", patience, Whole) < 1:
            raise InputError(f"patience of {patience} epochs: give 1 or more")
        if not checked("least gain", least, Number) >= 0:
            raise InputError(f"least gain {least}: give a number of 0 or more")
        self._patience = patience
        self._least = least
        self.epoch = 0
        self.loss = math.inf
        self.weights: list[NDArray[Any]] = []

    def update(self, epoch: int, loss: float, weights: Sequence[NDArray[Any]]) -> bool:
        """Record an epoch; returns whether to stop after it.

        Parameters
        ----------
        epoch : int
            Number of the epoch, from 1.
        loss : float
            Loss of the held-out samples.
        weights : sequence of array
            Weights after the epoch, which are copied if the loss is the lowest so far.
        """
        if loss < self.loss - self._least:
            self.epoch, self.loss = epoch, loss
            self.weights = [w.copy() for w in weights]
        return self.due(epoch)

    def due(self, epoch: int) -> bool:
        """Return whether to stop after `epoch` epochs."""
        return epoch - self.epoch >= self._patience
