# SPDX-License-Identifier: BSD-2-Clause

"""Reading of tables: text with any usual delimiter, encoding and decimal mark; Parquet."""

import csv
import gzip
import io
from pathlib import Path
from typing import Any

from ...contract.errors import InputError, MissingToolError

DELIMITERS = ",;\t|"
SAMPLE = 1 << 16
"""Bytes of a file that are looked at to find its delimiter and its header."""

MISSING = ["?"]
"""Words that stand for a missing value, beside those of pandas, such as NA, NaN and nothing."""

GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
BINARY = {
    b"PK\x03\x04": "a zip archive (or a spreadsheet): unpack it, or save it as CSV",
    b"\xd0\xcf\x11\xe0": "a spreadsheet: save it as CSV",
    b"\x80\x04": "a pickle, which may run code: save it as CSV",
    b"\x89HDF": "an HDF5 file: save it as CSV or .npz",
}
"""Beginnings of other files that people have, and what to do with each."""


def is_parquet(head: bytes) -> bool:
    """Whether a file that begins with `head` is in the Parquet format."""
    return head.startswith(PARQUET)


def read_table(path: Path) -> Any:
    """Read a table.

    Parameters
    ----------
    path : Path
        Text with one row a line, compressed by gzip or not, or Parquet. Comma, semicolon, tab, bar
        or spaces delimit the cells; the text is UTF-8, UTF-16 or else Windows-1252. The first row
        names the columns unless it holds numbers where the other rows do; then their names are 1,
        2 and so on.

    Returns
    -------
    pandas.DataFrame
        At least one row and one column; the names of columns are str.

    Raises
    ------
    InputError
        If the file cannot be read or is no table.
    MissingToolError
        If pandas, or pyarrow for Parquet, is not installed.
    """
    pandas = _pandas()
    try:
        with path.open("rb") as file:
            head = file.read(4)
        frame = _parquet(pandas, path) if is_parquet(head) else _text(pandas, path, head)
    except (OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or "the compressed data is damaged"
        raise InputError(f"cannot read {path}: {reason}; choose another file") from None
    if not len(frame) or not len(frame.columns):
        raise InputError(f"{path} has no rows; give a table with at least one")
    frame.columns = [str(name).strip() for name in frame.columns]
    return frame


def _pandas() -> Any:
    try:
        import pandas
    except ImportError:
        raise MissingToolError("pandas is not installed; pip install dualgate[data]") from None
    return pandas


def _parquet(pandas: Any, path: Path) -> Any:
    try:
        import pyarrow
    except ImportError:
        raise MissingToolError(
            "pyarrow, which reads Parquet, is not installed; pip install dualgate[parquet]"
        ) from None
    try:
        return pandas.read_parquet(path, engine="pyarrow")
    except (pyarrow.ArrowException, ValueError, NotImplementedError):
        raise InputError(f"{path} is no sound Parquet file; write it again") from None


def _text(pandas: Any, path: Path, head: bytes) -> Any:
    for magic, kind in BINARY.items():
        if head.startswith(magic):
            raise InputError(f"{path} is {kind}")
    opener = gzip.open if head.startswith(GZIP) else open
    with opener(path, "rb") as file:
        start = file.read(SAMPLE)
    encoding = _encoding(start)
    if "\0" in start.decode(encoding, "replace"):
        raise InputError(f"{path} is not a table of text; give CSV, Parquet, .npz, .npy or IDX")
    for each in dict.fromkeys((encoding, "cp1252", "latin-1")):
        try:
            with opener(path, "rb") as file:
                text = file.read().decode(each)
            return _parse(pandas, text, start.decode(each, "replace"), len(start) == SAMPLE)
        except UnicodeDecodeError:
            continue
        except (ValueError, csv.Error) as error:
            reason = " ".join(str(error).replace("C error: ", "").split())
            raise InputError(f"{path} is no table: {reason}; mend that line") from None
    raise InputError(f"{path} is in no known encoding; save it as UTF-8")


def _encoding(start: bytes) -> str:
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    return "utf-8-sig"


def _parse(pandas: Any, text: str, start: str, more: bool) -> Any:
    """Parse a `text` that begins with `start`, whose last line is not whole if there is `more`."""
    lines = start.splitlines()[:100]
    if more:
        lines = lines[:-1] or lines
    if not any(line.strip() for line in lines):
        raise ValueError("it is empty")
    delimiter = _delimiter(lines)
    named = _has_names(list(_rows(lines[:20], delimiter)))
    settings = {
        "sep": r"\s+" if delimiter == " " else delimiter,
        "header": 0 if named else None,
        "skipinitialspace": True,
        "na_values": MISSING,
        "low_memory": False,
        "index_col": False if delimiter != " " else None,
    }
    frame = pandas.read_csv(io.StringIO(text), **settings)
    if delimiter != "," and "," in text:
        other = pandas.read_csv(io.StringIO(text), decimal=",", **settings)
        frame = max(frame, other, key=_count_numbers)
    if not named:
        frame.columns = [str(position + 1) for position in range(len(frame.columns))]
    return frame


def _rows(lines: list[str], delimiter: str) -> Any:
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True)


def _delimiter(lines: list[str]) -> str:
    """Find the delimiter that gives most cells a line, the same number in every line."""

    def cells(delimiter: str) -> tuple[int, int]:
        counts = [len(row) for row in _rows(lines, delimiter) if row]
        usual = max(set(counts), key=counts.count)
        return counts.count(usual) if usual > 1 else 0, usual

    best = max(DELIMITERS, key=cells)
    return best if cells(best)[0] else " " if cells(" ")[0] else ","


def _has_names(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns: a word above a number, or no number at all."""
    first, rest = rows[0], rows[1:]
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
