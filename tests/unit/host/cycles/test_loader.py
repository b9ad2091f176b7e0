# SPDX-License-Identifier: BSD-2-Clause

"""A ring too small for the inputs of all contexts: samples wait, and not a bit changes."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import strategies as st
from support.effort import examples
from support.random_networks import gentle_case, networks
from support.small_engines import MAX_LAYERS, assert_same_run, engine, open_both, prepare

import dualgate_sim.rtl.compiled
from dualgate.contract.engine import Depths
from dualgate.contract.network import Network
from dualgate.contract.settings import PRUNE_OFF
from dualgate.cycles import predict
from dualgate_sim.golden.activity import activity

pytestmark = pytest.mark.slow

NAME = "n4"
DEPTHS = Depths(contexts=6, listed=64)
"""A longest list takes 21 of 32 pairs."""


@pytest.fixture(scope="module")
def ring() -> Iterator[None]:
    """Let engines have these depths."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dualgate_sim.rtl.compiled, "Depths", lambda: DEPTHS)
        yield


@examples(15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    network=networks(MAX_LAYERS, 20),
    samples=st.integers(1, 20),
    prune=st.sampled_from([2, PRUNE_OFF]),
    seed=st.integers(0, 999),
)
@example(network=Network((40, 1)), samples=20, prune=1, seed=1)
@example(network=Network((40, 19, 7), "relu"), samples=20, prune=PRUNE_OFF, seed=3)
def test_samples_wait_for_places_and_not_a_bit_changes(
    ring: None, network: Network, samples: int, prune: int, seed: int
) -> None:
    usual = Network(network.sizes, network.hidden, network.loss, frozen=network.frozen)
    case = gentle_case(usual, samples, 2, prune, seed)
    golden, sim = open_both(NAME)
    with golden, sim:
        prepare(golden, case)
        prepare(sim, case)
        assert_same_run(golden, sim, case)
        for x, target, chosen, masks in case.steps():
            weights, velocity = sim.read_weights(), sim.read_velocity()
            seen = activity(usual, weights, chosen, x, target, masks, velocity)
            before = sim.counters()
            sim.set(chosen)
            sim.train(x, target, masks)
            sim.apply()
            spent = sim.counters() - before
            assert predict(usual, engine(NAME), seen, DEPTHS).cycles == spent.cycles
