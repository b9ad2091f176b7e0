# SPDX-License-Identifier: BSD-2-Clause

"""Netlists, as synthesis leaves them, train to the same bits as the golden model."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.paths import ROOT
from support.random_networks import Case, cases
from support.small_engines import assert_same_run, prepare
from support.small_runs import NETWORK, blobs

import dualgate_sim.rtl.compiled
from dualgate.contract.engine import MEMORIES, Depths, EngineParameters
from dualgate.contract.network import Network
from dualgate.contract.settings import make_settings
from dualgate.devices import Device, open_device
from dualgate_hw.build.netlist import load_pass
from dualgate_sim.netlist import gate_level

pytestmark = pytest.mark.boards

DEPTHS = Depths(contexts=2, slots=2, threads=2)
WIDEST = Network((8, 8, 8, 8))
SHARED = {"neurons": 2, "arrays": 1}
THREE = {"neurons": 2, "arrays": 3, "apply_lanes": 1}
COMPACT = {"neurons": 4, "arrays": 1, "compact": 1}
SAMPLES, BATCH, UPDATE_FRAC = 24, 8, 16


@pytest.fixture(
    scope="module",
    params=[
        ("ice40", COMPACT, ()),
        ("ice40", SHARED, ()),
        ("ecp5", SHARED, ()),
        ("ecp5", SHARED, (ROOT / "tools" / "ecp5_multiplier_registers.py",)),
        ("ecp5", THREE, ()),
    ],
    ids=["ice40-compact", "ice40-shared", "ecp5-shared", "ecp5-registers", "ecp5-three"],
)
def gates(request: pytest.FixtureRequest) -> Any:
    """An engine whose netlist takes the RTL's place."""
    family, sizes, passes = request.param
    engine = EngineParameters(**sizes, **dict.fromkeys(MEMORIES, 1)).grown(WIDEST)
    library = gate_level.build(engine, DEPTHS, family, tuple(map(load_pass, passes)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dualgate_sim.rtl.compiled, "build", lambda engine, trace: library)
        yield engine


def open_both(engine: EngineParameters) -> tuple[Device, Device]:
    return open_device("golden", **vars(engine)), open_device("sim", **vars(engine))


def pruned_training() -> Case:
    """Batches of different samples, with momentum and pruning."""
    random = np.random.default_rng(3)
    samples = blobs(SAMPLES)
    x, target = NETWORK.quantize_inputs(samples.x), NETWORK.quantize_targets(samples.target)
    shapes = [(layer.rows, layer.outputs) for layer in NETWORK.layers]
    weights = [random.integers(-(1 << 28), 1 << 28, shape) for shape in shapes]
    velocity = [np.zeros(shape, np.int64) for shape in shapes]
    setting = make_settings(NETWORK, UPDATE_FRAC, 0.1, BATCH, 0.9, 2)
    parts = [slice(start, start + BATCH) for start in range(0, SAMPLES, BATCH)]
    batches = [(x[part], target[part], setting) for part in parts]
    return Case(NETWORK, UPDATE_FRAC, 2, weights, velocity, batches)


def test_a_netlist_trains_to_the_same_bits(gates: EngineParameters) -> None:
    golden, netlist = open_both(gates)
    with golden, netlist:
        case = pruned_training()
        prepare(golden, case)
        prepare(netlist, case)
        assert_same_run(golden, netlist, case)
        counted = netlist.counters()
        assert counted.kept > 0
        assert counted.dropped > 0
        assert all(
            (first != last).any()
            for first, last in zip(case.weights, netlist.read_weights(), strict=True)
        )


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=cases(3, 8, batches=2), odds=st.tuples(*2 * [st.sampled_from([0, 128])]))
def test_any_network_trains_to_the_same_bits_under_stalls(
    gates: EngineParameters, case: Case, odds: tuple[int, int]
) -> None:
    golden, netlist = open_both(gates)
    with golden, netlist:
        prepare(golden, case)
        prepare(netlist, case)
        netlist._model_in_use.stall(1, *odds)
        assert_same_run(golden, netlist, case)
