# SPDX-License-Identifier: BSD-2-Clause

"""Losses: their values, and the weights of classes."""

import numpy as np
import pytest

from dualgate.contract.errors import InputError
from dualgate.contract.losses import LOSSES as RULES
from dualgate.floating.losses import LOSSES, Loss


@pytest.mark.parametrize("name", [name for name in RULES if name != "perceptron"])
def test_values_are_those_of_the_table(name: str) -> None:
    loss = LOSSES[name]
    assert loss.rule is RULES[name]
    random = np.random.default_rng(0)
    z = random.standard_normal((30, 4))
    target = np.eye(4)[random.integers(0, 4, 30)] if name == "cce" else random.random((30, 4))
    outputs = loss.rule.output.value(z)
    got = loss.of_samples(z, outputs, target)
    np.testing.assert_allclose(got, loss.rule.value(outputs, target), rtol=1e-12)


def test_the_perceptron_s_criterion_is_how_far_a_mistake_is_from_none() -> None:
    loss = LOSSES["perceptron"]
    z, target = np.array([[2.0, -3.0, 4.0, -5.0]]), np.array([[1.0, 1.0, 0.0, 0.0]])
    outputs = loss.rule.output.value(z)
    assert loss.terms(z, outputs, target).tolist() == [[0.0, 3.0, 4.0, 0.0]]
    assert loss.of_samples(z, outputs, target).tolist() == [7.0]
    assert loss.rule.value(outputs, target).tolist() == [2.0]


def test_the_logarithmic_square_is_a_square_of_transformed_targets() -> None:
    loss = LOSSES["msle"]
    y, t = np.array([[0.5, 99.0]]), np.array([[1.0, 9.0]])
    z = np.log1p(y)
    want = (np.log(1.5 / 2.0) ** 2 + np.log(100.0 / 10.0) ** 2) / 2
    assert loss.of_samples(z, z, loss.rule.transformed(t)) == pytest.approx(want, rel=1e-14)
    np.testing.assert_allclose(loss.rule.inverse(z), y, rtol=1e-14)


def test_a_probability_that_rounds_to_zero_has_a_finite_loss() -> None:
    z = np.array([[-800.0, 800.0]])
    for name in ("bce", "cce"):
        loss = LOSSES[name]
        with np.errstate(over="ignore"):
            y = loss.rule.output.value(z)
        expected = {"bce": 800.0, "cce": 1600.0}[name]
        assert loss.of_samples(z, y, np.array([[1.0, 0.0]])) == [expected]


@pytest.mark.parametrize(
    ("name", "target", "weights", "expected"),
    [
        ("cce", [[0, 1, 0], [0.5, 0, 0.5]], (1, 2, 5), [[2], [3]]),
        ("sigmoid-mse", [[0, 1], [1, 0]], (1, 4), [[4], [1]]),
        ("sigmoid-mse", [[0], [1]], (1, 4), [[1], [4]]),
        ("bce", [[0, 1], [1, 1]], (1, 4), [[1, 4], [4, 4]]),
        ("bce", [[0.5]], (1, 4), [[2.5]]),
    ],
)
def test_classes_weigh_by_the_target(
    name: str, target: list[list[float]], weights: tuple[float, ...], expected: list[list[float]]
) -> None:
    assert LOSSES[name].weigh(np.array(target, float), weights).tolist() == expected


@pytest.mark.parametrize(
    ("loss", "weights", "message"),
    [
        (LOSSES["mse"], (1, 1), r"^class weights: mse is not a loss of classes$"),
        (LOSSES["msle"], (1, 1), r"^class weights: msle is not a loss of classes$"),
        (LOSSES["cce"], (1, 1), r"^class weights \(1, 1\): give 3 numbers of 0 or more$"),
        (LOSSES["cce"], (1, 1, -1), r"give 3 numbers of 0 or more$"),
        (LOSSES["bce"], (1, 1, 1), r"give 2 numbers of 0 or more$"),
        (LOSSES["bce"], (1, float("nan")), r"give 2 numbers of 0 or more$"),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    loss: Loss, weights: tuple[float, ...], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        loss.weigh(np.zeros((2, 3)), weights)
