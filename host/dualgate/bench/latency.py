# SPDX-License-Identifier: BSD-2-Clause

"""The latency of on-line learning: cycles of a batch of one sample on the simulated hardware."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract.engine import EngineParameters
from ..contract.network import Network
from ..contract.settings import make_settings, parse_prune, update_frac
from ..cycles import predict
from ..devices import open_device
from ..devices.models import find_measure
from ..optim.initialisers import initial_master_weights

NETWORKS = (
    (Network((1, 16, 1), "tanh", "mse"), 1.0),
    (Network((1, 128, 1), "tanh", "mse"), 1.0),
    (Network((64, 32, 16, 10), "tanh", "cce"), 0.5),
    (Network((784, 16, 16, 10), "tanh", "cce"), 0.19),
)
"""Networks, and the share of inputs that are not zero: as many as in digits and in MNIST."""

RATE = 0.02
PRUNE = parse_prune("1/4")


@dataclass(frozen=True)
class LatencyRow:
    """Mean cycles of a batch of one sample, without momentum.

    Parameters
    ----------
    network : str
        Units of the layers.
    loss : str
    samples : int
        Number of samples measured.
    loading : float
        Cycles from the first word of the sample's command until the sample enters the value lane,
        if a word arrives in every cycle.
    predicted, measured : float
        Cycles from then until the last weight is written, by the cycle model and by the counter of
        the RTL. The counter stands while no sample is in the engine and the weight step has not
        begun: a command APPLY that waits already takes 3 cycles for that.
    batch_end : float
        Cycles of the weight step, which are part of these.
    exact : bool
        Whether prediction and counter are equal for every sample.
    """

    network: str
    loss: str
    samples: int
    loading: float
    predicted: float
    measured: float
    batch_end: float
    exact: bool


def measure_latency(neurons: int, samples: int, **sizes: int) -> Iterator[LatencyRow]:
    """Measure each of `NETWORKS` on engines of three lanes, pruned at 1/4.

    The samples are made of random numbers, the weights those of a new network. A sample before them
    is not measured: its weight step visits all rows.

    Parameters
    ----------
    neurons : int
        N.
    samples : int
        Number of samples to measure on.
    sizes : int
        Memory sizes of the engine, fields of `EngineParameters`.
    """
    for network, share in NETWORKS:
        yield _row(network, share, neurons, samples, sizes)


def _row(
    network: Network, share: float, neurons: int, samples: int, sizes: dict[str, int]
) -> LatencyRow:
    measure = find_measure()
    engine = EngineParameters(neurons, **sizes)
    frac = update_frac(network, RATE, 1)
    settings = make_settings(network, frac, RATE, 1, 0.0, PRUNE)
    x, target = _samples(network, share, samples + 1)
    found, seen, spent = [], [], []
    with open_device("sim", **{"neurons": neurons, **sizes}) as device:
        device.configure(network, frac)
        device.write_weights(initial_master_weights(network, 0))
        device.set(settings)
        for at in range(samples + 1):
            one = slice(at, at + 1)
            before, weights = device.counters().cycles, device.read_weights()
            activity = measure(
                network, weights, settings, x[one], target[one], velocity=device.read_velocity()
            )
            device.train(x[one], target[one])
            device.apply()
            spent.append(device.counters().cycles - before)
            found.append(predict(network, engine, activity))
            seen.append(activity)
    cycles = [each.cycles for each in found[1:]]
    return LatencyRow(
        network="-".join(map(str, network.sizes)),
        loss=network.loss,
        samples=samples,
        loading=float(np.mean([each.loads + network.sizes[-1] + 3 for each in seen[1:]])),
        predicted=float(np.mean(cycles)),
        measured=float(np.mean(spent[1:])),
        batch_end=float(np.mean([each.batch_end for each in found[1:]])),
        exact=cycles == spent[1:],
    )


def _samples(
    network: Network, share: float, count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw inputs, of which a share is not zero, and targets, all from -1 to 1 or of one class."""
    random = np.random.default_rng(0)
    inputs, outputs = network.sizes[0], network.sizes[-1]
    kept = random.random((count, inputs)) < share
    x = random.uniform(-1, 1, (count, inputs)) * kept
    classes = np.eye(outputs)[random.integers(outputs, size=count)]
    target = np.sin(3 * x[:, :1]) if outputs == 1 else classes
    return network.quantize_inputs(x), network.quantize_targets(target)
