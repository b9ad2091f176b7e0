# SPDX-License-Identifier: BSD-2-Clause

"""Models of one neuron, against scikit-learn where it has the same."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dualgate.contract.errors import InputError
from dualgate.floating.dual import variable
from dualgate.floating.neuron import Descent
from dualgate.floating.single_layer import (
    HALF_SQUARE,
    Adaline,
    LinearRegression,
    LogisticRegression,
    Perceptron,
)
from dualgate.optim.optimisers import SGD, Adam, Nesterov

linear_model: Any = pytest.importorskip("sklearn.linear_model")

Floats = NDArray[np.float64]


def clouds(gap: float, samples: int = 60, seed: int = 0) -> tuple[Floats, NDArray[np.int64]]:
    """Two clouds of points in the plane, 2 * gap apart; the first point is of class 1."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, samples)
    labels[0] = 1
    x = random.normal(0, 0.5, (samples, 2)) + (2 * labels[:, None] - 1) * gap / 2**0.5
    return x, labels


def line(samples: int = 40, seed: int = 0) -> tuple[Floats, Floats]:
    """A plane of three features with a little noise."""
    random = np.random.default_rng(seed)
    x = random.uniform(-1, 1, (samples, 3))
    return x, x @ [2.0, -1.0, 0.5] + 3.0 + random.normal(0, 0.1, samples)


def assert_same(ours: Any, theirs: Any, tolerance: float = 1e-9) -> None:
    np.testing.assert_allclose(ours.coef_, np.ravel(theirs.coef_), rtol=0, atol=tolerance)
    assert ours.intercept_ == pytest.approx(np.ravel(theirs.intercept_)[0], abs=tolerance)


def constant_rate(kind: Any, epochs: int, lr: float, loss: str) -> Any:
    """Their on-line descent in order, without a penalty."""
    return kind(
        loss=loss,
        penalty=None,
        learning_rate="constant",
        eta0=lr,
        shuffle=False,
        max_iter=epochs,
        tol=None,
    )


@pytest.mark.parametrize("epochs", [1, 2, 7])
@pytest.mark.parametrize("gap", [0.3, 2.0])
def test_the_perceptron_is_that_of_scikit_learn(gap: float, epochs: int) -> None:
    x, labels = clouds(gap)
    theirs = linear_model.Perceptron(shuffle=False, tol=None, max_iter=epochs).fit(x, labels)
    ours = Perceptron(epochs).fit(x, labels)
    assert_same(ours, theirs)
    assert np.array_equal(ours.predict(x), theirs.predict(x))


def test_the_perceptron_stops_where_a_line_parts_the_classes() -> None:
    x, labels = clouds(2.0)
    model = Perceptron().fit(x, labels)
    assert model.mistakes_[-1] == 0
    assert len(model.mistakes_) < 100
    assert np.array_equal(model.predict(x), labels)


def test_the_perceptron_never_learns_xor() -> None:
    x = [[0, 0], [0, 1], [1, 0], [1, 1]]
    model = Perceptron(50).fit(x, [0, 1, 1, 0])
    assert len(model.mistakes_) == 50
    assert all(model.mistakes_)


def test_the_perceptron_moves_by_its_rule() -> None:
    model = Perceptron(1).fit([[1.0, 2.0], [3.0, -1.0], [-1.0, 0.5]], [1, 0, 0])
    # First: z = 0, answer 0, wrong: w = (1, 2), b = 1. Second: z = 2, answer 1, wrong:
    # w = (-2, 3), b = 0. Third: z = 3.5, wrong: w = (-1, 2.5), b = -1.
    assert (model.coef_.tolist(), model.intercept_) == ([-1.0, 2.5], -1.0)
    assert model.mistakes_ == [3]


def test_adaline_moves_by_the_delta_rule() -> None:
    x, labels = clouds(0.5, 10)
    w, b = np.zeros(2), 0.0
    for row, label in zip(x, labels, strict=True):
        error = (2 * label - 1) - (row @ w + b)
        w, b = w + 0.05 * error * row, b + 0.05 * error
    model = Adaline(Descent(SGD(0.05), epochs=1)).fit(x, labels)
    np.testing.assert_allclose(model.coef_, w, rtol=1e-13)
    assert model.intercept_ == pytest.approx(b, rel=1e-13)


def test_adaline_descends_to_least_squares_of_its_targets() -> None:
    x, labels = clouds(0.5)
    model = Adaline(Descent(Nesterov(0.1), 500, batch=None)).fit(x, labels)
    solved = LinearRegression().fit(x, 2.0 * labels - 1.0)
    assert_same(model, solved)
    assert np.array_equal(model.predict(x), (solved.predict(x) > 0).astype(int))


def test_the_normal_equations_solve_as_scikit_learn_does() -> None:
    x, y = line()
    ours, theirs = LinearRegression().fit(x, y), linear_model.LinearRegression().fit(x, y)
    assert_same(ours, theirs, 1e-12)
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x), rtol=1e-12)


