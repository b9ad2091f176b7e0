# SPDX-License-Identifier: BSD-2-Clause

"""Data sets of scikit-learn: the split of the digits, and the message without the package."""

import sys

import numpy as np
import pytest

from dualgate.contract.errors import MissingToolError
from dualgate.data import load_digits


def test_digits_are_split_in_proportion_and_always_alike() -> None:
    data = load_digits()
    assert data.train.x.shape == (1437, 64)
    assert data.held_out.x.shape == (360, 64)
    assert data.train.target.shape == (1437, 10)
    assert data.train.x.min() == 0.0
    assert data.train.x.max() == 1.0
    assert data.held_out.labels is not None
    counts = np.bincount(data.held_out.labels, minlength=10)
    assert counts.min() >= 34
    assert counts.max() <= 38
    assert (load_digits().held_out.x == data.held_out.x).all()


def test_digits_without_scikit_learn_say_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    with pytest.raises(MissingToolError, match=r"pip install dualgate\[data\]$"):
        load_digits()
