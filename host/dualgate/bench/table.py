# SPDX-License-Identifier: BSD-2-Clause

"""The benchmark: engines on real samples, compared with the cycle model and yardsticks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from ..contract.engine import EngineParameters
from ..contract.settings import parse_prune, prune_name
from ..cycles import estimate, predict
from ..cycles.yardsticks import dense_backprop, sparse_backprop
from ..devices import Device, open_device
from ..devices.models import Measure, find_measure
from .workload import Workload


@dataclass(frozen=True)
class Variant:
    """An engine and a setting to measure.

    Parameters
    ----------
    name : str
    prune : int
        p as in `Settings.prune`.
    arrays, tangent_lanes, cores : int
        Parameters of the engine; see `EngineParameters`.
    """

    name: str
    prune: int
    arrays: int = 3
    tangent_lanes: int = 1
    cores: int = 1

    def engine(self, neurons: int) -> EngineParameters:
        """Return the parameters of the engine with N neurons."""
        return EngineParameters(neurons, self.tangent_lanes, self.cores, self.arrays)


VARIANTS = tuple(
    Variant(name, parse_prune(prune), *shape)
    for name, shape, prunes in (
        ("shared array", (1,), ("off", "1/4")),
        ("three lanes", (3,), ("off", "1/4", "1/2")),
        ("K = 2", (3, 2), ("off", "1/4")),
        ("three cores", (3, 1, 3), ("1/4",)),
    )
    for prune in prunes
)


@dataclass(frozen=True)
class Row:
    """Results of one variant. Cycles are means per sample and include the end of the batch.

    Parameters
    ----------
    engine : str
    neurons, tangent_lanes, cores, arrays : int
    multipliers : int
        Number of multipliers of the MAC arrays.
    prune : str
    predicted, measured, estimated : float
        Cycles by the cycle model, by the counter of the RTL, and by the closed form.
    exact : bool
        Whether prediction and counter are equal for every batch.
    dense : float
        `dense_backprop` on as many multipliers.
    sparse : float
        `sparse_backprop` on as many multipliers.
    sparse_rows : dict
        Rows of the engine, by kind.
    ratio : float
        Ratio of the measured cycles to `sparse`.
    batch_end, pace, fill : float
        Of the measured cycles: the batch's end, a sample more, and the first sample of a batch
        beyond that, all in cycles (a batch, a sample, a batch).
    bounds : dict
        Smallest number of cycles per sample for each part; see `estimate`.
    utilisation : dict
        Share of the cycles in which a kind of lane multiplied, or a part was busy; mean of the
        cores.
    kept_fraction : float
        Share of the tangents kept at hidden layers.
    samples_per_s : float
        Speed of the simulation on this machine.
    """

    engine: str
    neurons: int
    tangent_lanes: int
    cores: int
    arrays: int
    multipliers: int
    prune: str
    predicted: float
    measured: float
    estimated: float
    exact: bool
    dense: float
    sparse: float
    sparse_rows: dict[str, float]
    ratio: float
    batch_end: float
    pace: float
    fill: float
    bounds: dict[str, float]
    utilisation: dict[str, float]
    kept_fraction: float
    samples_per_s: float


def run(
    work: Workload, neurons: int, variants: Sequence[Variant] = VARIANTS, **sizes: int
) -> Iterator[Row]:
    """Measure each variant on the simulated RTL.

    Parameters
    ----------
    work : Workload
    neurons : int
        N.
    variants : sequence of Variant
    sizes : int
        Memory sizes of the engines, fields of `EngineParameters`; otherwise they just hold the
        network.
    """
    measure = find_measure()
    for variant in variants:
        shape = {"tangent_lanes": variant.tangent_lanes, "cores": variant.cores}
        limits = {"neurons": neurons, "arrays": variant.arrays, **shape, **sizes}
        with open_device("sim", **limits) as device:
            yield _row(work, variant, neurons, device, measure)


def _row(work: Workload, variant: Variant, neurons: int, device: Device, measure: Measure) -> Row:
    network = work.network
    engine = variant.engine(neurons).grown(network)
    device.configure(network, work.update_frac)
    device.write_weights(work.weights)
    device.write_velocity(work.velocity)
    started, seconds = device.counters(), 0.0
    predictions, estimates, sparse, exact = [], [], [], True
    velocity = None  # Unknown to the engine, because the host has just written velocities.
    for part in np.array_split(np.arange(len(work.x)), work.batches):
        settings = work.settings(len(part), variant.prune)
        x, target = work.x[part], work.target[part]
        weights = device.read_weights()
        activity = measure(network, weights, settings, x, target, velocity=velocity)
        prediction = predict(network, engine, activity)
        before, clock = device.counters().cycles, perf_counter()
        device.set(settings)
        device.train(x, target)
        device.apply()
        seconds += perf_counter() - clock
        exact = exact and device.counters().cycles - before == prediction.cycles
        velocity = device.read_velocity()
        predictions.append(prediction)
        estimates.append(estimate(network, engine, activity))
        sparse.append(sparse_backprop(network, engine, activity, prediction.batch_end))
    spent = device.counters() - started
    samples, cycles = len(work.x), engine.cores * spent.cycles
    weight = np.array([p.samples for p in predictions]) / samples

    def mean(values: Sequence[float]) -> float:
        return float(np.dot(weight, values))

    def share(kind: str) -> float:
        worked: int = sum(getattr(p, kind) for p in predictions)
        return worked / cycles

    per_sample = mean([s.cycles for s in sparse])
    pace = mean([p.pace for p in predictions])
    return Row(
        engine=variant.name,
        neurons=neurons,
        tangent_lanes=engine.tangent_lanes,
        cores=engine.cores,
        arrays=engine.arrays,
        multipliers=engine.multipliers,
        prune=prune_name(variant.prune),
        predicted=sum(p.cycles for p in predictions) / samples,
        measured=spent.cycles / samples,
        estimated=mean([e.cycles_per_sample for e in estimates]),
        exact=exact,
        dense=dense_backprop(network, engine.multipliers),
        sparse=per_sample,
        sparse_rows={
            kind: mean([getattr(s, kind) for s in sparse])
            for kind in ("value", "transposed", "update")
        },
        ratio=spent.cycles / samples / per_sample,
        batch_end=float(np.mean([p.batch_end for p in predictions])),
        pace=pace,
        fill=float(np.mean([p.cycles - p.batch_end - p.samples * p.pace for p in predictions])),
        bounds={name: mean([e.bounds[name] for e in estimates]) for name in estimates[0].bounds},
        utilisation={
            "value": spent.value_rows / cycles,
            "tangent": (spent.tangent_rows + spent.scale_rows) / cycles,
            "update": spent.update_rows / cycles,
            **{part: share(part) for part in ("activation", "error", "loader")},
        },
        kept_fraction=spent.kept_fraction,
        samples_per_s=samples / seconds,
    )
