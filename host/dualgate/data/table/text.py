# SPDX-License-Identifier: BSD-2-Clause

"""Parsing of tables of text: the delimiter, the header and the decimal mark are found."""

import csv
import io
import re
import warnings
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, TextIO

DELIMITERS = ",;\t|"
SAMPLE = 1 << 16
"""Characters that are looked at to tell commas of decimals from delimiters."""

MISSING = ["?"]
"""Words that stand for a missing value, beside those of pandas, such as NA, NaN and nothing."""

NO_DECIMAL_COMMA = re.compile(r"(?<!\d),|,(?!\d)")


def parse(pandas: Any, content: bytes, encoding: str) -> Any:
    """Parse a table of text.

    Parameters
    ----------
    pandas : module
    content : bytes
    encoding : str

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    ValueError, csv.Error, pandas.errors.ParserWarning
        If it is no table.
    """

    def text() -> io.TextIOWrapper:
        return io.TextIOWrapper(io.BytesIO(content), encoding, newline="")

    delimiter = _delimiter(text)
    named = _has_names(list(islice(_rows(text(), delimiter), 20)))
    rows = _rows(text(), delimiter)
    first = next(rows, [])
    extra = _check_widths(rows, len(first)) if named else _check_widths(rows, len(first), (0,))
    settings = {
        "sep": r"\s+" if delimiter == " " else delimiter,
        "header": 0 if named else None,
        "skipinitialspace": True,
        "na_values": MISSING,
        "low_memory": False,
        "index_col": 0 if extra else False,
    }
    if extra:
        settings |= {"names": ["", *first]}
    with warnings.catch_warnings():
        # Of rows with more cells than pandas expects it says only that data are lost.
        warnings.simplefilter("error", pandas.errors.ParserWarning)
        frame = pandas.read_csv(text(), **settings).reset_index(drop=True)
        if delimiter != "," and b"," in content:
            other = pandas.read_csv(text(), decimal=",", **settings).reset_index(drop=True)
            frame = max(frame, other, key=_count_numbers)
    if named:
        _check_names([cell.strip() for cell in first])
    else:
        frame.columns = [str(position + 1) for position in range(len(frame.columns))]
    return frame


def _check_names(names: list[str]) -> None:
    """Refuse names that pandas would change without a word."""
    for name in names:
        if name and names.count(name) > 1:
            raise ValueError(f"its first row has {name!r} twice, so it does not name the columns")


def _check_widths(rows: Iterator[list[str]], width: int, more: tuple[int, ...] = (0, 1)) -> int:
    """Return how many cells the rows have more than the first one; all of them the same."""
    extra = None
    for number, row in enumerate(rows, 2):
        beyond = len(row) - width
        if extra is None and beyond in more:
            extra = beyond
        if beyond != extra:
            raise ValueError(f"row {number} has {len(row)} cells where {width} are expected")
    return extra or 0


def _rows(file: TextIO, delimiter: str) -> Iterator[list[str]]:
    """Split text into rows of cells; empty lines are none."""
    lines = (line.strip().replace("\t", " ") for line in file) if delimiter == " " else file
    rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    return (row for row in rows if len(row) > 1 or (row and row[0].strip()))


def _delimiter(text: Callable[[], TextIO]) -> str:
    """Find the delimiter that gives most rows of the beginning the same number of cells."""

    def cells(delimiter: str) -> tuple[int, int]:
        counts = [len(row) for row in islice(_rows(text(), delimiter), 100)]
        usual = max(set(counts), key=counts.count, default=0)
        return counts.count(usual) if usual > 1 else 0, usual

    found = {delimiter: cells(delimiter) for delimiter in DELIMITERS}
    commas, others = found[","][0], max(found[delimiter][0] for delimiter in DELIMITERS[1:])
    decimal = not NO_DECIMAL_COMMA.search(text().read(SAMPLE))
    if decimal and (others >= commas or cells(" ")[0] > commas):
        found[","] = 0, 0
    best = max(found, key=lambda delimiter: found[delimiter])
    return best if found[best][0] else " " if cells(" ")[0] else ","


def _has_names(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns: a word above a number, or no number at all."""
    first, rest = rows[0] if rows else [], rows[1:]
    if not any(_is_number(cell) for cell in first):
        return True
    below = [any(_is_number(row[i]) for row in rest if i < len(row)) for i in range(len(first))]
    return any(
        cell.strip() and not _is_number(cell) and number
        for cell, number in zip(first, below, strict=True)
    )


def _is_number(cell: str) -> bool:
    try:
        float(cell.strip().replace(",", "."))
    except ValueError:
        return False
    return True


def _count_numbers(frame: Any) -> int:
    return sum(kind.kind in "iuf" for kind in frame.dtypes)
