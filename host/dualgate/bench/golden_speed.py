# SPDX-License-Identifier: BSD-2-Clause

"""Speed of the golden model on this machine, compared with backpropagation in PyTorch."""

from collections.abc import Iterator
from functools import partial

from ..contract.network import Network
from ..contract.settings import make_settings, update_frac
from ..data.samples import Samples
from ..devices import Device, open_device
from ..optim.initialisers import initial_master_weights
from ..train.recipe import Recipe
from .speed import ROUNDS, SpeedRow, one_thread, row_beside
from .torch_speed import torch_samples_per_s


def measure(
    network: Network, samples: Samples, recipe: Recipe, rounds: int = ROUNDS
) -> Iterator[SpeedRow]:
    """Measure epochs of the golden model from initial weights: as it comes, and in numpy.

    Parameters
    ----------
    network : Network
    samples : Samples
    recipe : Recipe
        Its learning rate, momentum, batch and pruning.
    rounds : int
        Number of epochs for each row, each followed by an epoch of PyTorch.

    Raises
    ------
    MissingToolError
        If PyTorch is not installed, or threadpoolctl, which limits numpy to one thread.
    """
    size, batch = len(samples.x), recipe.batch
    x, target = network.quantize_inputs(samples.x), network.quantize_targets(samples.target)
    frac = update_frac(network, recipe.lr, batch)

    def epoch(device: Device) -> None:
        device.write_weights(initial_master_weights(network, recipe.seed))
        for first in range(0, size, batch):
            part = slice(first, first + batch)
            count = len(x[part])
            device.set(
                make_settings(network, frac, recipe.lr, count, recipe.momentum, recipe.prune)
            )
            device.train(x[part], target[part])
            device.apply()

    def torch() -> float:
        _, speed = torch_samples_per_s(
            network, samples.x, samples.target, batch, recipe.lr, recipe.momentum
        )
        return size / speed

    with one_thread():
        for kernel, name in (("auto", "golden"), ("numpy", "golden, numpy")):
            with open_device("golden", kernel=kernel) as device:
                device.configure(network, frac)
                train = partial(epoch, device)

                def kept(device: Device = device) -> float:
                    return device.counters().kept_fraction

                yield row_beside(torch, train, kept, name, recipe.prune, batch, size, rounds)
