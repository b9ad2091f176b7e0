# SPDX-License-Identifier: BSD-2-Clause

"""Files that may be compressed by gzip, as if they were not; and their length."""

import gzip
from pathlib import Path
from typing import IO

GZIP = b"\x1f\x8b"
CHUNK = 1 << 20


def open_unpacked(path: Path) -> IO[bytes]:
    """Open a file, compressed by gzip or not, which its first bytes tell."""
    with path.open("rb") as file:
        packed = file.read(2) == GZIP
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def measure(file: IO[bytes], most: int) -> int:
    """Read a file to its end, keep nothing, and return its length.

    Parameters
    ----------
    file : file
    most : int
        Reading stops above this number of bytes.
    """
    length = 0
    while length <= most and (part := file.read(CHUNK)):
        length += len(part)
    return length
