# SPDX-License-Identifier: BSD-2-Clause

"""Preparations fitted to a table with scikit-learn: types, missing values, scales, categories."""

from collections.abc import Collection
from typing import Any

from ...contract.errors import InputError
from ..packages import sklearn_package
from ..preparation import Category, Number, Preparation, real_numbers, shortened, words

MOST_WORDS = 50
"""A column of more different words than this is no category, unless the user says so."""

MOSTLY_ZERO = 0.5
"""Share of zeros from which a column of numbers keeps its zeros, which cost the engine nothing: it
is divided by its largest magnitude, and no mean is subtracted."""


def fit_preparation(
    frame: Any, categorical: Collection[str] = ()
) -> tuple[Preparation, Any, list[str]]:
    """Find how the columns of a table become inputs.

    Missing numbers become the median, missing words the most frequent one. Numbers are scaled to
    mean 0 and standard deviation 1, or, where at least half of them are zero, to +-1 without a
    shift. Categories become one-hot.

    Parameters
    ----------
    frame : pandas.DataFrame
        The columns of the inputs, of the training samples alone.
    categorical : collection of str
        Columns that are categories whatever they hold.

    Returns
    -------
    Preparation, sklearn.compose.ColumnTransformer, list of str
        The same as a transformer, and a line for each group of columns that is left out.

    Raises
    ------
    InputError
        If no column is left.
    MissingToolError
        If scikit-learn is not installed.
    """
    sklearn_package()
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, StandardScaler

    numbers, zeros, categories, notes = _sort(frame, categorical)
    median, usual = {"strategy": "median"}, {"strategy": "most_frequent", "missing_values": None}
    one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    transformer = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(**median), StandardScaler()), numbers),
            ("zeros", make_pipeline(SimpleImputer(**median), MaxAbsScaler()), zeros),
            ("categories", make_pipeline(SimpleImputer(**usual), one_hot), categories),
        ]
    )
    transformer.fit(as_typed(frame, (*numbers, *zeros), categories))
    return _described(transformer, numbers, zeros, categories), transformer, notes


def as_typed(frame: Any, numbers: Collection[str], categories: Collection[str]) -> Any:
    """Copy columns of `frame`: `numbers` as float, `categories` as words or None."""
    typed = frame[[*numbers, *categories]].copy()
    for column in numbers:
        typed[column] = real_numbers(typed[column], column)
    for column in categories:
        texts = words(typed[column]).astype(object)
        typed[column] = texts.where(texts.notna(), None)
    return typed


def _sort(
    frame: Any, categorical: Collection[str]
) -> tuple[list[str], list[str], list[str], list[str]]:
    """Sort columns into numbers, numbers that are mostly zero, and categories; and notes."""
    numbers, zeros, categories = list[str](), list[str](), list[str]()
    constant, many = list[str](), list[str]()
    for column in frame.columns:
        series = frame[column]
        if series.nunique(dropna=True) < 2:
            constant.append(column)
        elif series.dtype.kind in "iuf" and column not in categorical:
            share = float((series == 0).mean())
            (zeros if share >= MOSTLY_ZERO else numbers).append(column)
        elif column in categorical or series.nunique() <= MOST_WORDS:
            categories.append(column)
        else:
            many.append(column)
    if not (numbers or zeros or categories):
        raise InputError("no column tells one sample from another; give columns that do")
    notes = [f"left out, the same in every sample: {shortened(tuple(constant))}"] * bool(constant)
    notes += [
        f"left out, more than {MOST_WORDS} different words: {shortened(tuple(many))}; "
        "--categorical keeps them"
    ] * bool(many)
    return numbers, zeros, categories, notes


def _described(
    transformer: Any, numbers: list[str], zeros: list[str], categories: list[str]
) -> Preparation:
    described = list[Number]()
    if numbers:
        fills, scaler = (step for _, step in transformer.named_transformers_["numbers"].steps)
        fitted = zip(numbers, fills.statistics_, scaler.mean_, scaler.scale_, strict=True)
        described += [Number(name, float(f), float(m), float(s)) for name, f, m, s in fitted]
    if zeros:
        fills, scaler = (step for _, step in transformer.named_transformers_["zeros"].steps)
        scales = zip(zeros, fills.statistics_, scaler.scale_, strict=True)
        described += [Number(name, float(f), 0.0, float(s)) for name, f, s in scales]
    if not categories:
        return Preparation(tuple(described))
    usual, one_hot = (step for _, step in transformer.named_transformers_["categories"].steps)
    kinds = zip(categories, usual.statistics_, one_hot.categories_, strict=True)
    return Preparation(
        tuple(described),
        tuple(Category(name, str(f), tuple(str(c) for c in each)) for name, f, each in kinds),
    )
