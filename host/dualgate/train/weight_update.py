# SPDX-License-Identifier: BSD-2-Clause

"""How a batch moves the weights: on the chip, or by an optimiser on the host.

Both show the device the same samples and get the same outputs back. The chip knows SGD and
momentum. For the others it leaves the batch's gradient in the velocity; the host reads that, lets
a `floating.optimisers.Optimiser` and a `Penalty` make new weights of it in float64, rounds them to
master weights and writes them. The gradient is integers, so every device leads to the same weights.
"""

from abc import ABC, abstractmethod
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..contract.commands import Masks
from ..contract.errors import InputError
from ..contract.formats import MASTER, MASTER_WIDTH
from ..contract.network import Network
from ..contract.settings import (
    Settings,
    batch_gradient,
    gradient_frac,
    gradient_settings,
    make_settings,
    update_frac,
)
from ..devices import Device
from ..optim.optimisers import State
from ..optim.schedules import rate_of
from .recipe import Recipe

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LEAST, MOST = -(1 << (MASTER_WIDTH - 1)), (1 << (MASTER_WIDTH - 1)) - 1


class WeightUpdate(ABC):
    """What both ways share.

    Parameters
    ----------
    network : Network
    recipe : Recipe
    Members
    -------
    update_frac : int
        For `Device.configure`.
    state : State
        Of the optimiser on the host; without arrays where there is none.

    Raises
    ------
    InputError
        For a recipe that the formats cannot follow, or class weights that are not the network's.
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
            Batches of the run before this one.
        x : int array (samples, inputs)
        target : int array (samples, outputs)
        labels : int array (samples,) or None
            Only class weights look at them.
        masks : sequence of bool array (samples, units) or None
            Under dropout, the units of each hidden layer that take part.

        Returns
        -------
        int array (samples, outputs), from before the weights moved
        """

    @abstractmethod
    def start(self, weights: list[Ints], state: State | None) -> None:
        """Begin.

        Parameters
        ----------
        weights : list of int array (inputs + 1, outputs)
            Master weights, which the device has, too.
        state : State or None
            Of the optimiser on the host, from a checkpoint.
        """

    @abstractmethod
    def clipped(self) -> int:
        """Weights that were clipped on the host since the last call."""

    def _check_class_weights(self) -> None:
        weights, objective = self._recipe.class_weights, self._network.objective
        if not weights:
            return
        outputs = self._network.sizes[-1]
        if not objective.classes:
            raise InputError("class weights: give a loss of one class a sample, such as cce")
        if objective.name == "bce" and outputs > 1:
            # They would weigh each output by its own target, and a sample has one rate for all.
            raise InputError(
                "class weights: several outputs of bce are each a question of yes or no, which "
                "the engine cannot weigh one by one; take cce, or a single output"
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
        """Accumulate a batch, each class under its own rate; sums do not depend on the order."""
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
        """For samples of a batch of `size` that count `weight` times."""


class OnChip(WeightUpdate):
    """SGD with momentum, by the engine.

    Parameters
    ----------
    network : Network
    recipe : Recipe
    epoch : int
        Batches in an epoch.
    sizes : set of int
        Samples that a batch can have.
    """

    def __init__(self, network: Network, recipe: Recipe, epoch: int, sizes: set[int]) -> None:
        super().__init__(network, recipe)
        self._rate = recipe.rate(epoch)
        ends = {rate_of(self._rate, n) for n in (0, recipe.epochs * epoch - 1)}
        weights = set(recipe.class_weights) or {1.0}
        self.update_frac = update_frac(network, max(ends) * max(weights), min(sizes))
        self._settings_of = lru_cache(256)(self._make)
        for rate in ends:  # a schedule's extremes; what is out of reach shows before the run
            for size in sizes:
                for weight in weights:
                    self._settings(rate, size, weight)

    def start(self, weights: list[Ints], state: State | None) -> None:
        pass  # the device has all there is

    def clipped(self) -> int:
        return 0

    def batch(
        self,
        device: Device,
        number: int,
        x: Ints,
        target: Ints,
        labels: Ints | None,
        masks: Masks | None = None,
    ) -> Ints:
        outputs = self._train(device, rate_of(self._rate, number), x, target, labels, masks)
        device.apply()
        return outputs

    def _settings(self, rate: float, size: int, weight: float) -> Settings:
        return self._settings_of(rate * weight, size)

    def _make(self, rate: float, size: int) -> Settings:
        recipe = self._recipe
        return make_settings(
            self._network,
            self.update_frac,
            rate,
            size,
            recipe.momentum,
            recipe.prune,
            recipe.dropout > 0,
        )


class OnHost(WeightUpdate):
    """Any optimiser and penalty, by the host; the engine takes the gradient.

    For each weight a batch costs two words from the device and three to it, beside the samples.

    Parameters
    ----------
    network : Network
    recipe : Recipe
    epoch : int
        Batches in an epoch.
    """

    def __init__(self, network: Network, recipe: Recipe, epoch: int) -> None:
        super().__init__(network, recipe)
        self.update_frac = gradient_frac(network)
        self._optimiser = recipe.host_optimiser(epoch)
        self._heaviest = max(recipe.class_weights, default=1.0)
        self._learning = [i for i, layer in enumerate(network.layers) if not layer.frozen]
        self._weights: list[Ints] = []
        self._clipped = 0
        for weight in recipe.class_weights or (1.0,):
            self._settings(0.0, 1, weight)

    def start(self, weights: list[Ints], state: State | None) -> None:
        self._weights = [w.copy() for w in weights]
        self.state = state or self._optimiser.start(self._reals())

    def batch(
        self,
        device: Device,
        number: int,
        x: Ints,
        target: Ints,
        labels: Ints | None,
        masks: Masks | None = None,
    ) -> Ints:
        outputs = self._train(device, 1.0, x, target, labels, masks)
        velocity = device.read_velocity()
        # Without velocity the batch's end moves nothing; it ends the count of samples.
        device.write_velocity([np.zeros_like(v) for v in velocity])
        device.apply()
        gradient = batch_gradient(self._network, velocity, len(x))
        self._move([gradient[i] * self._heaviest for i in self._learning])
        device.write_weights(self._weights)
        return outputs

    def clipped(self) -> int:
        count, self._clipped = self._clipped, 0
        return count

    def _reals(self) -> list[Floats]:
        return [MASTER.real(self._weights[i]) for i in self._learning]

    def _move(self, gradient: list[Floats]) -> None:
        old = self._reals()
        total = self._recipe.penalty.add(gradient, old)
        new, self.state = self._optimiser.step(old, total, self.state)
        for index, real in zip(self._learning, new, strict=True):
            rounded = np.floor(np.ldexp(real, MASTER.frac) + 0.5)
            self._clipped += int(np.count_nonzero((rounded < LEAST) | (rounded > MOST)))
            self._weights[index] = np.clip(rounded, LEAST, MOST).astype(np.int64)

    def _settings(self, rate: float, size: int, weight: float) -> Settings:
        recipe = self._recipe
        return gradient_settings(
            self._network, weight / self._heaviest, recipe.prune, recipe.dropout > 0
        )


def weight_update(network: Network, recipe: Recipe, epoch: int, sizes: set[int]) -> WeightUpdate:
    """The way that a recipe asks for; arguments as for `OnChip`."""
    if recipe.on_chip:
        return OnChip(network, recipe, epoch, sizes)
    return OnHost(network, recipe, epoch)
