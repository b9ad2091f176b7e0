# SPDX-License-Identifier: BSD-2-Clause

"""The cycle model against the compiled RTL's own counter, its formulas, and the chooser."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.effort import examples
from support.random_networks import Case, gentle_case, networks
from support.small_engines import MAX_LAYERS, SEVERAL, SINGLE, engine, prepare, tiered

from dualgate.contract.engine import Depths, EngineParameters
from dualgate.contract.errors import FitError
from dualgate.contract.network import Network
from dualgate.contract.sample_commands import mask_words
from dualgate.contract.settings import PRUNE_OFF
from dualgate.cycles import (
    Activity,
    Prediction,
    assumed_activity,
    choose,
    estimate,
    memory_bits,
    multipliers,
    predict,
)
from dualgate.cycles.activity import per_word
from dualgate.cycles.plan import MAC_LATENCY, Plan
from dualgate.cycles.yardsticks import SparseBackprop, dense_backprop, sparse_backprop
from dualgate.data import load_digits
from dualgate.devices import open_device
from dualgate_hw.common import mac
from dualgate_hw.common.shapes import Shapes
from dualgate_sim.golden.activity import activity

MNIST = Network((784, 16, 16, 10), "tanh")


def assert_predicted(
    case: Case, built: EngineParameters, within: float = 0.0
) -> list[tuple[Prediction, Activity]]:
    """Every batch takes the rows that the model says, and the cycles, up to a share of them."""
    found = []
    with open_device("sim", **vars(built)) as sim:
        prepare(sim, case)
        velocity = None
        for x, target, chosen, masks in case.steps():
            weights = sim.read_weights()
            seen = activity(case.network, weights, chosen, x, target, masks, velocity)
            before = sim.counters()
            sim.set(chosen)
            sim.train(x, target, masks)
            sim.apply()
            spent = sim.counters() - before
            expected = predict(case.network, built, seen)
            rows = (expected.value, expected.sums, expected.scaler, expected.update)
            counted = (spent.value_rows, spent.tangent_rows, spent.scale_rows, spent.update_rows)
            assert rows == counted
            assert abs(expected.cycles - spent.cycles) <= within * spent.cycles
            velocity = sim.read_velocity()
            found.append((expected, seen))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", SINGLE)
@examples(15)
@given(
    network=networks(MAX_LAYERS, 20),
    samples=st.integers(1, 20),
    prune=st.sampled_from([1, 2, 3, PRUNE_OFF]),
    dropout=st.sampled_from([0.0, 0.5]),
    momentum=st.sampled_from([0.0, 0.3, 0.9]),
    seed=st.integers(0, 999),
)
@example(network=Network((1, 1)), samples=1, prune=PRUNE_OFF, dropout=0.0, momentum=0.9, seed=0)
@example(network=Network((40, 1)), samples=20, prune=1, dropout=0.0, momentum=0.3, seed=1)
@example(
    network=Network((2, 40, 1, 40, 3), "tanh", "mse"),
    samples=9,
    prune=1,
    dropout=0.5,
    momentum=0.9,
    seed=2,
)
@example(
    network=Network((40, 19, 17, 9, 7), "relu"),
    samples=2,
    prune=PRUNE_OFF,
    dropout=0.0,
    momentum=0.0,
    seed=3,
)
@example(
    network=Network((9, 8, 7, 3), frozen=(0, 2)),
    samples=9,
    prune=2,
    dropout=0.5,
    momentum=0.9,
    seed=4,
)
@example(
    network=Network((40, 30, 7), "relu"), samples=1, prune=1, dropout=0.5, momentum=0.0, seed=5
)
def test_random_networks_take_the_predicted_cycles(
    name: str,
    network: Network,
    samples: int,
    prune: int,
    dropout: float,
    momentum: float,
    seed: int,
) -> None:
    usual = Network(network.sizes, network.hidden, network.loss, frozen=network.frozen)
    rate = dropout if network.hidden else 0.0
    case = gentle_case(usual, samples, 3, prune, seed, momentum, rate)
    assert_predicted(case, engine(name))


def test_a_compact_engine_is_not_predicted_from_zeros() -> None:
    seen = assumed_activity(MNIST, 0.2, samples=1)
    with pytest.raises(ValueError, match="depend on values: interpret its program"):
        predict(MNIST, EngineParameters(4, arrays=1, compact=1), seen)


@pytest.mark.slow
@pytest.mark.parametrize("name", tiered(*SEVERAL))
@pytest.mark.parametrize("prune", [PRUNE_OFF, 2])
def test_several_cores_take_the_predicted_cycles_within_3_percent(name: str, prune: int) -> None:
    assert_predicted(digits(prune, 40), engine(name), within=0.03)


def digits(prune: int, pixels: int = 64) -> Case:
    """Three batches of digits, or of their upper rows of pixels, which small engines hold."""
    network = Network((pixels, 32, 16, 10), "tanh")
    case = gentle_case(network, 32, 1, prune, 0)
    data = load_digits().train
    x = network.quantize_inputs(data.x[:96, :pixels])
    target = network.quantize_targets(data.target[:96])
    chosen = case.batches[0][2]
    case.batches = [(x[i : i + 32], target[i : i + 32], chosen) for i in range(0, 96, 32)]
    return case


@pytest.mark.slow
@pytest.mark.parametrize("prune", [PRUNE_OFF, 2, 1])
@pytest.mark.parametrize("name", ["n4", "n8k3s", None])
def test_digits_take_the_predicted_cycles(name: str | None, prune: int) -> None:
    """The last of these engines is the one that training uses."""
    built = engine(name) if name else EngineParameters()
    case = digits(prune, 40 if name else 64)
    for exact, seen in assert_predicted(case, built):
        close = estimate(case.network, built, seen).cycles_per_sample / exact.cycles_per_sample
        assert 0.75 < close < 1.05


@pytest.mark.slow
def test_a_batch_longer_than_the_pipeline_takes_the_predicted_cycles() -> None:
    assert_predicted(gentle_case(Network((10, 8, 5, 3), "relu"), 200, 1, 2, 5), engine("n4"))


def test_the_model_stands_for_the_gateware_as_it_is_built() -> None:
    shapes = Shapes(engine("n1"))
    assert Depths() == Depths(shapes.contexts, shapes.slots, shapes.threads)
    assert mac.MAC_LATENCY == MAC_LATENCY


@pytest.mark.parametrize("arrays", [1, 3])
def test_a_lane_takes_its_formula_of_requests_and_no_fewer_cycles(arrays: int) -> None:
    network = Network((30, 20, 9, 5), "tanh")
    parameters = EngineParameters(8, arrays=arrays)
    seen = assumed_activity(network, 0.5, 0.5, samples=50)
    found = predict(network, parameters, seen)
    groups, counts = [3, 2, 1], [16, 21, 10]
    assert found.value == 50 * sum(g * c for g, c in zip(groups, counts, strict=True))
    assert found.update == found.value
    # Seeds of both hidden layers, and what is kept of the first one's tags.
    kept = round(0.5 * 9)
    assert found.sums == 50 * (20 * 2 + 9 * 1 + 20 * kept * 1)
    assert found.scaler == 50 * (20 * (2 + 1) + 9 * 1)
    # Groups of a layer may follow each other without the unit's 9 cycles.
    assert 50 * (20 + 9 + 5 + 3 * 9) <= found.activation <= 50 * (20 + 9 + 5 + 6 * 9)
    assert found.loader == 50 * (15 + 5 + 4)
    plan = Plan(network, parameters, Depths())
    assert found.error == 50 * plan.error_pace
    assert plan.error_pace == 2 * 5 + 26
    assert plan.error_cycles == (2 * 5 + 25) + 5 + 11
    assert found.batch_end == 3 // arrays * (3 * 31 + 2 * 21 + 10) + 2 * 3 + 7
    lanes = [found.value, found.sums + found.scaler, found.update]
    least = sum(lanes) if arrays == 1 else max(lanes)
    assert least + found.batch_end <= found.cycles
    bounds = estimate(network, parameters, seen).bounds
    assert bounds["value"] == found.value / 50
    assert bounds["loader"] == found.loader / 50
    assert bounds["activation"] == 20 + 9 + 5 + 3 * 9 <= found.activation / 50


@pytest.mark.parametrize("loss", ["mse", "bce", "sigmoid-mse", "perceptron"])
def test_the_error_unit_takes_an_output_a_cycle(loss: str) -> None:
    plan = Plan(Network((3, 7), loss=loss), EngineParameters(4), Depths())
    assert plan.error_pace == 1 + 7
    assert plan.error_cycles == 7 + 11


@pytest.mark.slow
def test_dropped_units_take_no_rows_and_each_mask_word_a_cycle() -> None:
    """The first layer's values are the same, so that what is saved follows from the masks."""
    network, built = Network((12, 40, 5), "sigmoid"), engine("n8k3s")
    without = gentle_case(network, 20, 1, PRUNE_OFF, 6)
    dropped = gentle_case(network, 20, 1, PRUNE_OFF, 6, dropout=0.5)
    ((plain, full),) = assert_predicted(without, built)
    ((found, seen),) = assert_predicted(dropped, built)
    left_out = int((~dropped.masks[0][0]).sum())  # type: ignore[index]
    assert 300 < left_out < 500
    assert plain.value - found.value == left_out * built.groups_of(network.layers[1])
    assert plain.sums - found.sums == left_out * built.groups_of(network.layers[1])
    assert (seen.loads - full.loads).tolist() == [mask_words(network)] * 20 == [2] * 20
    assert found.loader - plain.loader == 2 * 20
    assert found.cycles < plain.cycles


