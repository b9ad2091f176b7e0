# SPDX-License-Identifier: BSD-2-Clause

"""Reading of tables: text with any usual delimiter, encoding and decimal mark; Parquet."""

import csv
import re
import zlib
from pathlib import Path
from typing import Any

from ...contract.errors import InputError
from ..bounds import MOST_BYTES, TABLE, beyond
from ..packages import pandas_package
from ..unpacked import measure, open_unpacked
from .columns import read_parquet
from .text import parse

SAMPLE = 1 << 16
"""Bytes of a file that are looked at to tell text."""

PARQUET = b"PAR1"
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


def read_table(path: Path, most: int = MOST_BYTES) -> Any:
    """Read a table.

    Parameters
    ----------
    path : Path
        Text with one row a line, compressed by gzip or not, or Parquet. Comma, semicolon, tab, bar
        or spaces delimit the cells; the text is UTF-8, UTF-16 or else Windows-1252. The first row
        names the columns unless it holds numbers where the other rows do; then their names are 1,
        2 and so on. If all other rows have one cell more than the first, they begin with names of
        rows, which are left out.
    most : int
        The bound of `bounds`: of text, and of a Parquet table, a quarter is read.

    Returns
    -------
    pandas.DataFrame
        At least one row and one column; the names of columns are str, and differ.

    Raises
    ------
    InputError
        If the file cannot be read, is no table, or is larger than the bound.
    MissingToolError
        If pandas, or pyarrow for Parquet, is not installed.
    """
    pandas = pandas_package()
    try:
        with path.open("rb") as file:
            head = file.read(4)
        read = read_parquet if is_parquet(head) else _text
        frame = read(pandas, path, most)
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


def _text(pandas: Any, path: Path, most: int) -> Any:
    with path.open("rb") as plain:
        head = plain.read(4)
    for magic, kind in BINARY.items():
        if head.startswith(magic):
            raise InputError(f"{path} is {kind}")
    with open_unpacked(path) as file:
        content = file.read(SAMPLE)
        encodings = _encodings(content)
        if NO_TEXT.search(content.decode(encodings[0], "replace")):
            raise InputError(f"{path} is not a table of text; give CSV, Parquet, .npz, .npy or IDX")
        if len(content) + measure(file, most // TABLE) > most // TABLE:
            raise beyond(str(path), most, TABLE)
    if not content.strip():
        raise InputError(f"{path} is empty; give a table with a header and rows")
    for encoding in encodings:
        try:
            return parse(pandas, lambda: open_unpacked(path), encoding)
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