@pytest.mark.parametrize("epochs", [1, 5])
def test_on_line_descent_is_that_of_scikit_learn(epochs: int) -> None:
    x, y = line()
    theirs = constant_rate(linear_model.SGDRegressor, epochs, 0.1, "squared_error").fit(x, y)
    assert_same(LinearRegression(Descent(SGD(0.1), epochs)).fit(x, y), theirs)


@pytest.mark.parametrize(
    ("descent", "tolerance"),
    [
        (Descent(SGD(0.3), 1000, batch=None), 1e-9),
        (Descent(SGD(lambda n: 0.5 / (1 + 0.02 * n)), 400, batch=8, seed=0), 1e-3),
        (Descent(SGD(lambda n: 0.3 / (1 + 0.01 * n)), 400, batch=1, seed=0), 1e-3),
    ],
    ids=["batch", "mini-batch", "on-line"],
)
def test_every_descent_comes_to_the_normal_equations(descent: Descent, tolerance: float) -> None:
    x, y = line()
    assert_same(LinearRegression(descent).fit(x, y), LinearRegression().fit(x, y), tolerance)


@pytest.mark.parametrize("epochs", [1, 5])
def test_on_line_logistic_regression_is_that_of_scikit_learn(epochs: int) -> None:
    x, labels = clouds(0.3)
    theirs = constant_rate(linear_model.SGDClassifier, epochs, 0.1, "log_loss").fit(x, labels)
    assert_same(LogisticRegression(Descent(SGD(0.1), epochs)).fit(x, labels), theirs)


def test_logistic_regression_comes_to_that_of_scikit_learn() -> None:
    x, labels = clouds(0.3)
    theirs = linear_model.LogisticRegression(C=np.inf, tol=1e-10).fit(x, labels)
    ours = LogisticRegression(Descent(Nesterov(0.5), 1000, batch=None)).fit(x, labels)
    assert_same(ours, theirs, 1e-5)
    np.testing.assert_allclose(ours.predict_proba(x), theirs.predict_proba(x)[:, 1], atol=1e-5)
    assert np.array_equal(ours.predict(x), theirs.predict(x))


def test_a_certain_neuron_does_not_overflow() -> None:
    model = LogisticRegression(Descent(SGD(1.0), 1)).fit([[1.0], [-1.0]], [1, 0])
    assert model.predict_proba([[-1e6], [1e6]]).tolist() == [0.0, 1.0]


def test_half_the_square_has_the_error_as_its_derivative() -> None:
    y, t = np.array([[0.5]]), np.array([[2.0]])
    z = variable(0.5, "z")
    terms = HALF_SQUARE.terms(z, z, 2.0)
    assert (terms.value, terms.derivative("z")) == (1.125, -1.5)
    assert HALF_SQUARE.rule.value(y, t) == [1.125]
    assert (y - t) * HALF_SQUARE.rule.scale(1) == -1.5


def test_batches_cover_every_epoch() -> None:
    online = [b.tolist() for b in Descent(SGD(0.1), 2).batches(3)]
    assert online == [[0], [1], [2]] * 2
    assert [b.tolist() for b in Descent(SGD(0.1), 1, 2).batches(5)] == [[0, 1], [2, 3], [4]]
    assert [b.tolist() for b in Descent(SGD(0.1), 1, None).batches(3)] == [[0, 1, 2]]
    shuffled = [b.tolist() for b in Descent(SGD(0.1), 2, 9, seed=1).batches(9)]
    assert shuffled[0] != shuffled[1]
    assert sorted(shuffled[0]) == sorted(shuffled[1]) == list(range(9))


X = np.ones((2, 2))
DESCENT = Descent(Adam(), 1)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (lambda: Perceptron(0), r"^0 epochs: give 1 or more$"),
        (lambda: Descent(Adam(), 0), r"^0 epochs in batches of 1: give 1 or more$"),
        (lambda: Descent(Adam(), 1, 0), r"^1 epochs in batches of 0: give 1 or more$"),
        (lambda: Perceptron().predict(X), r"^this Perceptron is not trained; call fit first$"),
        (lambda: Perceptron().fit(X, [0, 2]), r"^labels are not all 0 or 1; a single neuron tells"),
        (lambda: Adaline(DESCENT).fit(X, [0]), r"^targets have shape \(1,\); give one for each of"),
        (lambda: Adaline(DESCENT).fit(X[0], [0]), r"^inputs have shape \(2,\); give \(samples, f"),
        (lambda: LogisticRegression(DESCENT).fit(X * np.inf, [0, 1]), r"^inputs are not all fin"),
        (lambda: LinearRegression().fit(X, [1, np.nan]), r"^targets are not all finite numbers;"),
        (lambda: LinearRegression().fit(X, [1, 2]), r"^the features depend on each other, or are"),
        (
            lambda: Perceptron().fit(X, [0, 1]).predict(X[:, :1]),
            r"^inputs have shape \(2, 1\); give \(samples, 2\), not empty$",
        ),
    ],
)
def test_what_cannot_be_learnt_is_refused(run: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run()
