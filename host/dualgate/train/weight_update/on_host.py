# SPDX-License-Identifier: BSD-2-Clause

"""Any optimiser and penalty, computed by the host from the gradient of the engine."""

from collections.abc import Sequence

import numpy as np

from ...contract.commands import Masks
from ...contract.errors import InputError
from ...contract.formats import MASTER, MASTER_WIDTH
from ...contract.network import Network
from ...contract.settings import Settings, batch_gradient, gradient_frac, gradient_settings
from ...devices import Device
from ...optim.optimisers import State
from ...optim.schedules import rate_of
from ..recipe import Recipe
from .base import Floats, Ints, WeightUpdate

LEAST, MOST = -(1 << (MASTER_WIDTH - 1)), (1 << (MASTER_WIDTH - 1)) - 1
"""Range of a master weight."""


class OnHost(WeightUpdate):
    """Any optimiser and penalty, computed by the host from the gradient of the engine.

    Besides the samples, a batch transfers two words from the device and three words to it for each
    weight.

    Parameters
    ----------
    network : Network
    recipe : Recipe
    epoch : int
        Batches in an epoch.
    weights : sequence of float
        As for `WeightUpdate`.
    """

    def __init__(
        self, network: Network, recipe: Recipe, epoch: int, weights: Sequence[float] = ()
    ) -> None:
        super().__init__(network, recipe, weights)
        self.update_frac = gradient_frac(network)
        self._method = recipe.method(epoch)
        rate_of(self._method.rate, recipe.epochs * epoch)  # raises here instead of in the run
        self._heaviest = self._weights[-1]
        self._learning = [i for i, layer in enumerate(network.layers) if not layer.frozen]
        self._master: list[Ints] = []
        self._clipped = 0
        for weight in self._weights:
            self._settings(0.0, 1, weight)

    def start(self, weights: list[Ints], state: State | None) -> None:
        self._master = [w.copy() for w in weights]
        self.state = state or self._method.optimiser.start(self._reals())

    def batch(
        self,
        device: Device,
        number: int,
        x: Ints,
        target: Ints,
        weights: Floats | None,
        masks: Masks | None = None,
    ) -> Ints:
        outputs = self._train(device, 1.0, x, target, weights, masks)
        velocity = device.read_velocity()
        # With a velocity of zero, `apply` moves no weight; it only ends the batch, whose samples
        # the device counts.
        device.write_velocity([np.zeros_like(v) for v in velocity])
        device.apply()
        gradient = batch_gradient(self._network, velocity, len(x))
        self._move([gradient[i] * self._heaviest for i in self._learning])
        device.write_weights(self._master)
        return outputs

    def settings(self, number: int, size: int) -> Settings:
        return self._settings(1.0, size, self._heaviest)

    def clipped(self) -> int:
        count, self._clipped = self._clipped, 0
        return count

    def _reals(self) -> list[Floats]:
        return [MASTER.real(self._master[i]) for i in self._learning]

    def _move(self, gradient: list[Floats]) -> None:
        old = self._reals()
        try:
            with np.errstate(over="raise", invalid="raise", divide="raise"):
                total = self._method.penalty.add(gradient, old)
                new, self.state = self._method.optimiser.step(old, total, self.state)
                scaled = [np.ldexp(real, MASTER.frac) for real in new]
        except FloatingPointError:
            raise InputError(
                f"{self._recipe.optimiser} leaves the range of floating point; lower the learning "
                "rate or the penalties"
            ) from None
        for index, real in zip(self._learning, scaled, strict=True):
            rounded = np.floor(real + 0.5)
            self._clipped += int(np.count_nonzero((rounded < LEAST) | (rounded > MOST)))
            self._master[index] = np.clip(rounded, LEAST, MOST).astype(np.int64)

    def _settings(self, rate: float, size: int, weight: float) -> Settings:
        recipe = self._recipe
        return gradient_settings(
            self._network, weight, recipe.prune, recipe.dropout > 0, self._heaviest
        )
