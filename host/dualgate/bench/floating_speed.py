# SPDX-License-Identifier: BSD-2-Clause

"""Speed of forward mode on this machine, compared with backpropagation in PyTorch.

Both train the same network on the same samples in float32 on one thread, in turns, so that
whatever else the machine does slows both. Run it by itself::

    python -m dualgate.bench.floating_speed --task mnist --data DIR
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from ..contract.errors import DualgateError, MissingToolError
from ..contract.network import Network
from ..contract.settings import PRUNE_OFF, parse_prune, prune_name
from ..data.samples import Samples
from ..floating.backends import KERNELS, find_kernels
from ..floating.forward_mode import ForwardMode
from ..floating.kernels import Kernels
from ..floating.pruning import RelativePerTag
from ..optim.initialisers import initial_weights
from ..optim.optimisers import Momentum
from ..tasks import find_task
from .torch_speed import torch_samples_per_s

Array = NDArray[np.floating[Any]]

PRUNES = (PRUNE_OFF, parse_prune("1/4"))

HEADER = f"{'forward mode':14}{'prune':>6}{'samples/s':>12}{'kept':>8}{'time to PyTorch':>17}"


@dataclass(frozen=True)
class SpeedRow:
    """Measured speed of a method of training.

    Parameters
    ----------
    kernels, prune : str
    samples_per_s : float
        Speed in the median epoch.
    ratio : float
        Ratio of its time to that of the adjacent epoch of PyTorch, the median.
    kept_fraction : float
        Share of the tangents kept at hidden layers, in the last epoch.
    """

    kernels: str
    prune: str
    samples_per_s: float
    ratio: float
    kept_fraction: float


def measure(
    network: Network, samples: Samples, batch: int, lr: float, momentum: float, rounds: int = 5
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
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        raise MissingToolError(
            "threadpoolctl is not installed; pip install dualgate[torch]"
        ) from None
    parts = _batches(samples, batch)
    with threadpool_limits(1):
        for setting in PRUNES:
            for kernels in _installed():
                mode = ForwardMode(network, policy=RelativePerTag(setting), kernels=kernels)
                optimiser = Momentum(lr, momentum)
                _epoch(mode, optimiser, parts[:3])  # numba compiles; memory is fetched
                seconds, ratios, kept = [], [], 1.0
                for _ in range(rounds):
                    own, kept = _epoch(mode, optimiser, parts)
                    _, speed = torch_samples_per_s(
                        network, samples.x, samples.target, batch, lr, momentum
                    )
                    seconds.append(own)
                    ratios.append(own * speed / len(samples.x))
                rate = len(samples.x) / median(seconds)
                yield SpeedRow(kernels.name, prune_name(setting), rate, median(ratios), kept)


def line(row: SpeedRow) -> str:
    """Format a row of the table below `HEADER`."""
    return (
        f"{row.kernels:14}{row.prune:>6}{row.samples_per_s:12,.0f}{row.kept_fraction:8.0%}"
        f"{row.ratio:17.2f}"
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


def _epoch(
    mode: ForwardMode, optimiser: Momentum, parts: list[tuple[Array, Array]]
) -> tuple[float, float]:
    """Return the seconds of an epoch from the initial weights, and the share of tangents kept."""
    weights = initial_weights(mode.network, dtype=np.float32)
    state = optimiser.start(weights)
    kept = dropped = 0
    clock = perf_counter()
    for x, target in parts:
        gradient = mode.gradient(weights, x, target)
        weights, state = optimiser.step(weights, gradient.weights, state)
        kept, dropped = kept + gradient.kept, dropped + gradient.dropped
    seconds = perf_counter() - clock
    return seconds, kept / (kept + dropped) if dropped else 1.0


@click.command()
@click.option("--task", default="mnist", show_default=True, help="digits, mnist, ...")
@click.option("--data", type=click.Path(path_type=Path), metavar="DIR", help="Where its files are.")
@click.option("--batch", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True)
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
