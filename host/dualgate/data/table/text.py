# SPDX-License-Identifier: BSD-2-Clause

"""Parsing of tables of text: the delimiter, the header and the decimal mark are found."""

import csv
import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import IO, Any, TextIO

DELIMITERS = ",;\t|"
SAMPLE = 1 << 16
"""Characters that are looked at to tell commas of decimals from delimiters."""

LONGEST_ROW = 1 << 20
"""Most characters of a row."""

MISSING = ["?"]
"""Words that stand for a missing value, beside those of pandas, such as NA, NaN and nothing."""

NO_DECIMAL_COMMA = re.compile(r"(?<!\d),|,(?!\d)")


class Text:
    """A text that is read again for each question about it, so that none of it is kept.

    Parameters
    ----------
    open_file : callable
        Opens the file at its beginning, in binary; what it yields is not compressed.
    encoding : str
    """

    def __init__(self, open_file: Callable[[], IO[bytes]], encoding: str) -> None:
        self._open = open_file
        self._encoding = encoding

    @contextmanager
    def opened(self) -> Iterator[TextIO]:
        """Open the text at its beginning."""
        with self._open() as file:
            yield io.TextIOWrapper(file, self._encoding, newline="")

    def beginning(self) -> str:
        """Return the first `SAMPLE` characters."""
        with self.opened() as file:
            return file.read(SAMPLE)

    def rows(self, delimiter: str, most: int | None = None) -> Iterator[list[str]]:
        """Split the text into rows of cells, of which empty lines are none.

        Parameters
        ----------
        delimiter : str
        most : int or None
            Number of rows that are yielded at most.

        Raises
        ------
        ValueError
            For a row of more than `LONGEST_ROW` characters.
        """
        with self.opened() as file:
            yield from islice(_rows(file, delimiter), most)


def parse(pandas: Any, open_file: Callable[[], IO[bytes]], encoding: str) -> Any:
    """Parse a table of text.

    The file is read several times, and what is no table is found before its cells are kept.

    Parameters
    ----------
    pandas : module
    open_file : callable
        As for `Text`.
    encoding : str

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    ValueError, csv.Error, pandas.errors.ParserWarning
        If it is no table.
    """
    text = Text(open_file, encoding)
    delimiter = _delimiter(text)
    named = _has_names(list(text.rows(delimiter, 20)))
    rows = text.rows(delimiter)
    first = next(rows, [])
    extra = _check_widths(rows, len(first)) if named else _check_widths(rows, len(first), (0,))
    if named:
        _check_names([cell.strip() for cell in first])
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
    frame = _read(pandas, text, settings)
    if delimiter != "," and _has_comma(text):
        other = _read(pandas, text, settings | {"decimal": ","})
        frame = max(frame, other, key=_count_numbers)
    if not named:
        frame.columns = [str(position + 1) for position in range(len(frame.columns))]
    return frame


def _read(pandas: Any, text: Text, settings: dict[str, Any]) -> Any:
    with text.opened() as file, warnings.catch_warnings():
        # Of rows with more cells than pandas expects it says only that data are lost.
        warnings.simplefilter("error", pandas.errors.ParserWarning)
        return pandas.read_csv(file, **settings).reset_index(drop=True)


def _has_comma(text: Text) -> bool:
    with text.opened() as file:
        return any("," in part for part in iter(lambda: file.read(SAMPLE), ""))


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
    length = 0

    def lines() -> Iterator[str]:
        nonlocal length
        for line in iter(lambda: file.readline(LONGEST_ROW + 1), ""):
            length += len(line)
            if length > LONGEST_ROW:
                raise ValueError(f"a row has more than {LONGEST_ROW} characters")
            yield line.strip().replace("\t", " ") if delimiter == " " else line

    for row in csv.reader(lines(), delimiter=delimiter, skipinitialspace=True):
        length = 0
        if len(row) > 1 or (row and row[0].strip()):
            yield row


def _delimiter(text: Text) -> str:
    """Find the delimiter that gives most rows of the beginning the same number of cells."""

    def cells(delimiter: str) -> tuple[int, int]:
        counts = [len(row) for row in text.rows(delimiter, 100)]
        usual = max(set(counts), key=counts.count, default=0)
        return counts.count(usual) if usual > 1 else 0, usual

    found = {delimiter: cells(delimiter) for delimiter in DELIMITERS}
    commas, others = found[","][0], max(found[delimiter][0] for delimiter in DELIMITERS[1:])
    decimal = not NO_DECIMAL_COMMA.search(text.beginning())
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
