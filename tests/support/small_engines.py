# SPDX-License-Identifier: BSD-2-Clause

"""Simulated engines with memories that just hold the property tests' networks."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dualgate.contract.engine import MEMORIES, EngineParameters
from dualgate.contract.network import Network
from dualgate.devices import Counters, Device, open_device
from dualgate_sim.rtl.device import SimDevice
from support.random_networks import Case

SINGLE = {
    "n1": {"neurons": 1},
    "n2k2s": {"neurons": 2, "tangent_lanes": 2, "arrays": 1, "apply_lanes": 1},
    "n4": {"neurons": 4},
    "n8k3s": {"neurons": 8, "tangent_lanes": 3, "arrays": 1},
    "n16": {"neurons": 16},
}
SEVERAL = {
    "n1c5s": {"neurons": 1, "cores": 5, "arrays": 1},
    "n2k2c2": {"neurons": 2, "tangent_lanes": 2, "cores": 2, "apply_lanes": 1},
    "n4k4c3": {"neurons": 4, "tangent_lanes": 4, "cores": 3},
}
"""Of one core and of several, by name: N, K, C, and s where lanes share one MAC array."""

COMPACT = {"n4compact": {"neurons": 4, "arrays": 1, "compact": 1}}
"""Those that take one sample at a time."""

ENGINES = {**SINGLE, **SEVERAL, **COMPACT}

LARGE = ("n1c5s", "n4k4c3")
"""Engines that take longest to compile: `make thorough` has them."""

DEFAULT = "n16"
"""What every command builds, so that it need not be compiled once more."""

MAX_LAYERS = 4
MAX_WIDTH = 40

_WIDEST = Network((MAX_WIDTH,) * (MAX_LAYERS + 1))


def engine(name: str) -> EngineParameters:
    """The same for every network, so that one compiled model serves them all."""
    if name == DEFAULT:
        return EngineParameters()
    smallest = dict.fromkeys(MEMORIES, 1)
    return EngineParameters(**smallest, **ENGINES[name]).grown(_WIDEST)


def tiered(*names: str) -> list[Any]:
    """Parameters of a test for these engines; the large ones are thorough."""
    return [pytest.param(n, marks=pytest.mark.thorough) if n in LARGE else n for n in names]


def open_both(name: str) -> tuple[Device, SimDevice]:
    """The golden model and the simulated RTL of one engine."""
    sizes = vars(engine(name))
    golden, sim = open_device("golden", **sizes), open_device("sim", **sizes)
    assert isinstance(sim, SimDevice)
    return golden, sim


def prepare(device: Device, case: Case) -> None:
    """Write a case's network, weights and velocity."""
    device.configure(case.network, case.update_frac)
    device.write_weights(case.weights)
    device.write_velocity(case.velocity)


def state(device: Device) -> tuple[list[list[int]], list[list[int]]]:
    """Weights and velocity, for comparison."""
    return (
        [w.tolist() for w in device.read_weights()],
        [v.tolist() for v in device.read_velocity()],
    )


def counts(device: Device, since: Counters) -> Counters:
    """What was counted, but for cycles."""
    return replace(device.counters() - since, cycles=0)


def assert_same_run(golden: Device, sim: Device, case: Case) -> None:
    """Train both devices on a case; the complete state has to agree after every step."""
    started = [device.counters() for device in (golden, sim)]
    for number, (x, target, settings, masks) in enumerate(case.steps()):
        for device in (golden, sim):
            device.set(settings)
        outputs = golden.train(x, target, masks)
        np.testing.assert_array_equal(sim.train(x, target, masks), outputs)
        assert state(sim) == state(golden), f"batch {number}, before its end"
        for device in (golden, sim):
            device.apply()
        assert state(sim) == state(golden), f"batch {number}, after its end"
        np.testing.assert_array_equal(sim.infer(x), golden.infer(x))
    assert counts(sim, started[1]) == counts(golden, started[0])
