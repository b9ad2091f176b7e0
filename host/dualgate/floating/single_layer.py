# SPDX-License-Identifier: BSD-2-Clause

"""Models of a single layer: perceptron, ADALINE, linear and logistic regression.

They differ in their output as a function of ``z = w . x + b`` and in their error. ADALINE and the
regressions are networks of one unit, trained by the same forward mode, losses and optimisers as
larger networks::

    model = LinearRegression(Descent(SGD(0.1), epochs=50, batch=16)).fit(x, y)
    exact = LinearRegression().fit(x, y)  # by the normal equations
"""

from dataclasses import replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..contract import losses as contract
from ..contract.activations import SIGMOID
from ..contract.errors import InputError
from .losses import LOSSES, Loss
from .neuron import (
    BinaryNeuron,
    Descent,
    Neuron,
    check_inputs,
    check_labels,
    check_targets,
    descend,
)

Floats = NDArray[np.float64]

HALF_SQUARE = Loss(
    replace(
        contract.LOSSES["mse"],
        name="half-mse",
        factor=1.0,
        value=lambda y, t: contract.LOSSES["mse"].value(y, t) / 2.0,
    ),
    lambda z, y, t: LOSSES["mse"].terms(z, y, t) / 2.0,
)
"""``(y - t)^2 / 2``, whose derivative is the plain error of the delta rule."""


class Perceptron(BinaryNeuron):
    """The perceptron rule: predict 1 for z > 0, and add or subtract the input after a mistake.

    ``w += (label - answer) x``, ``b += label - answer``, from zeros and in the order of the
    samples. If a hyperplane separates the classes, the rule finds one after a finite number of
    mistakes; otherwise the weights do not converge. Rosenblatt 1958.

    Parameters
    ----------
    epochs : int
        Largest number of epochs; an epoch without a mistake ends the training.

    Members
    -------
    mistakes_ : list of int
        After `fit`: number of mistakes in each epoch.

    Raises
    ------
    InputError
        For less than one epoch.
    """

    mistakes_: list[int]

    def __init__(self, epochs: int = 100) -> None:
        if epochs < 1:
            raise InputError(f"{epochs} epochs: give 1 or more")
        self.epochs = epochs

    def fit(self, x: ArrayLike, labels: ArrayLike) -> Self:
        """Learn from labelled samples.

        Parameters
        ----------
        x : (samples, features)
        labels : (samples,), each 0 or 1

        Raises
        ------
        InputError
            For shapes that do not match, numbers that are not finite, or labels other than 0 and 1.
        """
        rows = _with_ones(check_inputs(x))
        right = check_labels(labels, len(rows))
        w = np.zeros(rows.shape[1])
        self.mistakes_ = []
        for _ in range(self.epochs):
            mistakes = 0
            for row, label in zip(rows, right, strict=True):
                error = label - float(row @ w > 0)
                w += error * row
                mistakes += error != 0
            self.mistakes_.append(mistakes)
            if not mistakes:
                break
        return self._keep(w)


class Adaline(BinaryNeuron):
    """The adaptive linear neuron, which is trained to z = -1 or 1.

    With on-line SGD it is the delta rule, ``w += lr (t - z) x``. Unlike the perceptron it also
    learns from samples that it predicts correctly. Widrow and Hoff 1960.

    Parameters
    ----------
    descent : Descent
    """

    def __init__(self, descent: Descent) -> None:
        self.descent = descent

    def fit(self, x: ArrayLike, labels: ArrayLike) -> Self:
        """Learn from labelled samples; parameters and errors as for `Perceptron.fit`."""
        inputs = check_inputs(x)
        target = 2.0 * check_labels(labels, len(inputs)) - 1.0
        return self._keep(descend(HALF_SQUARE, inputs, target, self.descent))


class LogisticRegression(BinaryNeuron):
    """A sigmoid neuron with cross-entropy, which predicts the probability of label 1.

    Parameters
    ----------
    descent : Descent
    """

    def __init__(self, descent: Descent) -> None:
        self.descent = descent

    def fit(self, x: ArrayLike, labels: ArrayLike) -> Self:
        """Learn from labelled samples; parameters and errors as for `Perceptron.fit`."""
        inputs = check_inputs(x)
        target = check_labels(labels, len(inputs))
        return self._keep(descend(LOSSES["bce"], inputs, target, self.descent))

    def predict_proba(self, x: ArrayLike) -> Floats:
        """Return the probability of label 1 for each sample (samples,)."""
        with np.errstate(over="ignore"):  # in exp(-z), and the probability is rightly zero
            return np.asarray(SIGMOID.value(self.decision_function(x)))


class LinearRegression(Neuron):
    """Least squares, solved directly or by gradient descent.

    Parameters
    ----------
    descent : Descent or None
        None solves the normal equations ``X^T X w = X^T y``, X with a column of ones.
    """

    def __init__(self, descent: Descent | None = None) -> None:
        self.descent = descent

    def fit(self, x: ArrayLike, y: ArrayLike) -> Self:
        """Learn from samples.

        Parameters
        ----------
        x : (samples, features)
        y : (samples,)

        Raises
        ------
        InputError
            For shapes that do not match, numbers that are not finite, or, in a direct solution,
            linearly dependent features.
        """
        inputs = check_inputs(x)
        target = check_targets(y, len(inputs))
        if self.descent is None:
            return self._keep(_solve(_with_ones(inputs), target))
        return self._keep(descend(HALF_SQUARE, inputs, target, self.descent))

    def predict(self, x: ArrayLike) -> Floats:
        """Return z for each sample (samples,)."""
        return self.decision_function(x)


def _with_ones(x: Floats) -> Floats:
    """Append the constant one, the input of the bias, to the inputs."""
    return np.column_stack((x, np.ones(len(x))))


def _solve(design: Floats, target: Floats) -> Floats:
    if np.linalg.matrix_rank(design) < design.shape[1]:
        raise InputError(
            "the features depend on each other, or are more than the samples; drop some, or descend"
        )
    return np.asarray(np.linalg.solve(design.T @ design, design.T @ target))
