# SPDX-License-Identifier: BSD-2-Clause

"""Against overfitting: penalties on the weights, dropout, and stopping in time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.network import Network

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Penalty:
    """``l1 sum |w| + l2 / 2 sum w^2`` over all weights but the biases, added to the loss.

    Parameters
    ----------
    l1, l2 : float
        0 or more.

    Raises
    ------
    InputError
        For one that is negative or not a number.
    """

    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("L1", self.l1), ("L2", self.l2)):
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"{name} penalty {value}: give a number of 0 or more")

    def value(self, weights: Sequence[Floats]) -> float:
        """What it adds to the loss; `weights` are (inputs + 1, outputs), the last row the bias."""
        return sum(
            float(self.l1 * np.abs(w[:-1]).sum() + self.l2 / 2.0 * (w[:-1] ** 2).sum())
            for w in weights
        )

    def add(self, gradients: Sequence[Floats], weights: Sequence[Floats]) -> list[Floats]:
        """Gradients with the penalty's own added: ``l1 sign(w) + l2 w``.

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
    """Raise `InputError` unless `rate`, the share of silent units, is from 0 to below 1."""
    if not 0.0 <= rate < 1.0:
        raise InputError(f"dropout {rate}: give a share from 0 to below 1")


def draw_masks(
    network: Network, rate: float, samples: int, random: np.random.Generator
) -> list[Bools]:
    """Draw which hidden units take part in which sample.

    Parameters
    ----------
    network : Network
    rate : float
        Share of the units that are silent.
    samples : int
    random : numpy generator

    Returns
    -------
    list of bool array (samples, units), one for each hidden layer
    """
    return [random.random((samples, units)) >= rate for units in network.sizes[1:-1]]


class Dropout:
    """Silences hidden units by chance, anew for every sample and batch; Srivastava et al. 2014.

    The rest are raised by ``1 / (1 - rate)``, so that the sums they feed keep their mean, and
    nothing needs to change when the network is used. On devices they are not: see
    `dualgate.train.dropout`. There the weights behind
    them grow ``1 / (1 - rate)`` times as large instead.

    Parameters
    ----------
    rate : float
        Share of the units that are silent, 0 to below 1.
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
        """Factors of the values of each hidden layer: 0 or 1 / (1 - rate), drawn anew.

        Parameters
        ----------
        network : Network
        samples : int
        dtype
            Of the arrays.

        Returns
        -------
        list of float array (samples, units)
        """
        return [
            (mask / (1.0 - self.rate)).astype(dtype)
            for mask in draw_masks(network, self.rate, samples, self._random)
        ]


class EarlyStopping:
    """Watches the loss on held-out samples, and keeps the weights that did best.

    Parameters
    ----------
    patience : int
        Epochs without a new best after which to stop, 1 or more.
    least : float
        How much lower a loss must be to count as a new best.

    Members
    -------
    epoch : int
        Of the best, 0 before any.
    loss : float
    weights : list of array
        Copies.

    Raises
    ------
    InputError
        For a patience below 1 or a negative `least`.
    """

    def __init__(self, patience: int, least: float = 0.0) -> None:
        if patience < 1:
            raise InputError(f"patience of {patience} epochs: give 1 or more")
        if not least >= 0:
            raise InputError(f"least gain {least}: give a number of 0 or more")
        self._patience = patience
        self._least = least
        self.epoch = 0
        self.loss = math.inf
        self.weights: list[NDArray[Any]] = []

    def update(self, epoch: int, loss: float, weights: Sequence[NDArray[Any]]) -> bool:
        """Note an epoch; returns whether to stop after it.

        Parameters
        ----------
        epoch : int
            From 1.
        loss : float
            Of the held-out samples.
        weights : sequence of array
            After the epoch; copied where the loss is the lowest so far.
        """
        if loss < self.loss - self._least:
            self.epoch, self.loss = epoch, loss
            self.weights = [w.copy() for w in weights]
        return self.due(epoch)

    def due(self, epoch: int) -> bool:
        """Whether to stop after so many epochs."""
        return epoch - self.epoch >= self._patience
