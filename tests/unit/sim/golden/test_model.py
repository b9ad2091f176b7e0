# SPDX-License-Identifier: BSD-2-Clause

"""The golden model against the scalar model: the same bits, the same counts."""

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import event, given
from support.effort import examples
from support.random_networks import Bools, Case, Ints, cases
from support.scalar_model import COUNTED, ScalarModel

from dualgate.contract.errors import DeviceError, FitError, InputError
from dualgate.contract.formats import MASTER, MAX_BATCH, VELOCITY_WIDTH
from dualgate.contract.network import Network
from dualgate.contract.settings import Settings, make_settings
from dualgate.devices import Counters
from dualgate.optim.initialisers import initial_master_weights
from dualgate_sim.golden import arithmetic
from dualgate_sim.golden.device import GoldenDevice


def scalar_for(case: Case) -> ScalarModel:
    net = case.network
    model = ScalarModel(
        net.sizes,
        net.hidden,
        net.loss,
        net.input_frac,
        net.linear_frac,
        case.update_frac,
        case.neurons,
        net.frozen,
    )
    for layer, w, v in zip(model.layers, case.weights, case.velocity, strict=True):
        layer.master, layer.velocity = w.tolist(), v.tolist()
    return model


def golden_for(case: Case, neurons: int | None = None) -> GoldenDevice:
    device = GoldenDevice(neurons or case.neurons, "numpy")
    device.configure(case.network, case.update_frac)
    device.write_weights(case.weights)
    device.write_velocity(case.velocity)
    return device


def of_samples(masks: list[Bools] | None, x: Ints) -> list[list[list[bool]] | None]:
    """The masks of each sample, layer by layer."""
    if masks is None:
        return [None] * len(x)
    return [[mask[sample].tolist() for mask in masks] for sample in range(len(x))]


def counted(counters: Counters) -> dict[str, int]:
    return {name: count for name, count in asdict(counters).items() if name in COUNTED}


@examples(600)
@given(cases())
def test_golden_and_scalar_model_have_the_same_bits_and_counts(case: Case) -> None:
    model, device = scalar_for(case), golden_for(case)
    for x, target, chosen, masks in case.steps():
        event("masked" if chosen.masked else "not masked")
        device.set(chosen)
        outputs = [
            model.train(a, t, chosen.rate_mantissa, chosen.rate_shift, chosen.prune, mask)
            for a, t, mask in zip(x.tolist(), target.tolist(), of_samples(masks, x), strict=True)
        ]
        assert device.train(x, target, masks).tolist() == outputs
        assert [v.tolist() for v in device.read_velocity()] == [n.velocity for n in model.layers]
        assert counted(device.counters()) == model.counts
        device.apply()
        model.apply(chosen.momentum)
        assert [w.tolist() for w in device.read_weights()] == [n.master for n in model.layers]
        assert [v.tolist() for v in device.read_velocity()] == [n.velocity for n in model.layers]
        assert device.infer(x).tolist() == [model.infer(a) for a in x.tolist()]
        assert counted(device.counters()) == model.counts
    for name, count in model.counts.items():
        event(f"{name}: {'some' if count else 'none'}")


@given(cases(max_layers=3, max_width=20, batches=2))
@examples(60)
def test_lane_count_changes_nothing_but_counts_of_rows(case: Case) -> None:
    results = []
    for neurons in (1, 4, 16):
        device = golden_for(case, neurons)
        outputs = []
        for x, target, chosen, masks in case.steps():
            device.set(chosen)
            outputs.append(device.train(x, target, masks).tolist())
            device.apply()
        count = device.counters()
        results.append(
            (
                outputs,
                [w.tolist() for w in device.read_weights()],
                [v.tolist() for v in device.read_velocity()],
                (count.kept, count.dropped, count.saturations),
            )
        )
    assert results[0] == results[1] == results[2]


