# SPDX-License-Identifier: BSD-2-Clause

"""The workload of the benchmark: a network in training, and real samples."""

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
"""Number of samples that the engine receives without a pause, as the cycle model assumes."""


@dataclass(frozen=True)
class Workload:
    """A network in training, and the samples for the measurement.

    Parameters
    ----------
    network : Network
    recipe : Recipe
    update_frac : int
    weights, velocity : list of int array (inputs + 1, outputs)
        Weights at the beginning of the measured batches.
    x, target : int array
    warm_up : int
        Number of samples of the preceding training.
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
        """Number of measured batches, whose sizes differ by one at most."""
        return -(-len(self.x) // self.recipe.batch)

    @property
    def samples(self) -> Samples:
        """The measured samples, as real numbers."""
        network = self.network
        return Samples(network.input_format.real(self.x), network.output_format.real(self.target))

    def settings(self, size: int, prune: int) -> Settings:
        """Make the settings of a batch of `size` samples with p = `prune`."""
        recipe = self.recipe
        return make_settings(
            self.network, self.update_frac, recipe.lr, size, recipe.momentum, prune
        )


def prepare(
    task: Task, network: Network, data: Path | None, samples: int, batch: int | None
) -> Workload:
    """Train for an epoch on the golden model, and select the first samples of the next epoch.

    A network just initialised has other nonzeros than one in training, and fewer of its update
    scalars are zero.

    Parameters
    ----------
    task : Task
        Task with the data and the recipe.
    network : Network
    data : Path or None
        See `Task.load`.
    samples : int
        Largest number of samples.
    batch : int or None
        Pruning, in place of that of the recipe.
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