def test_an_idle_batch_is_a_latency_and_a_batch_s_end() -> None:
    """One sample of a network without hidden layers: every term is in a docstring."""
    network = Network((6, 3), loss="bce")
    seen = assumed_activity(network, 1.0, samples=1)
    found = predict(network, EngineParameters(4), seen)
    steps = 6 + 1
    value = 3 + 3 + (steps - 1) + (3 + 13 - 1)
    error = 3 + 11
    update = 1 + 6 + 3 + steps
    assert found.last == value + error + update
    # The last row is on its way for 4 cycles after its step, 1 before the sample leaves.
    assert found.cycles == found.last - 1 + 4 + found.batch_end
    assert found.pace == 0


def test_the_weight_step_visits_touched_rows_once_it_knows_them() -> None:
    """Of 2 groups, one is reached by an update and one by an old velocity, in a row each."""
    network = Network((5, 7, 3))
    seen = assumed_activity(network, 1.0, samples=1)
    nothing = [np.zeros((layer.rows, layer.outputs), bool) for layer in network.layers]
    every = predict(network, EngineParameters(4, arrays=1), seen)
    assert every.batch_end == 3 * (2 * 6 + 8) + 2 * 2 + 7
    nothing[0][5, 1:4] = nothing[0][2, 6] = True
    some = replace(seen, moving=tuple(nothing))
    for parameters, cycles in (
        (EngineParameters(4), 2 + 8),
        (EngineParameters(4, arrays=1, apply_lanes=2), 3 * 2 * 2 + 8),
        (EngineParameters(4, cores=2), 2 * 6 + 8 + 2 * 2 + 7),
    ):
        found = predict(network, parameters, some)
        assert found.batch_end == estimate(network, parameters, some).batch_end == cycles
        assert found.cycles == predict(network, parameters, seen).cycles + cycles - (
            predict(network, parameters, seen).batch_end
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["n4", "n2k2s"])
def test_one_sample_without_momentum_touches_the_rows_of_its_nonzeros(name: str) -> None:
    case = gentle_case(Network((40, 12, 5), "tanh"), 1, 3, 1, 7, momentum=0.0)
    (every, _), *others = assert_predicted(case, engine(name))
    for found, _ in others:
        steps = 3 // engine(name).arrays * engine(name).strips * found.update
        assert found.batch_end == steps + 8 < every.batch_end


