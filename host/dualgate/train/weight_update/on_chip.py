# SPDX-License-Identifier: BSD-2-Clause

"""SGD and momentum, computed by the engine."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import product

from ...contract.commands import Masks
from ...contract.errors import InputError
from ...contract.network import Network
from ...contract.settings import Settings, make_settings, update_frac
from ...devices import Device
from ...optim.optimisers import State
from ...optim.schedules import rate_of
from ..recipe import Recipe
from .base import Floats, Ints, WeightUpdate


class OnChip(WeightUpdate):
    """SGD with momentum, computed by the engine.

    Parameters
    ----------
    network : Network
    recipe : Recipe
    epoch : int
        Batches in an epoch.
    sizes : set of int
        Sizes that a batch can have, in samples.
    weights : sequence of float
        As for `WeightUpdate`.
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        epoch: int,
        sizes: set[int],
        weights: Sequence[float] = (),
    ) -> None:
        super().__init__(network, recipe, weights)
        self._rate = recipe.method(epoch).rate
        ends = {rate_of(self._rate, n) for n in (0, recipe.epochs * epoch - 1)}
        self.update_frac = update_frac(network, max(ends), min(sizes), self._weights[-1])
        self._settings_of = lru_cache(256)(self._make)
        # A schedule is monotonic, so a rate that cannot be represented raises here, before the run.
        for rate, size, weight in product(sorted(ends, reverse=True), sizes, self._weights):
            try:
                self._settings(rate, size, weight)
            except InputError as error:
                if rate == recipe.lr:
                    raise
                raise InputError(f"schedule {recipe.schedule} ends too far away: {error}") from None

    def start(self, weights: list[Ints], state: State | None) -> None:
        pass  # The device holds weights and velocity.

    def settings(self, number: int, size: int) -> Settings:
        return self._settings(rate_of(self._rate, number), size, 1.0)

    def clipped(self) -> int:
        return 0

    def batch(
        self,
        device: Device,
        number: int,
        x: Ints,
        target: Ints,
        weights: Floats | None,
        masks: Masks | None = None,
    ) -> Ints:
        outputs = self._train(device, rate_of(self._rate, number), x, target, weights, masks)
        device.apply()
        return outputs

    def _settings(self, rate: float, size: int, weight: float) -> Settings:
        return self._settings_of(rate, size, weight)

    def _make(self, rate: float, size: int, weight: float) -> Settings:
        recipe = self._recipe
        return make_settings(
            self._network,
            self.update_frac,
            rate,
            size,
            recipe.momentum,
            recipe.prune,
            recipe.dropout > 0,
            weight,
        )
