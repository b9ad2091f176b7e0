# SPDX-License-Identifier: BSD-2-Clause

"""Preparations fitted to tables: the kind of each column, and what is left out."""

import sys

import numpy as np
import pandas
import pytest

from dualgate.contract.errors import InputError, MissingToolError
from dualgate.data.preparation import Category, Number
from dualgate.data.table import fit_preparation


def fit(categorical: tuple[str, ...] = (), **columns: object) -> tuple[object, list[str]]:
    preparation, _, notes = fit_preparation(pandas.DataFrame(columns), categorical)
    return preparation, notes


def test_numbers_are_scaled_and_the_median_stands_for_missing_ones() -> None:
    preparation, notes = fit(size=[1.0, 2.0, None, 9.0])
    (number,) = preparation.numbers
    filled = np.array([1.0, 2.0, 2.0, 9.0])
    assert number == Number("size", 2.0, filled.mean(), pytest.approx(filled.std()))
    assert notes == []


def test_columns_that_are_mostly_zero_keep_their_zeros() -> None:
    frame = pandas.DataFrame({"ink": [0, 0, 0, -8, 4]})
    preparation, _, _ = fit_preparation(frame)
    assert preparation.numbers == (Number("ink", 0.0, 0.0, 8.0),)
    assert preparation.apply(frame)[0][:, 0].tolist() == [0.0, 0.0, 0.0, -1.0, 0.5]


def test_words_and_truths_are_categories() -> None:
    preparation, _ = fit(kind=["b", None, "a", "b"], wet=[True, False, True, True])
    assert preparation.categories == (
        Category("kind", "b", ("a", "b")),
        Category("wet", "True", ("False", "True")),
    )


def test_numbers_are_categories_where_the_user_says_so() -> None:
    preparation, _ = fit(("month",), month=[1, 12, 2, 2], size=[1, 2, 3, 4])
    assert [each.column for each in preparation.numbers] == ["size"]
    assert preparation.categories == (Category("month", "2", ("1", "12", "2")),)


def test_constant_columns_are_left_out_and_said() -> None:
    preparation, notes = fit(a=[1, 1, None], b=["x"] * 3, c=[1, 2, 3], d=[None] * 3)
    assert preparation.columns == ("c",)
    assert notes == ["left out, the same in every sample: a, b, d"]


def test_columns_of_many_words_are_left_out_and_said() -> None:
    names, values = [f"n{index}" for index in range(51)], range(51)
    preparation, notes = fit(name=names, value=values)
    assert preparation.columns == ("value",)
    assert notes == ["left out, more than 50 different words: name; --categorical keeps them"]
    kept, notes = fit(("name",), name=names, value=values)
    assert len(kept.inputs) == 52
    assert notes == []


def test_a_table_of_constants_is_refused() -> None:
    with pytest.raises(InputError, match=r"^no column tells one sample from another; give columns"):
        fit(a=[1, 1], b=["x", "x"])


@pytest.mark.parametrize("values", [[1.0, np.inf, 2.0], [1e200, 2e200, 3e200]])
def test_numbers_beyond_all_use_are_refused(values: list[float]) -> None:
    with pytest.raises(InputError, match=r"^column 'size' holds '.+' in sample"):
        fit(size=values)


def test_the_smallest_numbers_are_scaled_without_a_warning() -> None:
    preparation, _ = fit(size=[5e-324, 1e-310, 3e-310], ink=[0.0, 0.0, 5e-324])
    frame = pandas.DataFrame({"size": [1.0, 0.0], "ink": [1.0, 0.0]})
    assert np.isfinite(preparation.apply(frame)[0]).all()


def test_without_scikit_learn_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.compose", None)
    with pytest.raises(MissingToolError, match=r"pip install dualgate\[data\]$"):
        fit(a=[1, 2])
