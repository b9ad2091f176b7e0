# SPDX-License-Identifier: BSD-2-Clause

"""The scalar perceptron: tags of units against tags of weights, the reference, and XOR."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dualgate.contract.activations import HIDDEN_ACTIVATIONS
from dualgate.contract.errors import InputError
from dualgate.contract.losses import LOSSES
from dualgate.contract.network import Network
from dualgate.floating.dual import (
    LargestPerNumber,
    Policy,
    RandomPerNumber,
    RelativePerTag,
    keep_all,
    variable,
)
from dualgate.floating.dual import network as scalar
from dualgate_sim.testing import reference

Floats = NDArray[np.float64]

EVERY = [(activation, loss) for activation in HIDDEN_ACTIVATIONS for loss in LOSSES]


def problem(network: Network, seed: int, samples: int = 4) -> tuple[list[Floats], Floats, Floats]:
    """Random weights, inputs and targets."""
    random = np.random.default_rng(seed)
    weights = [random.standard_normal((layer.rows, layer.outputs)) for layer in network.layers]
    x = random.uniform(-1, 1, (samples, network.sizes[0]))
    n = network.sizes[-1]
    if network.loss == "cce":
        return weights, x, np.eye(n)[random.integers(0, n, samples)]
    return weights, x, random.uniform(0, 1, (samples, n))


def assert_close(got: list[Floats], want: list[Floats]) -> None:
    for one, other in zip(got, want, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(("activation", "loss"), EVERY)
def test_tags_of_units_give_what_tags_of_weights_do(activation: str, loss: str) -> None:
    network = Network((3, 4, 3, 2), activation, loss)
    weights, x, target = problem(network, 1, samples=1)
    tagged = [
        [[variable(v, ("w", i, r, j)) for j, v in enumerate(row)] for r, row in enumerate(w)]
        for i, w in enumerate(weights)
    ]
    trace = scalar.forward(network, tagged, x[0].tolist())
    by_weight = scalar.loss(network, trace, target[0])
    slopes = scalar.gradient(network, weights, x, target)
    assert_close(
        slopes,
        [
            np.array(
                [
                    [by_weight.derivative(("w", i, r, j)) for j in range(w.shape[1])]
                    for r in range(w.shape[0])
                ]
            )
            for i, w in enumerate(weights)
        ],
    )


@pytest.mark.parametrize(("activation", "loss"), EVERY)
def test_the_gradient_is_that_of_the_reference(activation: str, loss: str) -> None:
    network = Network((3, 5, 4, 4, 2), activation, loss)
    weights, x, target = problem(network, 2)
    for setting in (15, 1, 2):
        policy = RelativePerTag(setting)
        got = scalar.gradient(network, weights, x, target, policy)
        assert_close(got, reference.gradient(network, weights, x, target, setting))


@pytest.mark.parametrize("policy", [LargestPerNumber(2), RandomPerNumber(2)])
def test_pruning_per_number_spares_the_output_layer(policy: Policy) -> None:
    network = Network((3, 6, 6, 6, 2), "sigmoid", "cce")
    weights, x, target = problem(network, 3)
    exact = scalar.gradient(network, weights, x, target)
    pruned = scalar.gradient(network, weights, x, target, policy)
    same = [np.array_equal(a, b) for a, b in zip(exact, pruned, strict=True)]
    assert same[:2] == [False, False]
    assert same[-1]


def test_a_frozen_layer_has_no_tags_and_no_gradient() -> None:
    network = Network((3, 4, 4, 2), "tanh", "mse")
    weights, x, target = problem(network, 4)
    exact = scalar.gradient(network, weights, x, target)
    frozen = scalar.gradient(network, weights, x, target, keep_all, frozen={0, 2})
    assert not frozen[0].any()
    assert not frozen[2].any()
    assert np.array_equal(frozen[1], exact[1])
    numbers = [w.tolist() for w in weights]
    trace = scalar.forward(network, numbers, x[0].tolist(), frozen={0, 2})
    assert {tag[0] for n in trace.values[-1] for tag in n.tangents} == {1}  # type: ignore[index]


def test_a_confident_answer_that_is_wrong_still_learns() -> None:
    network = Network((1, 1), "tanh", "bce")
    (slope,) = scalar.gradient(network, [[[100.0], [0.0]]], [[1.0]], [[0.0]])
    assert slope.tolist() == [[1.0], [1.0]]


def test_batches_that_do_not_match_are_refused() -> None:
    network = Network((1, 1), "tanh", "mse")
    for x, target in (([[1.0]], [[1.0], [2.0]]), (np.empty((0, 1)), np.empty((0, 1)))):
        with pytest.raises(InputError, match=r"inputs for . targets; match them$"):
            scalar.gradient(network, [[[1.0], [0.0]]], x, target)


def test_xor_is_learnt() -> None:
    """Of three inputs, the third a constant one, as in the workshop: 3-4-1 of sigmoids."""
    network = Network((3, 4, 1), "sigmoid", "bce")
    x = np.array([[a, b, 1.0] for a in (0.0, 1.0) for b in (0.0, 1.0)])
    target = np.logical_xor(x[:, :1], x[:, 1:2]).astype(float)
    weights = [np.random.default_rng(0).standard_normal((n, m)) for n, m in ((4, 4), (5, 1))]
    for _ in range(400):
        slopes = scalar.gradient(network, weights, x, target)
        weights = [w - 2.0 * g for w, g in zip(weights, slopes, strict=True)]
    numbers = [w.tolist() for w in weights]
    outputs = [scalar.forward(network, numbers, s).values[-1][0].value for s in x.tolist()]
    assert np.abs(np.array(outputs) - target[:, 0]).max() < 0.1
