# SPDX-License-Identifier: BSD-2-Clause

"""Metrics of predictions, in numpy; the definitions are scikit-learn's."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..contract.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def predicted_labels(outputs: ArrayLike) -> Ints:
    """Return the classes that the outputs of a network predict.

    Parameters
    ----------
    outputs : (samples, units)

    Returns
    -------
    int array (samples,)
        The unit with the largest output. For a single unit, 1 for an output above one half and 0
        otherwise.
    """
    y = np.asarray(outputs)
    if y.shape[1] == 1:
        return np.asarray(y[:, 0] > 0.5, np.int64)
    return np.asarray(y.argmax(axis=1), np.int64)


def accuracy(labels: ArrayLike, predicted: ArrayLike) -> float:
    """Return the share of labels that were predicted correctly.

    Parameters
    ----------
    labels, predicted : (samples,)

    Raises
    ------
    InputError
        For labels and predictions of different shapes, or empty ones.
    """
    right, got = _pair(labels, predicted)
    return float((right == got).mean())


def confusion_matrix(labels: ArrayLike, predicted: ArrayLike, classes: int | None = None) -> Ints:
    """Count the predictions for each pair of actual and predicted class.

    Parameters
    ----------
    labels, predicted : int arrays (samples,)
    classes : int or None
        Number of classes; by default as many as the largest label needs.

    Returns
    -------
    int array (classes, classes)
        Rows are actual classes, columns are predicted classes.

    Raises
    ------
    InputError
        For arrays of different shapes, or a label that is not a whole number from 0 to
        ``classes - 1``.
    """
    right, got = _pair(labels, predicted)
    if right.ndim != 1 or right.dtype.kind not in "iu" or got.dtype.kind not in "iu":
        raise InputError("labels of a confusion matrix: give two lists of whole numbers")
    lowest, largest = min(right.min(), got.min()), max(right.max(), got.max())
    count = int(largest) + 1 if classes is None else classes
    if lowest < 0 or largest >= count:
        wrong = lowest if lowest < 0 else largest
        raise InputError(f"label {wrong} is out of range 0 to {count - 1}")
    pairs = right.astype(np.int64) * count + got
    return np.bincount(pairs, minlength=count * count).reshape(count, count).astype(np.int64)


def mean_squared_error(target: ArrayLike, predicted: ArrayLike) -> float:
    """Return the mean of the squared differences, over samples and outputs.

    Parameters
    ----------
    target, predicted : (samples,) or (samples, outputs)

    Raises
    ------
    InputError
        For arrays of different shapes, or empty ones.
    """
    want, got = _pair(target, predicted)
    return float(((want - got) ** 2).mean())


def r2(target: ArrayLike, predicted: ArrayLike) -> float:
    """Return the explained share of the variance of the targets: ``1 - residual / spread``.

    Parameters
    ----------
    target, predicted : (samples,) or (samples, outputs)
        For several outputs, the result is the mean of their shares.

    Raises
    ------
    InputError
        For arrays of different shapes, or an output whose targets are all equal.
    """
    want, got = _pair(target, predicted)
    residual = np.asarray(((want - got) ** 2).sum(axis=0))
    spread = np.asarray(((want - want.mean(axis=0)) ** 2).sum(axis=0))
    if (spread == 0).any():
        raise InputError("the targets are all equal; R squared needs targets that differ")
    return float((1.0 - residual / spread).mean())


def _pair(one: ArrayLike, other: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
    a, b = np.asarray(one), np.asarray(other)
    if a.shape != b.shape or not a.size:
        raise InputError(f"shapes {a.shape} and {b.shape}; give two equal ones, not empty")
    return a, b
