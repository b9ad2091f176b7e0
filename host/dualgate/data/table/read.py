# SPDX-License-Identifier: BSD-2-Clause

"""Reading of tables: text with any usual delimiter, encoding and decimal mark; Parquet."""

import csv
import gzip
import re
import zlib
from pathlib import Path
from typing import Any

from ...contract.errors import InputError, MissingToolError
from ..packages import pandas_package
from .text import parse

SAMPLE = 1 << 16
"""Bytes of a file that are looked at to tell text."""

MOST_BYTES = 1 << 28
"""Longest text, and largest Parquet table, that is read; 100,000 rows of 30 columns have 20 MB."""

GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
PICKLE = "a pickle, which may run code: save it as CSV"
BINARY = {
    b"PK\x03\x04": "a zip archive (or a spreadsheet): unpack it, or save it as CSV",
    b"\xd0\xcf\x11\xe0": "a spreadsheet: save it as CSV",
    b"\x89HDF": "an HDF5 file: save it as CSV or .npz",
} | {bytes([0x80, protocol]): PICKLE for protocol in range(2, 6)}
"""Beginnings of other files that people have, and what to do with each."""

NO_TEXT = re.compile("[\0-\x08\x0e-\x19\x1b-\x1f\x7f]")
"""Control characters that no table has."""


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
        2 and so on. If all other rows have one cell more than the first, they begin with names of
        rows, which are left out.

    Returns
    -------
    pandas.DataFrame
        At least one row and one column; the names of columns are str, and differ.

    Raises
    ------
    InputError
        If the file cannot be read, is no table, or has more than `MOST_BYTES`.
    MissingToolError
        If pandas, or pyarrow for Parquet, is not installed.
    """
    pandas = pandas_package()
    try:
        with path.open("rb") as file:
            head = file.read(4)
        frame = _parquet(pandas, path) if is_parquet(head) else _text(pandas, path, head)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "its data is damaged"
        raise InputError(f"cannot read {path}: {reason}; choose another file") from None
    if not len(frame) or not len(frame.columns):
        raise InputError(f"{path} has no rows; give a table with at least one")
    names = [str(name).strip() for name in frame.columns]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise InputError(
            f"{path} has two columns called {twice[0]!r}; give each column a name of its own"
        )
    frame.columns = names
    return frame


def _parquet(pandas: Any, path: Path) -> Any:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingToolError(
            "pyarrow, which reads Parquet, is not installed; pip install dualgate[parquet]"
        ) from None
    try:
        with parquet.ParquetFile(path) as file:
            groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
            size = sum(max(group.total_byte_size, 8 * group.num_rows) for group in groups)
            if size > MOST_BYTES:
                raise _too_large(path)
            nested = [field.name for field in file.schema_arrow if field.type.num_fields]
        if nested:
            raise InputError(
                f"{path}: column {nested[0]!r} holds lists or records; give a column for each value"
            )
        frame = pandas.read_parquet(path, engine="pyarrow")
    except (pyarrow.ArrowException, ValueError, TypeError, NotImplementedError, OverflowError):
        raise InputError(f"{path} is no sound Parquet file; write it again") from None
    # What pandas wrote as an index is a column of the file.
    named = any(name is not None for name in frame.index.names)
    return frame.reset_index(drop=not named)


def _too_large(path: Path) -> InputError:
    return InputError(
        f"{path} holds more than the {MOST_BYTES / 1e6:.0f} MB that are read; give fewer rows"
    )


def _text(pandas: Any, path: Path, head: bytes) -> Any:
    for magic, kind in BINARY.items():
        if head.startswith(magic):
            raise InputError(f"{path} is {kind}")
    with (gzip.open if head.startswith(GZIP) else open)(path, "rb") as file:
        content = file.read(SAMPLE)
        encodings = _encodings(content)
        if NO_TEXT.search(content.decode(encodings[0], "replace")):
            raise InputError(f"{path} is not a table of text; give CSV, Parquet, .npz, .npy or IDX")
        content += file.read(MOST_BYTES + 1 - len(content))
    if len(content) > MOST_BYTES:
        raise _too_large(path)
    if not content.strip():
        raise InputError(f"{path} is empty; give a table with a header and rows")
    for encoding in encodings:
        try:
            return parse(pandas, content, encoding)
        except UnicodeError:
            continue
        except (ValueError, csv.Error, pandas.errors.ParserWarning) as error:
            reason = " ".join(str(error).replace("C error: ", "").split())
            raise InputError(f"{path} is no table: {reason}; mend the file") from None
    raise InputError(f"{path} is in no known encoding; save it as UTF-8")


def _encodings(start: bytes) -> tuple[str, ...]:
    """Return the encodings to try, the likeliest first."""
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ("utf-16",)
    return "utf-8-sig", "cp1252"
