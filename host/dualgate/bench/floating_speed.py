# SPDX-License-Identifier: BSD-2-Clause

"""Speed of forward mode on this machine, compared with backpropagation in PyTorch.

Both train the same network on the same samples in float32 on one thread. Run it by itself::

    python -m dualgate.bench.floating_speed --task mnist --data DIR
"""

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from ..contract.errors import DualgateError, MissingToolError
from ..contract.network import Network
from ..contract.settings import PRUNE_OFF, parse_prune
from ..data.samples import Samples
from ..floating.backends import KERNELS, find_kernels
from ..floating.forward_mode import ForwardMode
from ..floating.kernels import Kernels
from ..floating.pruning import RelativePerTag
from ..optim.initialisers import initial_weights
from ..optim.optimisers import Momentum
from ..tasks import find_task
from .speed import HEADER, ROUNDS, SpeedRow, line, one_thread, row_beside
from .torch_speed import torch_samples_per_s

Array = NDArray[np.floating[Any]]

PRUNES = (PRUNE_OFF, parse_prune("1/4"))


def measure(
    network: Network, samples: Samples, batch: int, lr: float, momentum: float, rounds: int = ROUNDS
) -> Iterator[SpeedRow]:
    """Measure epochs with each of the installed kernels, exact and pruned at 1/4.

    Parameters
    ----------
    network : Network
    samples : Samples
    batch : int
    lr, momentum : float
    rounds : int
        Number of epochs for each row, each followed by an epoch of PyTorch.

    Raises
    ------
    MissingToolError
        If PyTorch is not installed, or threadpoolctl, which limits numpy to one thread.
    """
    parts = _batches(samples, batch)

    def torch() -> float:
        _, speed = torch_samples_per_s(network, samples.x, samples.target, batch, lr, momentum)
        return len(samples.x) / speed

    with one_thread():
        for setting in PRUNES:
            for kernels in _installed():
                mode = ForwardMode(network, policy=RelativePerTag(setting), kernels=kernels)
                run = _Run(mode, Momentum(lr, momentum))
                run.epoch(parts[:3])  # numba compiles; memory is fetched
                train, name = partial(run.epoch, parts), f"float32 {kernels.name}"
                yield row_beside(
                    torch, train, run.kept_fraction, name, setting, batch, len(samples.x), rounds
                )


def _installed() -> Iterator[Kernels]:
    for name in KERNELS:
        try:
            yield find_kernels(name)
        except MissingToolError:
            continue


def _batches(samples: Samples, batch: int) -> list[tuple[Array, Array]]:
    x, target = samples.x.astype(np.float32), samples.target.astype(np.float32)
    return [(x[i : i + batch], target[i : i + batch]) for i in range(0, len(x), batch)]


class _Run:
    """Training from initial weights by a method and an optimiser; counts the tangents."""

    def __init__(self, mode: ForwardMode, optimiser: Momentum) -> None:
        self._mode, self._optimiser = mode, optimiser
        self._kept = self._dropped = 0

    def epoch(self, parts: list[tuple[Array, Array]]) -> None:
        weights = initial_weights(self._mode.network, dtype=np.float32)
        state = self._optimiser.start(weights)
        for x, target in parts:
            gradient = self._mode.gradient(weights, x, target)
            weights, state = self._optimiser.step(weights, gradient.weights, state)
            self._kept += gradient.kept
            self._dropped += gradient.dropped

    def kept_fraction(self) -> float:
        return self._kept / (self._kept + self._dropped) if self._dropped else 1.0


@click.command()
@click.option("--task", default="mnist", show_default=True, help="digits, mnist, ...")
@click.option("--data", type=click.Path(path_type=Path), metavar="DIR", help="Where its files are.")
@click.option("--batch", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=ROUNDS, show_default=True)
def main(task: str, data: Path | None, batch: int, rounds: int) -> None:
    """Measure epochs of forward mode in float32, alternating with backpropagation in PyTorch."""
    try:
        chosen = find_task(task)
        network, recipe = chosen.network(task), chosen.recipe
        samples = chosen.load(data).train
        click.echo(
            f"{task} {'-'.join(map(str, network.sizes))}: {len(samples.x):,} samples in batches "
            f"of {batch}, one thread"
        )
        click.echo(HEADER)
        for row in measure(network, samples, batch, recipe.lr, recipe.momentum, rounds):
            click.echo(line(row))
    except DualgateError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
