# SPDX-License-Identifier: BSD-2-Clause

"""Metrics of trained weights."""

import numpy as np
import pytest

from dualgate.contract.network import Network
from dualgate.data.samples import Samples
from dualgate.train.evaluation import Evaluation


def test_classes_have_an_accuracy_and_a_confusion_matrix() -> None:
    samples = Samples.of_classes(np.zeros((4, 2)), [0, 1, 2, 2], 3)
    outputs = np.array([[9, 0, 0], [9, 1, 0], [0, 0, 9], [0, 0, 9]]) << 10
    got = Evaluation.of(Network((2, 3)), samples, outputs)
    assert got.accuracy == 0.75
    assert got.confusion == [[1, 0, 0], [1, 0, 0], [0, 0, 2]]
    assert (got.mse, got.r2) == (None, None)


def test_a_single_output_tells_two_classes_apart() -> None:
    samples = Samples.of_yes_or_no(np.zeros((3, 2)), [0, 1, 1])
    assert samples.target.tolist() == [[0], [1], [1]]
    outputs = np.array([[100], [8000], [9000]])
    got = Evaluation.of(Network((2, 1), "tanh", "bce"), samples, outputs)
    assert got.confusion == [[1, 0], [1, 1]]


def test_numbers_have_an_error_and_what_is_explained() -> None:
    target = np.array([[0.0], [1.0], [2.0]])
    outputs = np.array([[0], [1024], [1024]])
    got = Evaluation.of(Network((2, 1), "tanh", "mse"), Samples(target, target), outputs)
    assert (got.accuracy, got.confusion) == (None, None)
    assert (got.loss, got.mse) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert got.r2 == pytest.approx(0.5)


def test_targets_that_are_all_alike_explain_nothing() -> None:
    target = np.ones((3, 1))
    got = Evaluation.of(Network((2, 1), "tanh", "mse"), Samples(target, target), target.astype(int))
    assert got.r2 is None


def test_msle_is_measured_on_logarithms_and_the_rest_on_numbers() -> None:
    target = np.array([[0.0], [np.expm1(2.0)]])
    outputs = np.array([[0], [1024]])
    got = Evaluation.of(Network((2, 1), "tanh", "msle"), Samples(target, target), outputs)
    assert got.loss == pytest.approx(0.5)
    assert got.mse == pytest.approx((np.expm1(2.0) - np.expm1(1.0)) ** 2 / 2)
