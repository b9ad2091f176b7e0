# SPDX-License-Identifier: BSD-2-Clause

"""The interface of weight updates, and the weights of samples that all of them apply."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ...contract.commands import Masks
from ...contract.network import Network
from ...contract.settings import Settings
from ...devices import Device
from ...optim.optimisers import State
from ..recipe import Recipe

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class WeightUpdate(ABC):
    """Training on a batch, including the step of the weights at its end.

    Parameters
    ----------
    network : Network
    recipe : Recipe
    weights : sequence of float
        The least and the largest weight of a sample; by default those of the classes.

    Members
    -------
    update_frac : int
        Fraction bits of the update scalars, for `Device.configure`.
    state : State
        State of the optimiser on the host; without arrays if the engine moves the weights.

    Raises
    ------
    InputError
        For a recipe or weights that the number formats cannot represent.
    """

    update_frac: int
    state = State(0, [])

    def __init__(self, network: Network, recipe: Recipe, weights: Sequence[float] = ()) -> None:
        self._network = network
        self._recipe = recipe
        self._weights = sorted(weights or recipe.class_weights or (1.0,))

    @abstractmethod
    def batch(
        self,
        device: Device,
        number: int,
        x: Ints,
        target: Ints,
        weights: Floats | None,
        masks: Masks | None = None,
    ) -> Ints:
        """Train on one batch.

        Parameters
        ----------
        device : Device
        number : int
            Number of batches of the run before this one.
        x : int array (samples, inputs)
        target : int array (samples, outputs)
        weights : float array (samples,) or None
            Factors of the samples' losses, from `weighting.sample_weights`.
        masks : sequence of bool array (samples, units) or None
            With dropout, the units of each hidden layer that take part.

        Returns
        -------
        int array (samples, outputs)
            Outputs of the weights before the step.
        """

    @abstractmethod
    def start(self, weights: list[Ints], state: State | None) -> None:
        """Begin a run.

        Parameters
        ----------
        weights : list of int array (inputs + 1, outputs)
            Master weights, equal to those of the device.
        state : State or None
            State of the optimiser on the host, from a checkpoint.
        """

    @abstractmethod
    def settings(self, number: int, size: int) -> Settings:
        """Return the settings of a batch of `size` samples of weight 1, as for `batch`."""

    @abstractmethod
    def clipped(self) -> int:
        """Return the number of weights that the host has clipped since the last call."""

    def _train(
        self,
        device: Device,
        rate: float,
        x: Ints,
        target: Ints,
        weights: Floats | None,
        masks: Masks | None,
    ) -> Ints:
        """Accumulate a batch, the samples of each weight with a rate of their own.

        The order of the samples does not matter, because sums of gradients are exact.
        """
        if weights is None:
            device.set(self._settings(rate, len(x), 1.0))
            return device.train(x, target, masks)
        outputs = np.empty_like(target)
        for weight in np.unique(weights).tolist():
            chosen = weights == weight
            device.set(self._settings(rate, len(x), weight))
            some = None if masks is None else [mask[chosen] for mask in masks]
            outputs[chosen] = device.train(x[chosen], target[chosen], some)
        return outputs

    @abstractmethod
    def _settings(self, rate: float, size: int, weight: float) -> Settings:
        """Return the settings for samples with the factor `weight` in a batch of `size`."""
