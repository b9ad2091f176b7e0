# SPDX-License-Identifier: BSD-2-Clause

"""Penalties, dropout and early stopping."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dualgate.contract.errors import InputError
from dualgate.contract.network import Network
from dualgate.optim.regularisation import Dropout, EarlyStopping, Penalty


def test_a_penalty_spares_the_bias() -> None:
    weights = [np.array([[1.0, -2.0], [5.0, 5.0]])]
    penalty = Penalty(0.5, 0.25)
    assert penalty.value(weights) == 0.5 * 3 + 0.125 * 5
    slopes = [np.zeros((2, 2))]
    (added,) = penalty.add(slopes, weights)
    assert added.tolist() == [[0.75, -1.0], [0.0, 0.0]]
    assert not slopes[0].any()


def test_a_penalty_is_differentiated() -> None:
    penalty, step = Penalty(0.3, 0.7), 1e-6
    w = np.array([[0.4, -1.3], [0.2, 0.1]])
    (slope,) = penalty.add([np.zeros((2, 2))], [w])
    for place in np.ndindex(2, 2):
        moved = w.copy()
        moved[place] += step
        difference = (penalty.value([moved]) - penalty.value([w])) / step
        assert slope[place] == pytest.approx(difference, abs=1e-5)


def test_dropout_silences_its_share_and_keeps_the_mean() -> None:
    network = Network((3, 40, 50, 2))
    masks = Dropout(0.25, seed=1).masks(network, 200, np.float32)
    assert [m.shape for m in masks] == [(200, 40), (200, 50)]
    for mask in masks:
        assert mask.dtype == np.float32
        assert set(np.unique(mask)) == {0.0, np.float32(4 / 3)}
        assert mask.mean() == pytest.approx(1.0, abs=0.03)


def test_dropout_draws_anew_and_repeats_with_its_seed() -> None:
    network = Network((3, 40, 2))
    one, same, other = Dropout(0.5, 1), Dropout(0.5, 1), Dropout(0.5, 2)
    first = one.masks(network, 5, float)[0]
    assert np.array_equal(first, same.masks(network, 5, float)[0])
    assert not np.array_equal(first, one.masks(network, 5, float)[0])
    assert not np.array_equal(first, other.masks(network, 5, float)[0])


def test_early_stopping_waits_and_keeps_the_best() -> None:
    stop = EarlyStopping(2, least=0.01)
    weights = [np.zeros(1)]
    losses = [1.0, 0.5, 0.495, 0.4, 0.6, float("nan")]
    stopped = []
    for epoch, loss in enumerate(losses, 1):
        weights[0][:] = epoch
        stopped.append(stop.update(epoch, loss, weights))
    assert stopped == [False, False, False, False, False, True]
    assert (stop.epoch, stop.loss, stop.weights[0][0]) == (4, 0.4, 4.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Penalty(-1.0), r"^L1 penalty -1.0: give a number of 0 or more$"),
        (lambda: Penalty(0.0, float("nan")), r"^L2 penalty nan: give a number of 0 or more$"),
        (lambda: Dropout(1.0), r"^dropout 1.0: give a share from 0 to below 1$"),
        (lambda: Dropout(-0.1), r"^dropout -0.1: give"),
        (lambda: EarlyStopping(0), r"^patience of 0 epochs: give 1 or more$"),
        (lambda: EarlyStopping(1, float("nan")), r"^least gain nan: give a number of 0 or more$"),
    ],
)
def test_numbers_out_of_range_are_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
