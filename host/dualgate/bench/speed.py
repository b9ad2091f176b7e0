# SPDX-License-Identifier: BSD-2-Clause

"""Times of training on this machine, beside those of PyTorch's backpropagation.

All times are CPU times of the calling thread, and both methods take turns, so that neither other
programs nor a change of the processor's clock decide a ratio.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import thread_time

from ..contract.errors import MissingToolError
from ..contract.settings import prune_name

ROUNDS = 5
"""Number of epochs of each method; a ratio is the median of as many."""

HEADER = (
    f"{'method':18}{'prune':>6}{'batch':>7}{'samples/s':>12}{'kept':>8}{'time to PyTorch':>17}"
    f"{'spread':>15}"
)

Seconds = Callable[[], float]


@dataclass(frozen=True)
class SpeedRow:
    """Measured speed of a method of training.

    Parameters
    ----------
    method, prune : str
    batch : int
    samples_per_s : float
        Samples per second of CPU time, in the median epoch.
    ratio, least_ratio, largest_ratio : float
        Ratio of its CPU time to that of the adjacent epoch of PyTorch: the median and the ends.
    kept_fraction : float
        Share of the tangents kept at hidden layers.
    """

    method: str
    prune: str
    batch: int
    samples_per_s: float
    ratio: float
    least_ratio: float
    largest_ratio: float
    kept_fraction: float


@dataclass(frozen=True)
class Turns:
    """CPU times of two methods that took turns.

    Parameters
    ----------
    seconds : float
        Of an epoch of the first method, the median.
    ratio, least, largest : float
        Ratio of the first method's time to that of the other one's next epoch.
    """

    seconds: float
    ratio: float
    least: float
    largest: float


def take_turns(own: Seconds, other: Seconds, rounds: int) -> Turns:
    """Run two methods alternately.

    Parameters
    ----------
    own, other : callable
        Train for an epoch and return its CPU seconds.
    rounds : int
        Number of epochs of each.
    """
    times = [(own(), other()) for _ in range(rounds)]
    ratios = [mine / theirs for mine, theirs in times]
    return Turns(median(mine for mine, _ in times), median(ratios), min(ratios), max(ratios))


def row_beside(
    torch: Seconds,
    epoch: Callable[[], object],
    kept_fraction: Callable[[], float],
    method: str,
    prune: int,
    batch: int,
    samples: int,
    rounds: int,
) -> SpeedRow:
    """Measure epochs of a method, each followed by an epoch of PyTorch.

    Parameters
    ----------
    torch : callable
        Trains for an epoch in PyTorch and returns its CPU seconds.
    epoch : callable
        Trains for an epoch by the method.
    kept_fraction : callable
        Returns the share of tangents kept in all epochs so far.
    method : str
    prune : int
        p as in `Settings.prune`.
    batch, samples, rounds : int
        Samples in a batch and in an epoch; number of epochs of each.
    """
    turns = take_turns(partial(cpu_seconds, epoch), torch, rounds)
    return SpeedRow(
        method,
        prune_name(prune),
        batch,
        samples / turns.seconds,
        turns.ratio,
        turns.least,
        turns.largest,
        kept_fraction(),
    )


def cpu_seconds(work: Callable[[], object]) -> float:
    """Run `work` and return the CPU time that this thread spent in it, in seconds."""
    clock = thread_time()
    work()
    return thread_time() - clock


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep numpy's matrix products in the calling thread, whose time is measured.

    Raises
    ------
    MissingToolError
        If threadpoolctl is not installed.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        raise MissingToolError(
            "threadpoolctl is not installed; pip install dualgate[torch]"
        ) from None
    with threadpool_limits(1):
        yield


def line(row: SpeedRow) -> str:
    """Format a row of the table below `HEADER`."""
    spread = f"{row.least_ratio:.2f} to {row.largest_ratio:.2f}"
    return (
        f"{row.method:18}{row.prune:>6}{row.batch:7,}{row.samples_per_s:12,.0f}"
        f"{row.kept_fraction:8.0%}{row.ratio:17.2f}{spread:>15}"
    )