@given(cases(max_layers=3, batches=1))
@examples(40)
def test_samples_may_come_one_by_one_or_together(case: Case) -> None:
    x, target, chosen, masks = next(case.steps())
    together, apart = golden_for(case), golden_for(case)
    together.set(chosen)
    apart.set(chosen)
    whole = together.train(x, target, masks)
    parts = []
    for i in range(len(x)):
        one = None if masks is None else [mask[i : i + 1] for mask in masks]
        parts.append(apart.train(x[i : i + 1], target[i : i + 1], one))
    assert np.array_equal(whole, np.concatenate(parts))
    assert together.counters() == apart.counters()
    for one, other in zip(together.read_velocity(), apart.read_velocity(), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("weight", [-1 << 31, (1 << 31) - 1, 1 << 16, -1 << 16])
def test_exponents_beyond_the_shift_of_a_delta_agree(weight: int) -> None:
    """Ten layers of one weight: the shift would leave [-16, 47] on either side."""
    network = Network((3,) + (12,) * 9 + (2,), "identity", "mse")
    shapes = [(layer.rows, layer.outputs) for layer in network.layers]
    weights = [np.full(shape, weight) for shape in shapes]
    x, target = np.array([[40, -3, 0]]), np.array([[900, -20]])
    batch = (x, target, Settings(1 << 14, 15))
    case = Case(network, 12, 4, weights, [np.zeros(s, np.int64) for s in shapes], [batch])
    model, device = scalar_for(case), golden_for(case)
    device.set(batch[2])
    device.train(x, target)
    model.train(x[0].tolist(), target[0].tolist(), 1 << 14, 15, batch[2].prune)
    assert [v.tolist() for v in device.read_velocity()] == [n.velocity for n in model.layers]
    assert counted(device.counters()) == model.counts


def small_device() -> tuple[GoldenDevice, Network]:
    network = Network((2, 3, 1), "tanh", "bce")
    device = GoldenDevice(4, "numpy")
    device.configure(network, 12)
    return device, network


def test_chunks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    x, target = random.integers(-999, 999, (50, 2)), random.integers(0, 2, (50, 1)) << 14
    results = []
    for chunk, samples in ((21, 7), (150, 50)):
        monkeypatch.setattr(arithmetic, "CHUNK", chunk)
        device, network = small_device()
        assert arithmetic.samples_at_a_time(network) == samples
        device.write_weights(initial_master_weights(network, 1))
        device.set(Settings(1 << 14, 14))
        device.train(x, target)
        results.append([v.tolist() for v in device.read_velocity()])
    assert results[0] == results[1]


def test_a_chunk_is_as_long_as_the_largest_array_lets_it_be() -> None:
    lengths = {(784, 16, 16, 10): 510, (784, 64, 784): 7, (784, 512, 10): 78, (9, 600, 700, 1): 1}
    for sizes, samples in lengths.items():
        assert arithmetic.samples_at_a_time(Network(sizes)) == samples


def test_a_batch_beyond_the_velocity_is_refused_and_changes_nothing() -> None:
    device, _ = small_device()
    device.set(Settings(1 << 14, 14))
    zeros = np.zeros((MAX_BATCH + 1, 2), np.int64)
    with pytest.raises(InputError, match=f"more than {MAX_BATCH} samples"):
        device.train(zeros, zeros[:, :1])
    device.train(zeros[:9], zeros[:9, :1])
    assert device.counters().value_rows == 9 * 2


def test_the_largest_batch_of_the_largest_products_fits_a_velocity() -> None:
    """All weights zero, all errors extreme: each sample adds 2**30 to the output's velocities."""
    network = Network((1, 1), loss="mse", input_frac=14)
    device = GoldenDevice(1, "numpy")
    device.configure(network, 14)
    device.write_velocity([np.full((2, 1), (1 << 44) - 1)])
    device.set(Settings((1 << 15) - 1, 0))
    low = np.full((MAX_BATCH, 1), -1 << 15)
    device.train(low, np.full((MAX_BATCH, 1), (1 << 15) - 1))
    assert device.read_velocity()[0][0, 0] == (1 << (VELOCITY_WIDTH - 1)) - 1


def test_a_device_without_network_or_settings_says_so() -> None:
    zeros = np.zeros((1, 2), np.int64)
    with pytest.raises(DeviceError, match="no network yet"):
        GoldenDevice().infer(zeros)
    device, _ = small_device()
    with pytest.raises(DeviceError, match="no settings yet"):
        device.train(zeros, zeros[:, :1])
    with pytest.raises(DeviceError, match="no settings yet"):
        device.apply()


def test_stated_memories_are_limits() -> None:
    with pytest.raises(FitError, match="rows has 4, needed 7"):
        GoldenDevice(4, rows=4).configure(Network((2, 3, 1)), 12)


def test_the_worked_example_of_the_numerics_document_holds() -> None:
    network = Network((2, 2, 2, 2), "tanh", "cce")
    real = [
        [[0.5, -1.0], [0.75, 0.25], [0.125, 0]],
        [[1.5, 0.125], [-0.5, 1.0], [0, 0.25]],
        [[1.0, -0.5], [0.25, 2.0], [0, 0]],
    ]
    device = GoldenDevice(1, "numpy")
    device.configure(network, 12)
    device.write_weights([MASTER.quantize(w) for w in real])
    chosen = make_settings(network, 12, lr=0.8, batch=1, momentum=0.5, prune=1)
    assert chosen == Settings(26214, 17, 16384, 1)
    device.set(chosen)
    outputs = device.train(np.array([[2048, -6144]]), np.array([[16384, 0]]))
    assert outputs.tolist() == [[8384, 8000]]
    first = [v[0].tolist() for v in device.read_velocity()]
    assert first == [[-3125248, 2205696], [17743935, -22208538], [14107200, -14107200]]
    device.apply()
    first = [w[0].tolist() for w in device.read_weights()]
    assert first == [[184221696, -303726592], [331677444, 122388584], [212006656, -77788928]]
    first = [v[0].tolist() for v in device.read_velocity()]
    assert first == [[-1562624, 1102848], [8871968, -11104269], [7053600, -7053600]]
    assert device.counters() == Counters(0, 18, 12, 12, 18, 2, 2)