def test_words_are_counted_from_the_first_lane() -> None:
    flags = np.array([[1, 0, 1, 1, 0, 0, 0, 0, 1]], bool)
    assert per_word(flags, 4).tolist() == [[3, 0, 1]]
    assert per_word(flags, 16).tolist() == [[4]]


@pytest.mark.parametrize(("cycles", "count"), [(1646, 16), (549, 48), (412, 64), (183, 144)])
def test_dense_backprop_is_what_the_goal_says(cycles: int, count: int) -> None:
    assert round(dense_backprop(MNIST, count)) == cycles


def test_sparse_backprop_counts_rows() -> None:
    network = Network((30, 20, 9, 5), "tanh")
    seen = assumed_activity(network, 0.5, samples=10)
    shared = sparse_backprop(network, EngineParameters(8, arrays=1), seen, 100)
    walked = 3 * 16 + 2 * 21 + 1 * 10
    assert (shared.value, shared.update, shared.batch_end) == (walked, walked, 10)
    assert shared.transposed == 9 * 3 + 5 * 2
    assert shared.cycles == 2 * walked + 37 + 10
    assert sparse_backprop(network, EngineParameters(8, arrays=3), seen, 100).cycles == walked + 10


@pytest.mark.parametrize(
    ("lanes", "cycles"),
    [
        (1, 100),
        (2, 100),  # the fourth array helps the values, and then the updates are the slowest
        (3, 60),
        (4, 50),
        (8, 30),
    ],
)
def test_sparse_backprop_has_as_many_arrays_as_the_engine(lanes: int, cycles: float) -> None:
    engine = EngineParameters(16, tangent_lanes=lanes)
    arrays = engine.multipliers // engine.neurons
    assert SparseBackprop(100, 60, 100, 0, arrays, False, 1).rows == cycles
    shared = EngineParameters(16, tangent_lanes=lanes, arrays=1)
    arrays = shared.multipliers // shared.neurons
    assert SparseBackprop(100, 60, 100, 0, arrays, True, 1).rows == 260 / lanes


