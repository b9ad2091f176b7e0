# SPDX-License-Identifier: BSD-2-Clause

"""A device behind words: what it does with answers that are wrong, and with many rows."""

from collections.abc import Callable

import numpy as np
import pytest
from support.fake_engine import FakeEngine

from dualgate.contract import commands
from dualgate.contract.commands import (
    MAX_PAYLOAD,
    PROTOCOL,
    Op,
    Status,
    Words,
)
from dualgate.contract.errors import DeviceError, FitError, InputError
from dualgate.contract.formats import MAX_BATCH
from dualgate.contract.network import Network
from dualgate.contract.settings import Settings


class Spoiled(FakeEngine):
    """An engine that breaks once it has a network."""

    def __init__(self, spoilt: list[int]) -> None:
        super().__init__()
        self.configure(Network((2, 1)), 12)
        self.write_weights([np.zeros((3, 1), np.int64)])
        self.write_velocity([np.zeros((3, 1), np.int64)])
        self.spoilt = np.array(spoilt, np.uint32)

    def spoil(self, answer: Words) -> Words:
        return getattr(self, "spoilt", answer)


def test_another_kind_of_device_is_not_mistaken_for_an_engine() -> None:
    device = FakeEngine()
    device.identity["magic"] = 0x1234
    with pytest.raises(DeviceError, match="not a dualgate engine; check the address"):
        device.configure(Network((2, 1)), 12)


def test_an_engine_of_another_protocol_is_refused() -> None:
    device = FakeEngine()
    device.identity["protocol"] = PROTOCOL + 1
    with pytest.raises(
        DeviceError, match=rf"protocol version {PROTOCOL + 1}, this host {PROTOCOL};"
    ):
        device.configure(Network((2, 1)), 12)


def test_memories_are_those_the_engine_names() -> None:
    device = FakeEngine()
    device.identity["rows"] = 3
    with pytest.raises(FitError, match="rows has 3, needed 10"):
        device.configure(Network((4, 3)), 12)
    assert device.said == [(Op.IDENTIFY, 0)]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ([], "responses do not match the commands"),
        ([commands.header(Op.INFER, 0)], "responses do not match the commands"),
        ([commands.header(Op.APPLY, 1), 7], "responses do not match the commands"),
        ([commands.header(Op.APPLY, 0)] * 2, "responses do not match the commands"),
        ([commands.header(Op.APPLY, 2), 7], "stopped in the middle of a response"),
        ([commands.header(Op.APPLY, 0, Status.LENGTH)], "refused APPLY with status LENGTH"),
        ([commands.header(Op.APPLY, 0, Status.UNKNOWN)], "refused APPLY with status UNKNOWN"),
    ],
)
def test_a_wrong_answer_is_an_error(answer: list[int], message: str) -> None:
    with pytest.raises(DeviceError, match=message):
        Spoiled(answer).apply()


@pytest.mark.parametrize("words", [0, 2, 3])
def test_a_sample_s_answer_of_the_wrong_length_is_an_error(words: int) -> None:
    device = Spoiled([commands.header(Op.INFER, words), *[5] * words])
    with pytest.raises(DeviceError, match="responses do not match the commands"):
        device.infer(np.zeros((1, 2), np.int64))


def test_rows_beyond_one_command_travel_in_several() -> None:
    network = Network((8191, 8))
    random = np.random.default_rng(0)
    device = FakeEngine()
    device.identity["rows"] = 1 << 15
    device.configure(network, 12)
    device.said.clear()
    shape = (8192, 8)
    weights = [random.integers(-1 << 31, 1 << 31, shape)]
    velocity = [random.integers(-1 << 45, 1 << 45, shape)]
    device.write_weights(weights)
    device.write_velocity(velocity)
    assert np.array_equal(device.read_weights()[0], weights[0])
    assert np.array_equal(device.read_velocity()[0], velocity[0])
    assert sum(op == Op.WRITE_WEIGHTS for op, _ in device.said) == 2
    assert sum(op == Op.READ_VELOCITY for op, _ in device.said) == 3
    assert max(length for _, length in device.said) <= MAX_PAYLOAD


def test_a_configuration_sends_no_rows() -> None:
    device = FakeEngine()
    device.configure(Network((4, 3)), 12)
    assert [op for op, _ in device.said] == [Op.IDENTIFY, Op.LAYER]


@pytest.mark.parametrize(
    "use",
    [
        lambda device: device.infer(np.zeros((1, 4), np.int64)),
        lambda device: device.apply(),
        lambda device: device.read_weights(),
        lambda device: device.read_velocity(),
    ],
)
def test_what_nobody_has_written_is_zero_when_it_is_used(
    use: Callable[[FakeEngine], object],
) -> None:
    device = FakeEngine()
    device.outputs = 3
    device.configure(Network((4, 3)), 12)
    device.write_weights([np.ones((5, 3), np.int64)])
    device.said.clear()
    use(device)
    use(device)
    writes = [op for op, _ in device.said if op in (Op.WRITE_WEIGHTS, Op.WRITE_VELOCITY)]
    assert writes == [Op.WRITE_VELOCITY]
    assert not any(map(np.any, device.read_velocity()))
    assert all(map(np.all, device.read_weights()))


@pytest.mark.parametrize("number", [1 << 31, -(1 << 31) - 1])
def test_a_weight_that_does_not_fit_is_refused_and_nothing_sent(number: int) -> None:
    device = FakeEngine()
    device.configure(Network((2, 1)), 12)
    device.said.clear()
    with pytest.raises(InputError, match="does not fit 32 bits"):
        device.write_weights([np.full((3, 1), number)])
    assert device.said == []


def test_a_batch_beyond_the_velocity_is_refused_until_the_batch_ends() -> None:
    device = FakeEngine()
    device.configure(Network((1, 1)), 12)
    device.set(Settings(1 << 14, 14))
    x = np.zeros((MAX_BATCH, 1), np.int64)
    device.train(x, x)
    with pytest.raises(InputError, match=f"more than {MAX_BATCH} samples"):
        device.train(x[:1], x[:1])
    device.apply()
    device.train(x[:1], x[:1])


def test_a_device_without_network_says_so() -> None:
    with pytest.raises(DeviceError, match="no network yet; call configure first"):
        FakeEngine().read_weights()
