# SPDX-License-Identifier: BSD-2-Clause

"""Preparations: the bits of scikit-learn's transformer, columns in any order, refused cells."""

import numpy as np
import pandas
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from support.effort import examples

from dualgate.contract.errors import InputError
from dualgate.data.preparation import Category, Number, Preparation, shortened, words
from dualgate.data.table import fit_preparation
from dualgate.data.table.fit import as_typed

MADE = Preparation(
    (Number("size", fill=2.0, offset=1.0, scale=4.0),), (Category("kind", "b", ("a", "b")),)
)


@st.composite
def tables(draw: st.DrawFn) -> pandas.DataFrame:
    """Tables of numbers, of numbers that are mostly zero, and of words; some cells missing."""
    rows = draw(st.integers(2, 30))
    number = st.floats(-1e6, 1e6) | st.just(np.nan) | st.integers(-5, 5).map(float)
    sparse = st.sampled_from([0.0, 0.0, 0.0, 1.0, -2.5, 1e-3])
    word = st.sampled_from(["a", "b", " b", "é", "1", None])
    columns = {
        f"{kind}{index}": draw(st.lists(cell, min_size=rows, max_size=rows))
        for kind, cell in (("number", number), ("sparse", sparse), ("word", word))
        for index in range(draw(st.integers(0, 2)))
    }
    assume(columns)
    return pandas.DataFrame(columns)


@examples(200)
@given(tables())
def test_inputs_equal_those_of_scikit_learn(frame: pandas.DataFrame) -> None:
    try:
        preparation, transformer, _ = fit_preparation(frame)
    except InputError:
        assume(False)
    names = [each.column for each in preparation.numbers]
    kinds = [each.column for each in preparation.categories]
    expected = transformer.transform(as_typed(frame, names, kinds))
    got, _ = preparation.apply(frame)
    assert got.shape == (len(frame), len(preparation.inputs))
    limit = preparation.limit
    np.testing.assert_array_equal(got, np.clip(expected, -limit, limit))


@given(st.permutations(["size", "kind", "other"]))
def test_the_order_of_columns_does_not_matter(order: list[str]) -> None:
    frame = pandas.DataFrame({"size": [5, 1], "kind": ["b", "a"], "other": [7, 8]})
    x, notes = MADE.apply(frame[order])
    assert x.tolist() == [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    assert notes == []
    assert MADE.inputs == ("size", "kind=a", "kind=b")


def test_missing_cells_are_filled() -> None:
    x, _ = MADE.apply(pandas.DataFrame({"size": [None, 5.0], "kind": [None, "a"]}))
    assert x.tolist() == [[0.25, 0.0, 1.0], [1.0, 1.0, 0.0]]


@pytest.mark.parametrize("missing", [[None, None], [np.nan, np.nan]])
def test_columns_of_missing_cells_alone_are_filled(missing: list[None]) -> None:
    x, notes = MADE.apply(pandas.DataFrame({"size": missing, "kind": missing}))
    assert x.tolist() == [[0.25, 0.0, 1.0]] * 2
    assert notes == []


def test_unknown_words_have_zeros_and_are_counted() -> None:
    x, notes = MADE.apply(pandas.DataFrame({"size": [1, 1, 1], "kind": ["c", "a", "d"]}))
    assert x[:, 1:].tolist() == [[0, 0], [1, 0], [0, 0]]
    assert notes == ["2 cells of column 'kind' hold words that training did not see"]


def test_a_missing_column_names_the_similar_one() -> None:
    with pytest.raises(InputError, match=r"^the table has no column 'size'; is it 'Sizes'\?$"):
        MADE.apply(pandas.DataFrame({"Sizes": [1], "kind": ["a"]}))
    with pytest.raises(InputError, match=r"^the table has no column 'kind'; add it$"):
        MADE.apply(pandas.DataFrame({"size": [1]}))


@pytest.mark.parametrize("value", [1e6, -1e6, 1e100])
def test_inputs_beyond_the_format_are_clipped_and_counted(value: float) -> None:
    preparation = Preparation((Number("size", scale=1e-300),))
    x, notes = preparation.apply(pandas.DataFrame({"size": [value, 0.0, value]}))
    assert np.abs(x).max() == preparation.limit
    assert np.sign(x[0, 0]) == np.sign(value)
    assert notes == [f"2 inputs beyond +-{preparation.limit:.3g} are clipped"]


@pytest.mark.parametrize("cell", ["big", "1,5", "inf", float("inf")])
def test_a_cell_that_is_no_number_is_named(cell: object) -> None:
    frame = pandas.DataFrame({"size": [1, cell], "kind": ["a", "a"]}, dtype=object)
    with pytest.raises(InputError, match=r"^column 'size' holds '.+' in sample 2, where a number"):
        MADE.apply(frame)


def test_dates_are_no_numbers() -> None:
    frame = pandas.DataFrame({"size": pandas.to_datetime(["2020-01-01"]), "kind": ["a"]})
    with pytest.raises(InputError, match=r"^column 'size' holds '2020"):
        MADE.apply(frame)


def test_numbers_written_as_text_are_read() -> None:
    x, _ = MADE.apply(pandas.DataFrame({"size": ["5", " 1e0 "], "kind": ["a", "a"]}))
    assert x[:, 0].tolist() == [1.0, 0.0]


@given(arrays.arrays(np.float64, (4, 3), elements=st.floats(-1e3, 1e3)))
def test_an_array_is_divided_by_the_scale(x: np.ndarray) -> None:
    before = x.copy()
    got, _ = Preparation.of_array(3, 255.0).apply(x)
    limit = Preparation.of_array(3).limit
    np.testing.assert_array_equal(got, np.clip(before / 255.0, -limit, limit))
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 3)), r"shape \(2, 3\) does not fit; give a table with the columns 0, 1$"),
        (np.zeros(2), r"shape \(2,\) does not fit"),
        (np.array([["a", "b"]]), "holds no real numbers; give numbers$"),
        (np.zeros((1, 2), complex), "holds no real numbers"),
    ],
)
def test_an_array_that_does_not_fit_is_refused(array: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Preparation.of_array(2).apply(array)


def test_whole_numbers_are_the_same_words_whatever_their_type() -> None:
    for column in ([1, 2], [1.0, 2.0], ["1", " 2 "], pandas.array([1, 2], "Int64")):
        assert words(pandas.Series(column)).tolist() == ["1", "2"]
    assert words(pandas.Series([1, None])).isna().tolist() == [False, True]


def test_long_lists_of_names_are_shortened() -> None:
    assert shortened(("a", "b", "c"), 2) == "a, b and 1 more"
    assert shortened(("a", "b"), 2) == "a, b"
