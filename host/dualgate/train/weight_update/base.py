# SPDX-License-Identifier: BSD-2-Clause

"""The interface of weight updates, and the class weights that all of them apply."""

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from ...contract.commands import Masks
from ...contract.errors import InputError
from ...contract.network import Network
from ...contract.settings import Settings
from ...devices import Device
from ...optim.optimisers import State
from ..recipe import Recipe

Ints = NDArray[np.int64]


class WeightUpdate(ABC):
    """Training on a batch, including the step of the weights at its end.

    Parameters
    ----------
    network : Network
    recipe : Recipe

    Members
    -------
    update_frac : int
        Fraction bits of the update scalars, for `Device.configure`.
    state : State
        State of the optimiser on the host; without arrays if the engine moves the weights.

    Raises
    ------
    InputError
        For a recipe that the number formats cannot represent, or class weights that do not fit
        the network.
    """

    update_frac: int
    state = State(0, [])

    def __init__(self, network: Network, recipe: Recipe) -> None:
        self._network = network
        self._recipe = recipe
        self._check_class_weights()

    @abstractmethod
    def batch(
        self,
        device: Device,
        number: int,
        x: Ints,
        target: Ints,
        labels: Ints | None,
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
        labels : int array (samples,) or None
            Only class weights depend on them.
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

    def _check_class_weights(self) -> None:
        weights, objective = self._recipe.class_weights, self._network.objective
        if not weights:
            return
        outputs = self._network.sizes[-1]
        if not objective.classes:
            raise InputError(
                f"class weights do not apply to the loss {objective.name}; use a loss of classes, "
                "such as cce"
            )
        if objective.name == "bce" and outputs > 1:
            # Each output would have the weight of its own target, but the engine applies one rate
            # to all outputs of a sample.
            raise InputError(
                "class weights do not apply to bce with several outputs, which are independent "
                "yes-or-no questions; use cce or a single output"
            )
        needed = max(outputs, 2)
        if len(weights) != needed:
            raise InputError(f"{len(weights)} class weights: give {needed}, one for each class")

    def _train(
        self,
        device: Device,
        rate: float,
        x: Ints,
        target: Ints,
        labels: Ints | None,
        masks: Masks | None,
    ) -> Ints:
        """Accumulate a batch, the samples of each class with the rate of that class.

        The order of the samples does not matter, because sums of gradients are exact.
        """
        weights = self._recipe.class_weights
        if not weights or labels is None:
            device.set(self._settings(rate, len(x), 1.0))
            return device.train(x, target, masks)
        outputs = np.empty_like(target)
        for label in np.unique(labels):
            chosen = labels == label
            device.set(self._settings(rate, len(x), weights[label]))
            some = None if masks is None else [mask[chosen] for mask in masks]
            outputs[chosen] = device.train(x[chosen], target[chosen], some)
        return outputs

    @abstractmethod
    def _settings(self, rate: float, size: int, weight: float) -> Settings:
        """Return the settings for samples with class weight `weight` in a batch of `size`."""
