# SPDX-License-Identifier: BSD-2-Clause

"""The check: silent while two devices agree, and exact about the first difference."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from support.small_runs import NETWORK, RECIPE, blobs, golden

from dualgate.contract.commands import COUNTERS
from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import DeviceError, Mismatch
from dualgate.devices import Device, open_device
from dualgate.devices.checked import CheckedDevice, golden_model
from dualgate.train.trainer import Trainer


class Faulty:
    """A device one of whose methods returns something else, from its n-th call on.

    Parameters
    ----------
    name : str
    change : callable
        What the method returns -> what it returns instead.
    after : int
        Calls that are left alone.
    """

    def __init__(self, name: str, change: Callable[[Any], Any], after: int = 0) -> None:
        self._device = golden()
        self._name, self._change, self._after = name, change, after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._device, name)
        if name != self._name:
            return method

        def changed(*args: Any) -> Any:
            self._after -= 1
            return method(*args) if self._after >= 0 else self._change(method(*args))

        return changed


def flip_bit(layer: int, row: int, unit: int, bit: int) -> Callable[[Any], Any]:
    def change(arrays: Any) -> Any:
        arrays[layer][row, unit] ^= 1 << bit
        return arrays

    return change


def run(device: Any, epochs: int = 2) -> CheckedDevice:
    trainer = Trainer(NETWORK, replace(RECIPE, epochs=epochs), blobs(), blobs(20, 1))
    with CheckedDevice(cast(Device, device), lambda engine: golden()) as checked:
        list(trainer.run(checked))
        return checked


def test_equal_devices_pass_and_are_counted() -> None:
    checked = run(golden())
    assert checked.batches == 2 * 4
    assert checked.parameters == NETWORK.parameters == 7 * 8 + 9 * 5 + 6 * 3


@pytest.mark.parametrize("bit", [0, 17, 30])
@pytest.mark.parametrize(("what", "method"), [("weight", "weights"), ("velocity", "velocity")])
def test_a_flipped_bit_is_found_where_it_is(what: str, method: str, bit: int) -> None:
    with pytest.raises(Mismatch) as caught:
        run(Faulty(f"read_{method}", flip_bit(1, 8, 3, bit), after=2))
    found = caught.value
    assert (found.batch, found.what, found.layer, found.index) == (3, what, 1, (8, 3))
    assert found.expected ^ found.got == 1 << bit
    assert str(found) == (
        f"not bit-identical: batch 3, {what} of layer 1 at [8, 3]: "
        f"expected {found.expected}, got {found.got}"
    )


def test_a_wrong_output_is_found_while_training_and_while_inferring() -> None:
    def change(outputs: Any) -> Any:
        outputs[5, 2] += 1
        return outputs

    with pytest.raises(Mismatch) as caught:
        run(Faulty("train", change, after=6))
    assert (caught.value.batch, caught.value.what, caught.value.layer) == (7, "output", 2)
    assert caught.value.index == (5, 2)
    assert caught.value.got == caught.value.expected + 1
    with pytest.raises(Mismatch, match=r"^not bit-identical: batch 9, output of layer 2 at \[5, 2"):
        run(Faulty("infer", change, after=1))


@pytest.mark.parametrize("name", [name for name in COUNTERS if name != "cycles"])
def test_a_wrong_counter_is_found(name: str) -> None:
    def change(counters: Any) -> Any:
        return replace(counters, **{name: getattr(counters, name) + 1})

    with pytest.raises(Mismatch, match=rf"^not bit-identical: batch 1, {name}: expected \d+, got"):
        run(Faulty("counters", change, after=1))


def test_cycles_are_not_compared() -> None:
    run(Faulty("counters", lambda counters: replace(counters, cycles=counters.cycles + 1000)))


def test_weights_that_are_really_wrong_are_found_by_their_effect() -> None:
    with CheckedDevice(first := golden(), lambda engine: golden()) as checked:
        trainer = Trainer(NETWORK, RECIPE, blobs())
        next(trainer.run(checked))
        weights = first.read_weights()
        weights[0][0, 0] ^= 1
        first.write_weights(weights)
        x, target = np.zeros((1, 6), np.int64), np.zeros((1, 3), np.int64)
        checked.train(x, target)
        with pytest.raises(Mismatch, match=r"weight of layer 0 at \[0, 0\]"):
            checked.apply()


def test_a_wrong_shape_is_an_error_of_the_device() -> None:
    with pytest.raises(DeviceError, match=r"^outputs of layer 2 have .* \(12, 3\), not \(13, 3\)$"):
        run(Faulty("train", lambda outputs: outputs[1:]))


def test_the_reference_stands_for_the_engine_of_the_device() -> None:
    device = open_device("golden", neurons=4, tangent_lanes=2)
    seen = []

    def open_reference(engine: EngineParameters) -> Device:
        seen.append(engine)
        return golden_model(engine)

    with CheckedDevice(device, open_reference) as checked:
        list(Trainer(NETWORK, RECIPE, blobs()).run(checked))
        assert seen == [device.engine] == [checked.engine]
        assert (seen[0].neurons, seen[0].tangent_lanes) == (4, 2)


def test_the_parameters_are_known_after_configure() -> None:
    with CheckedDevice(golden(), lambda engine: golden()) as checked:
        assert checked.parameters == 0