SEEN = assumed_activity(MNIST, 0.2, 0.5)


def test_more_multipliers_are_used_where_they_help() -> None:
    paces = []
    for count in (4, 8, 20, 60, 500):
        found = choose(MNIST, SEEN, count, 1 << 30)
        assert found.multipliers == multipliers(found.engine) <= count
        found.engine.check(MNIST)
        paces.append(found.estimate.cycles)
    assert paces == sorted(paces, reverse=True)
    # No layer is wider than 16: wider engines would only cost more.
    assert (found.engine.neurons, found.engine.arrays) == (16, 3)


def test_memory_decides_where_it_is_scarce() -> None:
    rich = choose(MNIST, SEEN, 60, 1 << 30)
    poor = choose(MNIST, SEEN, 60, rich.memory_bits - 1)
    assert poor.memory_bits < rich.memory_bits
    assert poor.estimate.cycles > rich.estimate.cycles
    for field in fields(EngineParameters):
        if field.name not in ("neurons", "arrays", "compact", "apply_lanes"):
            more = {field.name: 2 * getattr(rich.engine, field.name)}
            assert memory_bits(replace(rich.engine, **more)) > rich.memory_bits


def test_a_board_that_is_too_small_is_told_what_is_needed() -> None:
    with pytest.raises(FitError, match=r"^2 multipliers are too few for any engine; it needs 4$"):
        choose(MNIST, SEEN, 2, 1 << 30)
    with pytest.raises(FitError, match=r"784,16,16,10 does not fit: memory has 1000 bits, needed"):
        choose(MNIST, SEEN, 60, 1000)
    huge = Network((1 << 16, 2))
    with pytest.raises(FitError, match="does not fit any engine; use a smaller network"):
        choose(huge, assumed_activity(huge, 0.1, samples=1), 60, 1 << 30)
