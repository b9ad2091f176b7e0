# SPDX-License-Identifier: BSD-2-Clause

"""The compiled RTL against the golden model: the same bits, whatever the network."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from support.effort import examples
from support.random_networks import Case, cases, gentle_case, lengthen
from support.small_engines import (
    ENGINES,
    LARGE,
    MAX_LAYERS,
    MAX_WIDTH,
    assert_same_run,
    counts,
    open_both,
    prepare,
    state,
    tiered,
)

from dualgate.contract.activations import HIDDEN_ACTIVATIONS
from dualgate.contract.formats import (
    APPLY_BIAS,
    MASTER_FRAC,
    MAX_SHARE,
    SHARE_WIDTH,
    VALUE_WIDTH,
    VELOCITY_WIDTH,
)
from dualgate.contract.losses import LOSSES
from dualgate.contract.network import Network
from dualgate.contract.settings import PRUNE_OFF, Settings

ODDS = st.sampled_from([0, 64, 128, 230])
"""Of holding back a word of a stream, in 256 a cycle."""


def run(case: Case, name: str, odds: tuple[int, int] = (0, 0)) -> None:
    golden, sim = open_both(name)
    with golden, sim:
        prepare(golden, case)
        prepare(sim, case)
        sim._model_in_use.stall(1, *odds)
        assert_same_run(golden, sim, case)


@pytest.mark.parametrize("name", tiered(*ENGINES))
@examples(60)
@given(case=cases(MAX_LAYERS, MAX_WIDTH, batches=2), odds=st.tuples(ODDS, ODDS))
def test_random_networks_have_the_same_bits_in_the_rtl(
    name: str, case: Case, odds: tuple[int, int]
) -> None:
    for _, _, chosen in case.batches:
        event("pruned" if chosen.prune != PRUNE_OFF else "exact")
        event("masked" if chosen.masked else "not masked")
    run(lengthen(case), name, odds)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param([name for name in ENGINES if name not in LARGE], id="small"),
        pytest.param(list(ENGINES), id="all", marks=pytest.mark.thorough),
    ],
)
@examples(15)
@given(case=cases(MAX_LAYERS, MAX_WIDTH, batches=2))
def test_every_lane_and_core_count_gives_the_same_bits(names: list[str], case: Case) -> None:
    results = []
    for name in names:
        _, sim = open_both(name)
        with sim:
            prepare(sim, case)
            outputs = []
            for x, target, chosen, masks in case.steps():
                sim.set(chosen)
                outputs.append(sim.train(x, target, masks).tolist())
                sim.apply()
            count = sim.counters()
            results.append((outputs, state(sim), count.kept, count.dropped, count.saturations))
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("sizes", [(9, 31, 33, 36, 3), (1, 1, 1)])
@pytest.mark.parametrize("name", tiered("n1", "n16", "n4k4c3"))
def test_masks_of_any_width_leave_out_what_the_golden_model_does(
    sizes: tuple[int, ...], name: str
) -> None:
    """Bits of one layer in several words, and of several layers in one."""
    run(gentle_case(Network(sizes, "sigmoid"), 6, 3, 2, seed=4, dropout=0.5), name, odds=(8, 8))


@pytest.mark.parametrize("name", ["n4", "n2k2c2", "n4compact"])
def test_apply_moves_a_frozen_layer_whose_velocity_is_not_zero(name: str) -> None:
    case = gentle_case(Network((9, 7, 6, 3), "tanh", frozen=(1,)), 5, 3, 2, seed=1, momentum=0.5)
    case.velocity[1][:] = np.arange(case.velocity[1].size).reshape(case.velocity[1].shape) << 20
    run(case, name)
    golden, _ = open_both(name)
    with golden:
        prepare(golden, case)
        for x, target, chosen, _ in case.steps():
            golden.set(chosen)
            golden.train(x, target)
            before, velocity = golden.read_weights()[1], golden.read_velocity()[1]
            golden.apply()
            assert (golden.read_weights()[1] != before).any()
            np.testing.assert_array_equal(golden.read_velocity()[1], (velocity + 1) // 2)


def test_a_batch_may_leave_out_every_unit_or_none() -> None:
    network = Network((9, 17, 6, 3), "sigmoid")
    for takes_part in (True, False):
        case = gentle_case(network, 4, 2, PRUNE_OFF, seed=2)
        shapes = [(4, units) for units in network.sizes[1:-1]]
        case.batches = [(x, t, replace(chosen, masked=True)) for x, t, chosen in case.batches]
        case.masks = [[np.full(shape, takes_part) for shape in shapes] for _ in case.batches]
        run(case, "n4")


def test_inference_has_no_masks_between_batches_that_have() -> None:
    case = gentle_case(Network((9, 17, 6, 3), "sigmoid"), 4, 3, 2, seed=2, dropout=0.5)
    case.batches[1] = (*case.batches[1][:2], replace(case.batches[1][2], masked=False))
    case.masks[1] = None
    run(case, "n8k3s")


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", HIDDEN_ACTIVATIONS)
def test_every_activation_and_loss_trains_as_the_golden_model(activation: str, loss: str) -> None:
    network = Network((9, 7, 6, 3), activation, loss)
    run(gentle_case(network, 5, 2, 2, seed=1), "n4")


@pytest.mark.parametrize("prune", range(1, PRUNE_OFF + 1))
def test_every_pruning_setting_drops_what_the_golden_model_drops(prune: int) -> None:
    run(gentle_case(Network((12, 13, 11, 9, 4), "tanh"), 4, 2, prune, seed=prune), "n8k3s")


@pytest.mark.parametrize("sizes", [(1, 1), (1, 1, 1, 1, 1), (3, 1, 5), (1, 7, 1, 3)])
@pytest.mark.parametrize("name", ["n1", "n16", "n2k2c2"])
def test_layers_narrower_than_the_lanes_and_of_one_unit(sizes: tuple[int, ...], name: str) -> None:
    for seed, loss in enumerate(LOSSES):
        run(gentle_case(Network(sizes, "sigmoid", loss), 3, 2, 1, seed), name)


@pytest.mark.parametrize("name", tiered("n4", "n4k4c3"))
def test_a_batch_longer_than_one_exchange_keeps_every_lane_busy(name: str) -> None:
    run(gentle_case(Network((10, 8, 5, 3), "relu"), 600, 1, 2, seed=5), name, odds=(8, 8))


@examples(15)
@given(several=st.lists(cases(3, 17, batches=3), min_size=2, max_size=4))
def test_one_network_leaves_nothing_behind_for_the_next(several: list[Case]) -> None:
    golden, sim = open_both("n8k3s")
    with golden, sim:
        for case in several:
            prepare(golden, case)
            prepare(sim, case)
            assert_same_run(golden, sim, case)


@pytest.mark.parametrize("name", ["n4", "n8k3s", "n2k2c2"])
def test_lanes_that_had_a_unit_in_a_wider_network_stay_silent(name: str) -> None:
    golden, sim = open_both(name)
    with golden, sim:
        for seed, sizes in enumerate([(9, 16, 12, 16), (9, 3, 5, 1), (7, 15, 1, 2)]):
            case = gentle_case(Network(sizes, "relu", "mse"), 10, 4, 2, seed)
            prepare(golden, case)
            prepare(sim, case)
            assert_same_run(golden, sim, case)


def test_samples_of_zeros_train_only_biases() -> None:
    network = Network((40, 20, 10), "relu", "mse")
    case = gentle_case(network, 3, 2, 1, seed=2)
    case.batches = [(x * 0, target, chosen) for x, target, chosen in case.batches]
    run(case, "n16")


@pytest.mark.parametrize("name", tiered(*ENGINES))
def test_velocities_at_the_edges_of_their_digits_end_a_batch_alike(name: str) -> None:
    """Powers of two and their neighbours: carries, borrows and clips wherever there can be one."""
    network = Network((17, 16), loss="mse")
    powers = [1 << place for place in range(VELOCITY_WIDTH - 1)]
    edges = [0, -(1 << (VELOCITY_WIDTH - 1))]
    edges += [sign * (power + near) for power in powers for sign in (-1, 1) for near in (-1, 0, 1)]
    velocity = [np.resize(np.array(edges), (18, 16)).astype(np.int64)]
    weights = [np.resize(np.array([-(1 << 31), -1, 0, (1 << 31) - 1]), (18, 16)).astype(np.int64)]
    least = MASTER_FRAC - APPLY_BIAS - network.layers[0].in_frac
    golden, sim = open_both(name)
    with golden, sim:
        for frac in (least, least + 1, least + 15, least + 16, least + 31, least + 46, least + 62):
            for momentum in (0, 1, 1 << 14, 3 << 13, (1 << 15) - 1):
                for device in (golden, sim):
                    device.configure(network, frac)
                before = [device.counters() for device in (golden, sim)]
                for device in (golden, sim):
                    device.write_weights(weights)
                    device.write_velocity(velocity)
                    device.set(Settings(1 << 14, 15, momentum))
                    device.apply()
                assert state(sim) == state(golden), (frac, momentum)
                assert counts(sim, before[1]) == counts(golden, before[0])


def test_no_learning_changes_nothing() -> None:
    """A rate so small that every update scalar rounds to zero."""
    case = gentle_case(Network((8, 9, 5), "tanh"), 4, 1, PRUNE_OFF, seed=3)
    case.batches = [(x, t, Settings(1 << 14, 63)) for x, t, _ in case.batches]
    golden, sim = open_both("n4")
    with golden, sim:
        prepare(golden, case)
        prepare(sim, case)
        before = state(sim)
        assert_same_run(golden, sim, case)
        assert state(sim) == before
        assert sim.counters().update_rows == 0


@pytest.mark.parametrize("name", tiered(*ENGINES))
def test_batches_of_one_with_pruning_changed_between_them(name: str) -> None:
    """Fewer samples than cores, and far fewer than are in flight; the state is read in between."""
    case = gentle_case(Network((20, 13, 9, 4), "tanh"), 1, 12, 1, seed=8)
    settings = [1, PRUNE_OFF, 3, 2]
    case.batches = [
        (x, target, replace(chosen, prune=settings[number % 4]))
        for number, (x, target, chosen) in enumerate(case.batches)
    ]
    run(case, name, odds=(8, 8))


@pytest.mark.parametrize("name", tiered("n4", "n1c5s"))
def test_the_state_can_be_read_in_the_middle_of_a_batch(name: str) -> None:
    network = Network((20, 13, 9, 4), "tanh")
    golden, sim = open_both(name)
    with golden, sim:
        case = gentle_case(network, 7, 2, 2, seed=9)
        for device in (golden, sim):
            prepare(device, case)
        for x, target, chosen in case.batches:
            states = []
            for device in (golden, sim):
                device.set(chosen)
                device.train(x[:3], target[:3])
                middle = state(device)
                device.infer(x)
                device.train(x[3:], target[3:])
                device.apply()
                states.append((middle, state(device)))
            assert states[0] == states[1]
            assert states[0][0] != states[0][1]


@pytest.mark.parametrize("name", tiered("n2k2c2", "n4k4c3"))
def test_more_samples_than_a_share_holds_are_summed_in_the_first_core(name: str) -> None:
    run(gentle_case(Network((6, 4, 3)), 3 * MAX_SHARE + 20, 1, 2, seed=7), name)


def test_what_a_core_adds_up_fits() -> None:
    """The largest product is that of the two least numbers of 16 bits."""
    most = 1 << (SHARE_WIDTH - 1)
    assert MAX_SHARE << (2 * VALUE_WIDTH - 2) < most <= (MAX_SHARE + 1) << (2 * VALUE_WIDTH - 2)
