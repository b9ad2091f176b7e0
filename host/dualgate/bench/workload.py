# SPDX-License-Identifier: BSD-2-Clause

"""What the benchmark measures on: a network in training, and real samples."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..contract.network import Network
from ..contract.settings import Settings, make_settings
from ..data.samples import Samples
from ..devices import open_device
from ..devices.stream import SAMPLES
from ..tasks import Task
from ..train.recipe import Recipe
from ..train.trainer import Trainer

Ints = NDArray[np.int64]

MAX_BATCH = SAMPLES
"""Samples that reach the engine without a pause, as the cycle model has it."""


@dataclass(frozen=True)
class Workload:
    """A network in training, and the samples to measure on.

    Parameters
    ----------
    network : Network
    recipe : Recipe
    update_frac : int
    weights, velocity : list of int array (inputs + 1, outputs)
        Where the measured batches begin.
    x, target : int array
    warm_up : int
        Samples it was trained on before.
    """

    network: Network
    recipe: Recipe
    update_frac: int
    weights: list[Ints]
    velocity: list[Ints]
    x: Ints
    target: Ints
    warm_up: int

    @property
    def batches(self) -> int:
        """How many batches are measured, as equal as can be."""
        return -(-len(self.x) // self.recipe.batch)

    @property
    def samples(self) -> Samples:
        """The samples to measure on, as real numbers."""
        network = self.network
        return Samples(network.input_format.real(self.x), network.output_format.real(self.target))

    def settings(self, size: int, prune: int) -> Settings:
        """Settings of a batch of `size` samples under p = `prune`."""
        recipe = self.recipe
        return make_settings(
            self.network, self.update_frac, recipe.lr, size, recipe.momentum, prune
        )


def prepare(
    task: Task, network: Network, data: Path | None, samples: int, batch: int | None
) -> Workload:
    """Train for an epoch on the golden model, and take the first samples of the next.

    A network just initialised has other nonzeros than one in training, and fewer of its update
    scalars are zero.

    Parameters
    ----------
    task : Task
        Its data, and its recipe.
    network : Network
    data : Path or None
        See `Task.load`.
    samples : int
        At most; there may be fewer.
    batch : int or None
        Instead of the recipe's.
    """
    recipe = replace(task.recipe, epochs=1, batch=batch or task.recipe.batch)
    train = task.load(data).train
    trainer = Trainer(network, recipe, train)
    with open_device("golden") as golden:
        list(trainer.run(golden))
        state = trainer.checkpoint(golden)
    chosen = np.random.default_rng((recipe.seed, 1)).permutation(len(train.x))[:samples]
    return Workload(
        network,
        recipe,
        state.update_frac,
        state.weights,
        state.velocity,
        network.quantize_inputs(train.x[chosen]),
        network.quantize_targets(train.target[chosen]),
        len(train.x),
    )
