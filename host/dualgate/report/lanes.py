# SPDX-License-Identifier: BSD-2-Clause

"""Busy shares: in how many of an engine's cycles each lane works on a batch of a run."""

from dataclasses import dataclass

import numpy as np

from ..contract.engine import EngineParameters
from ..contract.network import Network
from ..cycles import Activity, estimate, predict
from ..devices import Counters

MOST_CYCLES = 300_000
"""The cycle model takes about 10 us a cycle; a batch that would take more is cut short."""


@dataclass(frozen=True)
class Lanes:
    """Predicted and measured busy shares of the lanes.

    Parameters
    ----------
    engine : EngineParameters
    samples : int
        Number of samples that the cycle model followed.
    cycles_per_sample : float
        By the cycle model, for these samples and the end of their batch.
    batch_end : float
        Share of the cycles that the end of the batch takes.
    predicted : dict of str to float
        For each lane, the share of the cycles in which it works; mean of the cores.
    measured : dict of str to float
        Shares by the counters of the whole run, inference included; empty without a clock.
    nonzero : dict of str to float
        Share of the scalars that are not zero and therefore cost cycles, by kind.
    """

    engine: EngineParameters
    samples: int
    cycles_per_sample: float
    batch_end: float
    predicted: dict[str, float]
    measured: dict[str, float]
    nonzero: dict[str, float]


def find_lanes(
    network: Network, engine: EngineParameters, activity: Activity, counters: Counters
) -> Lanes | None:
    """Predict the busy shares for a batch, and set those of the counters beside them.

    Parameters
    ----------
    network : Network
    engine : EngineParameters
    activity : Activity
        Nonzeros of the batch; as many samples are followed as fit `MOST_CYCLES`.
    counters : Counters
        Counts of the whole run, on this engine.

    Returns
    -------
    Lanes or None
        None for a compact engine, which has no lanes.
    """
    if engine.compact:
        return None
    pace = estimate(network, engine, activity).pace / engine.cores
    samples = int(min(activity.samples, max(1, MOST_CYCLES // max(pace, 1.0))))
    parts = activity.split(-(-activity.samples // samples))
    found = predict(network, engine, parts[0])
    cycles = engine.cores * found.cycles
    predicted = {
        "value": found.value,
        "tangent": found.sums + found.scaler,
        "update": found.update,
        "activation": found.activation,
        "error": found.error,
        "loader": found.loader,
    }
    rows = {
        "value": counters.value_rows,
        "tangent": counters.tangent_rows + counters.scale_rows,
        "update": counters.update_rows,
    }
    clock = engine.cores * counters.cycles
    return Lanes(
        engine,
        found.samples,
        found.cycles_per_sample,
        found.batch_end / found.cycles,
        {lane: count / cycles for lane, count in predicted.items()},
        {lane: count / clock for lane, count in rows.items()} if clock else {},
        _nonzero(network, activity),
    )


def _nonzero(network: Network, activity: Activity) -> dict[str, float]:
    inputs = activity.inputs.mean(axis=0) / [layer.inputs for layer in network.layers]
    found = {"inputs": float(inputs[0])}
    if len(network.layers) > 1:
        weights = [layer.inputs for layer in network.layers[1:]]
        found["hidden values"] = float(np.average(inputs[1:], weights=weights))
        found["seeds of tangents"] = _mean(activity.seeds)
    found["update scalars"] = _mean(activity.updates)
    return found


def _mean(flags: tuple[np.ndarray[tuple[int, ...], np.dtype[np.bool_]], ...]) -> float:
    return sum(int(f.sum()) for f in flags) / max(1, sum(f.size for f in flags))
