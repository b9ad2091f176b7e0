# SPDX-License-Identifier: BSD-2-Clause

"""Cycles a sample of an engine, as the exact model counts them, for a board's samples a second."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from dualgate.bench.table import find_measure
from dualgate.bench.workload import Workload, prepare
from dualgate.contract.engine import Depths, EngineParameters
from dualgate.contract.errors import FitError
from dualgate.cycles import predict
from dualgate.tasks.table import find_task

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
    measure = find_measure()
    for task, layers in NETWORKS:
        if task != "digits" and data is None:
            continue
        network = find_task(task).network(task, layers)
        try:
            engine.check(network)
        except FitError:
            continue
        work = _workload(task, layers, None if task == "digits" else data)
        cycles = 0
        for part in np.array_split(np.arange(len(work.x)), work.batches):
            settings = work.settings(len(part), work.recipe.prune)
            activity = measure(network, work.weights, settings, work.x[part], work.target[part])
            cycles += predict(network, engine, activity, depths).cycles
        yield Speed(task, layers, cycles / len(work.x))
