# SPDX-License-Identifier: BSD-2-Clause

"""Metrics, against scikit-learn where it has the same."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from dualgate.contract.errors import InputError
from dualgate.data.metrics import (
    accuracy,
    confusion_matrix,
    mean_squared_error,
    predicted_labels,
    r2,
)

sklearn: Any = pytest.importorskip("sklearn.metrics")

labels = st.integers(1, 30).flatmap(
    lambda n: st.tuples(*(st.lists(st.integers(0, 4), min_size=n, max_size=n),) * 2)
)
shapes = arrays.array_shapes(min_dims=1, max_dims=2, min_side=2, max_side=6)
numbers = st.floats(-1e3, 1e3)
targets = shapes.flatmap(
    lambda shape: st.tuples(*(arrays.arrays(np.float64, shape, elements=numbers),) * 2)
)


@given(labels)
def test_classes_are_counted_as_scikit_learn_does(pair: tuple[list[int], list[int]]) -> None:
    right, got = pair
    assert accuracy(right, got) == sklearn.accuracy_score(right, got)
    matrix = confusion_matrix(right, got, 5)
    assert np.array_equal(matrix, sklearn.confusion_matrix(right, got, labels=range(5)))
    smallest = confusion_matrix(right, got)
    assert len(smallest) == max(*right, *got) + 1
    assert np.array_equal(smallest, matrix[: len(smallest), : len(smallest)])


@given(targets)
def test_errors_are_measured_as_scikit_learn_does(pair: tuple[Any, Any]) -> None:
    want, got = pair
    error = sklearn.mean_squared_error(want, got)
    assert mean_squared_error(want, got) == pytest.approx(error, rel=1e-12)
    assume((np.std(want, axis=0) > 1e-3).all())
    assert r2(want, got) == pytest.approx(sklearn.r2_score(want, got), rel=1e-9)


def test_labels_come_from_the_largest_output_or_from_one_half() -> None:
    assert predicted_labels([[0.1, 0.7, 0.2], [0.5, 0.4, 0.1]]).tolist() == [1, 0]
    assert predicted_labels([[0.4], [0.5], [0.6]]).tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        (lambda: accuracy([1, 2], [1]), r"^shapes \(2,\) and \(1,\); give two equal ones"),
        (lambda: accuracy([], []), r"^shapes \(0,\) and \(0,\); give two equal ones, not empty$"),
        (lambda: confusion_matrix([0, -1], [0, 0]), r"^label -1 is out of range 0 to 0$"),
        (lambda: confusion_matrix([0, 5], [0, 0], 3), r"^label 5 is out of range 0 to 2$"),
        (lambda: confusion_matrix([0.5], [0]), r"^labels of a confusion matrix: give two lists"),
        (lambda: mean_squared_error([[1.0]], [1.0]), r"^shapes \(1, 1\) and \(1,\); give two"),
        (lambda: r2([1.0, 1.0], [1.0, 2.0]), r"^the targets are all equal; R squared needs"),
    ],
)
def test_what_cannot_be_measured_is_refused(measure: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        measure()
