# SPDX-License-Identifier: BSD-2-Clause

"""Samples a second of a board: its clock, and the cycles that the exact models count."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dualgate.bench.workload import Workload, prepare
from dualgate.contract.engine import Depths, EngineParameters
from dualgate.contract.errors import FitError
from dualgate.contract.settings import Settings
from dualgate.cycles import predict
from dualgate.devices.models import find_interpreter, find_measure
from dualgate.tasks import find_task

Ints = NDArray[np.int64]

SAMPLES = 128

NETWORKS = (
    ("digits", "64,16,10"),
    ("digits", "64,32,10"),
    ("digits", "64,32,16,10"),
    ("mnist", "784,16,16,10"),
)
"""Tasks and layers on which boards are compared."""


@dataclass(frozen=True)
class Speed:
    """The speed of a network on an engine.

    Parameters
    ----------
    task, layers : str
    cycles : float
        Clock cycles a sample under the task's pruning, including its share of the batch's end.
    """

    task: str
    layers: str
    cycles: float


@cache
def _workload(task: str, layers: str, data: Path | None) -> Workload:
    found = find_task(task)
    return prepare(found, found.network(task, layers), data, SAMPLES, None)


def speeds(engine: EngineParameters, depths: Depths, data: Path | None) -> Iterable[Speed]:
    """Count the cycles of each of `NETWORKS` that an engine holds.

    Parameters
    ----------
    engine : EngineParameters
    depths : Depths
    data : Path or None
        Directory of MNIST; if None, only digits are counted.
    """
    for task, layers in NETWORKS:
        if task != "digits" and data is None:
            continue
        try:
            engine.check(find_task(task).network(task, layers))
        except FitError:
            continue
        work = _workload(task, layers, None if task == "digits" else data)
        cycles = _interpreted(work, engine) if engine.compact else _predicted(work, engine, depths)
        yield Speed(task, layers, cycles / len(work.x))


def _parts(work: Workload) -> Iterator[tuple[Settings, Ints, Ints]]:
    """Yield settings, inputs and targets of each batch."""
    for part in np.array_split(np.arange(len(work.x)), work.batches):
        yield work.settings(len(part), work.recipe.prune), work.x[part], work.target[part]


def _predicted(work: Workload, engine: EngineParameters, depths: Depths) -> int:
    """Return the cycles of all batches, each of them from the first weights."""
    measure = find_measure()
    cycles = 0
    for settings, x, target in _parts(work):
        activity = measure(work.network, work.weights, settings, x, target)
        cycles += predict(work.network, engine, activity, depths).cycles
    return cycles


def _interpreted(work: Workload, engine: EngineParameters) -> int:
    """Return the cycles of all batches of a compact engine, which trains on them."""
    with find_interpreter()(engine) as device:
        device.configure(work.network, work.update_frac)
        device.write_weights(work.weights)
        device.write_velocity(work.velocity)
        for settings, x, target in _parts(work):
            device.set(settings)
            device.train(x, target)
            device.apply()
        return device.counters().cycles
