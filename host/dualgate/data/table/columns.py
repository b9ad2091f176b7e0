# SPDX-License-Identifier: BSD-2-Clause

"""Reading of Parquet files, whose columns may unpack to any size."""

import io
from pathlib import Path
from typing import Any

from ...contract.errors import InputError, MissingToolError
from ..bounds import TABLE, TEXT, check_claim

NUMBER = 8
"""Bytes that a number takes at most."""


def read_parquet(pandas: Any, path: Path, most: int) -> Any:
    """Read a Parquet file.

    A column may hold one value for any number of rows in a few bytes. So the table is measured as
    it is in memory: numbers by the number of rows, texts by their lengths, which are read as
    positions in a dictionary first.

    Parameters
    ----------
    pandas : module
    path : Path
    most : int
        The bound of `bounds`, of which a table may take a quarter.

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    InputError
        If it is damaged, larger than the bound, or holds lists or records.
    MissingToolError
        If pyarrow is not installed.
    """
    try:
        import pyarrow
        from pyarrow import compute, parquet
    except ImportError:
        raise MissingToolError(
            "pyarrow, which reads Parquet, is not installed; pip install dualgate[parquet]"
        ) from None
    with path.open("rb") as plain:
        length = plain.seek(0, io.SEEK_END)
        plain.seek(max(0, length - 8))
        described = min(int.from_bytes(plain.read(4), "little"), length)
    check_claim(f"the description in {path}", described, most, TEXT)
    try:
        with parquet.ParquetFile(path) as file:
            about, schema = file.metadata, file.schema_arrow
            groups = [about.row_group(i).total_byte_size for i in range(about.num_row_groups)]
            widths = {field.name: _width(field.type) for field in schema}
            numbers = about.num_rows * sum(_width(field.type) or 0 for field in schema)
            check_claim(str(path), max(sum(groups), numbers), most, TABLE)
            nested = [field.name for field in schema if field.type.num_fields]
            if nested:
                raise InputError(
                    f"{path}: column {nested[0]!r} holds lists or records; give a column for each "
                    "value"
                )
        texts = [name for name, width in widths.items() if width is None]
        size = sum(_text_size(compute, parquet, path, name) for name in texts)
        check_claim(str(path), size, most, TABLE)
        frame = pandas.read_parquet(path, engine="pyarrow")
    except (pyarrow.ArrowException, ValueError, TypeError, NotImplementedError, OverflowError):
        raise InputError(f"{path} is no sound Parquet file; write it again") from None
    # What pandas wrote as an index is a column of the file.
    named = any(name is not None for name in frame.index.names)
    return frame.reset_index(drop=not named)


def _width(kind: Any) -> int | None:
    """Return the bytes of a value, or None if they depend on the value."""
    try:
        return max(int(kind.bit_width) // 8, NUMBER)
    except ValueError:
        return None


def _text_size(compute: Any, parquet: Any, path: Path, name: str) -> int:
    """Return the bytes of all texts of a column, of which each is held once to find it."""
    total = 0
    with parquet.ParquetFile(path, read_dictionary=[name]) as file:
        for column in file.read(columns=[name]).columns:
            for chunk in column.chunks:
                if hasattr(chunk, "dictionary"):
                    lengths = compute.binary_length(chunk.dictionary)
                    total += compute.sum(lengths.take(chunk.indices)).as_py() or 0
                else:
                    total += chunk.nbytes
    return total
