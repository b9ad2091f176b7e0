# SPDX-License-Identifier: BSD-2-Clause

"""Preparation of inputs: how the columns of a table, or of an array, become inputs of a network.

A preparation is plain numbers and words, so a run keeps it as JSON, and whoever reads it can do the
same. `table.fit` finds one for a table with scikit-learn.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.formats import VALUE_WIDTH, Format
from ..contract.names import similar
from ..contract.network import INPUT_FRAC
from ..contract.values import Positive, Real

Floats = NDArray[np.float64]

INPUTS = Format(VALUE_WIDTH, INPUT_FRAC)
"""Inputs outside the range of this format are clipped to it."""

LARGEST = 1e100
"""Numbers of a larger magnitude are refused: their squares overflow when a column is scaled."""


@dataclass(frozen=True)
class Number:
    """A column of numbers; its one input is ``(value - offset) / scale``.

    Parameters
    ----------
    column : str
    fill : float
        Stands for a missing value.
    offset, scale : float
    """

    column: str
    fill: Real = 0.0
    offset: Real = 0.0
    scale: Positive = 1.0


@dataclass(frozen=True)
class Category:
    """A column of words; it has an input for each word, which is one for that word and else zero.

    Parameters
    ----------
    column : str
    fill : str
        Stands for a missing word.
    words : tuple of str
        A word that is not among these has zeros only.
    """

    column: str
    fill: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class Preparation:
    """All columns of the inputs; those of numbers come first.

    Parameters
    ----------
    numbers : tuple of Number
    categories : tuple of Category
    limit : float
        Inputs beyond +-limit are clipped to it; by default the range of the inputs' format.
    """

    numbers: tuple[Number, ...]
    categories: tuple[Category, ...] = ()
    limit: Positive = INPUTS.max

    @classmethod
    def of_array(cls, columns: int, scale: float = 1.0) -> "Preparation":
        """Make the preparation of an array of so many `columns` that is divided by `scale`."""
        return cls(tuple(Number(str(index), scale=scale) for index in range(columns)))

    @property
    def is_of_array(self) -> bool:
        """Whether the columns are those of an array, by their position from 0; see `of_array`."""
        return self.columns == tuple(map(str, range(len(self.columns))))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that are read."""
        names = [each.column for each in self.numbers]
        return (*names, *(each.column for each in self.categories))

    @property
    def inputs(self) -> tuple[str, ...]:
        """A name for each input of the network."""
        words = [f"{each.column}={word}" for each in self.categories for word in each.words]
        return (*(each.column for each in self.numbers), *words)

    def apply(self, source: Any) -> tuple[Floats, list[str]]:
        """Prepare inputs.

        Parameters
        ----------
        source : pandas.DataFrame, or array (samples, columns)
            A table may have its columns in any order, and others beside them. An array has the
            columns of `numbers`, in their order.

        Returns
        -------
        float array (samples, inputs), list of str
            The second says in a line each what was clipped or not known.

        Raises
        ------
        InputError
            For a missing column, or a cell that holds no number where numbers are expected.
        """
        if isinstance(source, np.ndarray):
            x, notes = self._scaled(self._array(source)), []
        else:
            self._check_columns(source)
            numbers = [real_numbers(source[each.column], each.column) for each in self.numbers]
            known = [_one_hot(source[each.column], each) for each in self.categories]
            x = self._scaled(np.column_stack(numbers)) if numbers else np.empty((len(source), 0))
            x = np.hstack([x, *(columns for columns, _ in known)]) if known else x
            notes = [note for _, note in known if note]
        outside = int(np.count_nonzero(np.abs(x) > self.limit))
        if outside:
            notes.append(f"{outside:,} inputs beyond +-{self.limit:.3g} are clipped")
            np.clip(x, -self.limit, self.limit, out=x)
        return x, notes

    def _array(self, x: NDArray[Any]) -> Floats:
        if self.categories or x.ndim != 2 or x.shape[1] != len(self.numbers):
            raise InputError(
                f"an array of shape {x.shape} does not fit; give a table with the columns "
                f"{shortened(self.columns)}"
            )
        if x.dtype.kind not in "biuf":
            raise InputError(f"an array of type {x.dtype} holds no real numbers; give numbers")
        return x.astype(np.float64)

    def _scaled(self, values: Floats) -> Floats:
        """Scale `values` (samples, numbers), which are overwritten."""
        fill, offset, scale = (
            np.array([getattr(each, name) for each in self.numbers])
            for name in ("fill", "offset", "scale")
        )
        missing = np.isnan(values)
        if missing.any():
            values[missing] = np.broadcast_to(fill, values.shape)[missing]
        if offset.any():
            values -= offset
        with np.errstate(over="ignore"):
            values /= scale
        return values

    def _check_columns(self, frame: Any) -> None:
        present = [str(column) for column in frame.columns]
        for column in self.columns:
            if column not in present:
                near = similar(column, present)
                hint = f"; is it {near!r}?" if near else "; add it"
                raise InputError(f"the table has no column {column!r}{hint}")


def shortened(names: tuple[str, ...], most: int = 12) -> str:
    """List `names` for a message; after `most` of them only says how many more there are."""
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def words(series: Any) -> Any:
    """Convert a pandas column to words; a missing value stays one.

    A whole number reads as such whatever the type of its column, which a missing value changes.
    """
    if series.dtype.kind in "iuf":
        return series.map(lambda value: format(value, ".15g"), na_action="ignore")
    return series.map(lambda value: str(value).strip(), na_action="ignore")


def real_numbers(series: Any, column: str) -> Floats:
    """Convert a pandas column to numbers; a missing one is NaN.

    Parameters
    ----------
    series : pandas.Series
    column : str
        Its name, for the error message.

    Raises
    ------
    InputError
        For a cell that holds something else, such as a date, or a number beyond `LARGEST`.
    """
    from pandas import to_numeric

    # pandas would read dates as nanoseconds since 1970.
    readable = series.astype(str) if series.dtype.kind in "mM" else series
    numbers = to_numeric(readable, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    wrong = np.isnan(numbers) & series.notna().to_numpy()
    wrong |= np.abs(numbers) > LARGEST
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InputError(
            f"column {column!r} holds {str(series.iloc[row])!r} in sample {row + 1}, where a "
            "number is expected; mend it or leave it empty"
        )
    return np.asarray(numbers)


def _one_hot(series: Any, category: Category) -> tuple[Floats, str]:
    texts = words(series).astype(object)
    texts = texts.where(texts.notna(), category.fill).to_numpy()
    columns = np.asarray(texts[:, None] == np.array(category.words, object), np.float64)
    unknown = int(np.count_nonzero(columns.sum(axis=1) == 0))
    return columns, (
        unknown
        and (
            f"{unknown:,} cells of column {category.column!r} hold words that training did not see"
        )
    ) or ""
