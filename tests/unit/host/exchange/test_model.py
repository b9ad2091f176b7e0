# SPDX-License-Identifier: BSD-2-Clause

"""Models with real weights: their steps, and their way to a device."""

import numpy as np
import pytest
from hypothesis import given
from support.effort import examples
from support.exchange_models import assert_same, inputs, models, small

from dualgate.contract.errors import InputError
from dualgate.contract.formats import MASTER
from dualgate.contract.network import Network
from dualgate.devices import open_device
from dualgate.exchange import Model
from dualgate.exchange.assemble import assemble
from dualgate.exchange.steps import Activate, Dense, Drop, leaky_relu, softmax


@examples(40)
@given(models())
def test_steps_are_put_together_again(model: Model) -> None:
    assert_same(assemble(model.steps()), model)


@examples(40)
@given(models())
def test_master_weights_are_the_weights_to_the_last_place(model: Model) -> None:
    rounded = Model.of_device(model.network, model.master_weights())
    for mine, theirs in zip(model.weights, rounded.weights, strict=True):
        assert np.abs(mine - theirs).max() <= 2.0**-29
    assert_same(Model.of_device(model.network, rounded.master_weights()), rounded)


def test_a_device_answers_as_the_model_does() -> None:
    model = small()
    x = inputs(model, 50)
    with open_device("golden") as device:
        device.configure(model.network, 12)
        device.write_weights(model.master_weights())
        outputs = device.infer(model.network.quantize_inputs(x))
    assert np.abs(model.network.output_format.real(outputs) - model.outputs(x)).max() < 2e-3


def test_weights_out_of_range_are_refused_and_counted() -> None:
    model = small()
    model.weights[1][0] = [8.0, -9.5]
    with pytest.raises(
        InputError, match=r"^2 of 8 weights of layer 1 are outside .* \[-8, 8\), the largest 9.5;"
    ):
        model.master_weights()
    model.weights[1][0] = [MASTER.max, MASTER.min]
    assert model.master_weights()[1][0].tolist() == [(1 << 31) - 1, -(1 << 31)]


def test_a_perceptron_has_no_counterpart_elsewhere() -> None:
    model = small("perceptron")
    with pytest.raises(InputError, match=r"^the step of a perceptron's outputs is not supported"):
        list(model.steps())


def test_a_model_is_checked() -> None:
    network = Network((4, 3, 2), "tanh")
    good = small().weights
    with pytest.raises(InputError, match=r"^weights have shapes"):
        Model(network, good[:1])
    with pytest.raises(InputError, match=r"^weights hold NaN"):
        Model(network, [good[0], good[1] * np.nan])
    for rates in ((0.1, 0.1), (1.0,), (-0.1,)):
        with pytest.raises(InputError, match=r"give 1 rates from 0 to below 1$"):
            Model(network, good, rates)


A, B = Dense.of(np.ones((4, 3))), Dense.of(np.ones((3, 2)), [1.0, 2.0])
TANH, DROP = Activate("tanh"), Drop(0.5)


def test_logits_take_the_loss_they_are_given() -> None:
    assert assemble([A, TANH, B]).network.loss == "mse"
    for loss in ("bce", "cce", "sigmoid-mse"):
        assert assemble([A, TANH, B], loss).network.loss == loss
    assert assemble([A, TANH, B, Activate("sigmoid")], "sigmoid-mse").network.loss == "sigmoid-mse"


@pytest.mark.parametrize(
    ("steps", "loss", "message"),
    [
        ([], None, r"^there is no linear layer"),
        ([TANH, A], None, r"^step 1, Activate\(name='tanh'\), comes before any linear layer"),
        ([A, TANH, A], None, r"^step 3 takes 4 values, and the layer before gives 3"),
        ([A, TANH, TANH, B], None, r"^step 3, .*one activation at most"),
        ([A, DROP, TANH, B], None, r"^step 3, .*one dropout after it"),
        ([A, DROP, DROP, B], None, r"^step 3, .*one dropout after it"),
        ([A, B, DROP], None, r"^there is dropout after the last layer"),
        ([A, Activate("softmax"), B], None, r"^softmax in a hidden layer is not supported"),
        ([A, B, TANH], None, r"^tanh at the outputs is not supported; choose identity, sigmoid"),
        ([A, B, Activate("softmax")], "bce", r"^the loss bce needs sigmoid at the outputs"),
        ([A, B], "hinge", r"^unknown loss 'hinge'"),
        ([A, Drop(1.0), B], None, r"^dropout \(1.0,\): give 1 rates"),
    ],
)
def test_what_no_network_has_is_refused(steps: list, loss: str | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        assemble(steps, loss)


def test_other_slopes_and_axes_are_refused() -> None:
    with pytest.raises(InputError, match=r"slope 0.2 is not supported; .* 1/128 = 0.0078125$"):
        leaky_relu(0.2)
    with pytest.raises(InputError, match=r"^softmax over axis 0"):
        softmax(0)


def test_a_loss_that_transforms_its_outputs_is_not_exchanged() -> None:
    with pytest.raises(InputError, match=r"^the loss msle transforms the outputs"):
        list(small("msle").steps())
