# SPDX-License-Identifier: BSD-2-Clause

"""Files in the IDX format, in which MNIST and its relatives come.

A file is known by its first bytes, compressed by gzip or not, whatever its name.
"""

import math
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from .bounds import CERTAIN, MOST_BYTES, check_claim
from .unpacked import measure, open_unpacked

TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
"""Types of numbers by their code in the header."""

MOST_DIMENSIONS = 8


def is_idx(path: Path) -> bool:
    """Whether a file exists and begins as an IDX file does, compressed or not."""
    try:
        with open_unpacked(path) as file:
            head = file.read(4)
    except (OSError, EOFError, zlib.error):
        return False
    return len(head) == 4 and head[:2] == b"\0\0" and head[2] in TYPES and head[3] > 0


def read_idx(path: Path, most: int = MOST_BYTES) -> NDArray[Any]:
    """Read one IDX file.

    No more of it is decompressed than its header claims. If that is more than `bounds.CERTAIN`, it
    is decompressed once to see that it is whole before memory is taken for it.

    Parameters
    ----------
    path : Path
    most : int
        Most bytes that are read.

    Returns
    -------
    array of the shape and type that the file's header gives

    Raises
    ------
    InputError
        If the file cannot be read, is not IDX, claims more than `most`, or does not have the length
        that its header gives.
    """
    try:
        with open_unpacked(path) as file:
            kind, shape = _header(path, file)
            size = math.prod(shape) * kind.itemsize
            check_claim(str(path), size, most)
            length = measure(file, size) if size > CERTAIN else size
        if length == size:
            with open_unpacked(path) as file:
                _header(path, file)
                content = file.read(size + 1)
            length = len(content)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or "the compressed data is damaged"
        raise InputError(f"cannot read {path}: {reason}; get the file again") from None
    if length != size:
        have = f"more than {size}" if length > size else str(length)
        raise InputError(
            f"{path} has {have} bytes of numbers and should have {size}; get the file again"
        )
    return np.frombuffer(content, kind).reshape(shape)


def _header(path: Path, file: IO[bytes]) -> tuple[np.dtype[Any], tuple[int, ...]]:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in TYPES:
        raise InputError(f"{path} is not an IDX file; get the file again")
    if not 1 <= head[3] <= MOST_DIMENSIONS:
        raise InputError(f"{path} has {head[3]} dimensions; give 1 to {MOST_DIMENSIONS}")
    sizes = file.read(4 * head[3])
    if len(sizes) < 4 * head[3]:
        raise InputError(f"{path} ends in its header; get the file again")
    shape = tuple(int.from_bytes(sizes[i : i + 4], "big") for i in range(0, len(sizes), 4))
    if 0 in shape:
        raise InputError(f"{path} has shape {shape}, so no numbers; get the file again")
    return np.dtype(TYPES[head[2]]), shape
