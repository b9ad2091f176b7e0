# SPDX-License-Identifier: BSD-2-Clause

"""The perceptron rule on devices, beside the one in floating point: the same mistakes and weights.

Inputs are quarters and the rate is 1/16, so that nothing is rounded anywhere. A perceptron that
starts from zeros decides alike under every rate.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.effort import examples
from support.small_engines import engine

from dualgate.contract.activations import ONE
from dualgate.contract.errors import InputError
from dualgate.contract.formats import MASTER
from dualgate.contract.network import Network
from dualgate.contract.settings import make_settings, update_frac
from dualgate.data.samples import Samples
from dualgate.devices import Device, open_device
from dualgate.devices.checked import CheckedDevice, golden_model
from dualgate.estimator import Classifier
from dualgate.floating import Perceptron
from dualgate.train.recipe import Recipe
from dualgate.train.trainer import Trainer

RATE = 1 / 16
CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]) / 1.0
TABLES = {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "nand": [1, 1, 1, 0], "xor": [0, 1, 1, 0]}


def on_line(
    device: Device, x: NDArray[Any], labels: Any, epochs: int
) -> tuple[list[int], NDArray[np.float64]]:
    """Mistakes of each epoch, up to one without any, and the weights, from zeros."""
    network = Network((x.shape[1], 1), loss="perceptron")
    frac = update_frac(network, RATE, 1)
    device.configure(network, frac)
    device.set(make_settings(network, frac, RATE, 1))
    inputs = network.quantize_inputs(x)
    targets = network.quantize_targets(np.asarray(labels)[:, None])
    mistakes = []
    for _ in range(epochs):
        wrong = 0
        for a, t in zip(inputs, targets, strict=True):
            output = device.train(a[None], t[None])
            assert output[0, 0] in (0, ONE)
            wrong += int(output[0, 0] != t[0])
            device.apply()
        mistakes.append(wrong)
        if not wrong:
            break
    return mistakes, MASTER.real(device.read_weights()[0])[:, 0]


def quarters(seed: int, separable: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    random = np.random.default_rng(seed)
    x = random.integers(-4, 5, (25, 3)) / 4
    labels = (x @ [1.0, -2.0, 0.5] > 0.25).astype(int)
    return x, labels if separable else random.integers(0, 2, 25)


@examples(40)
@given(seed=st.integers(0, 999), separable=st.booleans())
def test_mistakes_and_weights_are_those_of_floating_point(seed: int, separable: bool) -> None:
    x, labels = quarters(seed, separable)
    with open_device("golden") as device:
        mistakes, weights = on_line(device, x, labels, 12)
        assert device.counters().saturations == 0
    real = Perceptron(12).fit(x, labels)
    assert mistakes == real.mistakes_
    assert weights.tolist() == [*(RATE * real.coef_), RATE * real.intercept_]


@pytest.mark.parametrize("name", TABLES)
def test_the_simulated_hardware_learns_what_a_line_can_part(name: str) -> None:
    real = Perceptron(10).fit(CORNERS, TABLES[name])
    with open_device("sim", **vars(engine("n4"))) as sim:
        mistakes, weights = on_line(CheckedDevice(sim, golden_model), CORNERS, TABLES[name], 10)
    assert mistakes == real.mistakes_
    assert weights.tolist() == [*(RATE * real.coef_), RATE * real.intercept_]
    assert (mistakes[-1] == 0) == (name != "xor")


def test_a_run_ends_without_a_mistake_and_its_loss_counts_them() -> None:
    samples = Samples.of_yes_or_no(CORNERS, np.array(TABLES["and"]))
    recipe = Recipe(20, batch=1, lr=RATE)
    trainer = Trainer(Network((2, 1), loss="perceptron"), recipe, samples, samples)
    with open_device("golden") as device:
        records = list(trainer.run(device))
    assert records[-1].loss == records[-1].held_out_loss == 0.0
    assert records[-1].accuracy == records[-1].held_out_accuracy == 1.0
    for record in records:
        assert record.accuracy is not None
        assert record.loss == 1.0 - record.accuracy


def test_several_outputs_learn_each_by_itself() -> None:
    with open_device("golden") as device:
        alone = [on_line(device, CORNERS, TABLES[name], 8)[1] for name in ("and", "or")]
        network = Network((2, 2), loss="perceptron")
        frac = update_frac(network, RATE, 1)
        device.configure(network, frac)
        device.set(make_settings(network, frac, RATE, 1))
        x = network.quantize_inputs(CORNERS)
        t = network.quantize_targets(np.array([TABLES["and"], TABLES["or"]]).T)
        for _ in range(8):
            for a, wanted in zip(x, t, strict=True):
                device.train(a[None], wanted[None])
                device.apply()
        weights = MASTER.real(device.read_weights()[0])
    assert np.array_equal(weights, np.stack(alone, axis=1))


def test_hidden_units_cannot_step() -> None:
    message = r"^hidden units cannot have the activation step"
    with pytest.raises(InputError, match=message):
        Network((2, 3, 1), "step", "perceptron")
    with pytest.raises(InputError, match=message):
        Network((2, 3, 3, 1), ("tanh", "step"), "bce")


def test_a_classifier_needs_probabilities() -> None:
    with pytest.raises(InputError, match=r"^loss 'perceptron' gives no probabilities; choose sigm"):
        Classifier(loss="perceptron").fit(CORNERS, TABLES["and"])


def test_an_optimiser_on_the_host_takes_the_same_gradient() -> None:
    """Nesterov without momentum is SGD, moved by the host."""
    samples = Samples.of_yes_or_no(*quarters(1, True))
    recipe = Recipe(5, batch=1, lr=RATE, optimiser="sgd")
    weights = []
    for chosen in (recipe, replace(recipe, optimiser="nesterov")):
        with open_device("golden") as device:
            list(Trainer(Network((3, 1), loss="perceptron"), chosen, samples).run(device))
            weights.append(device.read_weights()[0])
    assert np.array_equal(*weights)
