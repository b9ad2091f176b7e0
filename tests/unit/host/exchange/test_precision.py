# SPDX-License-Identifier: BSD-2-Clause

"""Binary points of networks that are read: small values get the bits that they can have."""

import warnings

import numpy as np
import pytest
from numpy.typing import NDArray

from dualgate.contract.network import Network
from dualgate.devices import open_device
from dualgate.exchange import ExchangeWarning, Model
from dualgate.exchange.assemble import assemble
from dualgate.exchange.steps import Activate, Dense, Step

RANDOM = np.random.default_rng(2)
HIDDEN = Dense.of(RANDOM.normal(0, 0.5, (4, 8)), RANDOM.normal(0, 0.5, 8))
OUT = Dense.of(RANDOM.normal(0, 0.3, (8, 1)), [0.1])


def scaled(factor: float, activation: str = "tanh") -> list[Step]:
    return [HIDDEN, Activate(activation), Dense(factor * OUT.weights)]


def share_explained(model: Model) -> float:
    x = np.random.default_rng(3).normal(0, 1, (300, 4))
    with open_device("golden") as device:
        device.configure(model.network, 20)
        device.write_weights(model.master_weights())
        found = model.network.predictions(device.infer(model.network.quantize_inputs(x)))
    wanted: NDArray[np.float64] = model.outputs(x)
    return float(1 - ((found - wanted) ** 2).sum() / ((wanted - wanted.mean()) ** 2).sum())


def test_small_outputs_get_the_fraction_bits_that_fit() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = assemble(scaled(0.03))
    assert model.network.linear_frac == 14
    assert share_explained(model) > 0.99
    coarse = Model(Network((4, 8, 1), ("tanh",), "mse"), model.weights)
    assert share_explained(coarse) < share_explained(model)


def test_outputs_of_a_few_steps_are_read_with_a_warning_that_helps() -> None:
    with pytest.warns(ExchangeWarning, match="of order .*e-04 .* by a number such as 4096$"):
        model = assemble(scaled(1e-3))
    assert model.network.linear_frac == 14
    assert share_explained(model) < 0.99
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        helped = assemble(scaled(1e-3 * 4096))
    assert share_explained(helped) > 0.999


@pytest.mark.parametrize("activation", ["relu", "identity", "leaky_relu"])
def test_values_that_may_be_large_keep_their_range(activation: str) -> None:
    assert assemble(scaled(1.0, activation)).network.linear_frac == 10
    with pytest.warns(ExchangeWarning, match="of order"):
        assert assemble(scaled(1e-3, activation)).network.linear_frac == 10


def test_a_network_without_unbounded_values_keeps_its_points() -> None:
    steps = [HIDDEN, Activate("tanh"), Dense(1e-3 * OUT.weights), Activate("sigmoid")]
    assert assemble(steps).network == Network((4, 8, 1), ("tanh",), "bce")
