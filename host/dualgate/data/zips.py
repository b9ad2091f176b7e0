# SPDX-License-Identifier: BSD-2-Clause

"""Zip archives: their directory is bounded, and an entry yields no more than it claims."""

import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from .bounds import CERTAIN
from .stored import StoredArray, find_array
from .unpacked import measure

MOST_DIRECTORY = 1 << 18
"""Most bytes of an archive's directory; 3,000 entries have about this."""

END, LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x07"
LONGEST_END = 76 + 22 + (1 << 16)
"""The last records of an archive, with its comment."""

METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""Methods that are read. numpy writes no other, and zipfile does not bound bzip2 and LZMA."""


def open_zip(path: Path) -> zipfile.ZipFile:
    """Open an archive.

    Raises
    ------
    zipfile.BadZipFile, OSError
        If it cannot be read, or its directory claims more than `MOST_DIRECTORY`.
    """
    with path.open("rb") as file:
        size = _directory_size(file)
    if size > MOST_DIRECTORY:
        raise zipfile.BadZipFile
    return zipfile.ZipFile(path)


def _directory_size(file: IO[bytes]) -> int:
    """Return the size of the directory that `zipfile` would read at once, before it reads it."""
    file.seek(max(0, file.seek(0, 2) - LONGEST_END))
    tail = file.read()
    # zipfile takes the record without a comment, if there is one, and else the last signature.
    places = {at for at in (len(tail) - 22, tail.rfind(END)) if at >= 0 and tail[at:][:4] == END}
    if not places:
        raise zipfile.BadZipFile
    sizes = []
    for at in places:
        sizes.append(int.from_bytes(tail[at + 12 : at + 16], "little"))
        # A long archive has a longer record before that one, and a locator between them.
        if at >= 76 and tail[at - 20 :].startswith(LOCATOR_64):
            sizes[-1] = int.from_bytes(tail[at - 36 : at - 28], "little")
    return max(sizes)


def find_entry(archive: zipfile.ZipFile, name: str) -> StoredArray:
    """Find an array in an archive, by its header.

    It can be read as long as the archive is open. No more of it is unpacked than the archive's
    directory says, and if that is more than `CERTAIN`, it is unpacked once to see that it is whole
    before memory is taken for it.

    Raises
    ------
    KeyError
        If there is no entry of that name.
    zipfile.BadZipFile, zlib.error, OSError, RuntimeError, NotImplementedError
        If it cannot be unpacked, or is compressed by a method that is not one of `METHODS`.
    ValueError, EOFError, TypeError, SyntaxError, tokenize.TokenError, RecursionError
        If it is no array; see `find_array`. All of these may be raised by reading the array, too.
    """
    info = archive.getinfo(name)
    if info.compress_type not in METHODS:
        raise zipfile.BadZipFile
    # Exactly all of it, since the checksum is compared at its end.
    array = find_array(lambda: archive.open(info), info.file_size, exact=True)

    def read() -> NDArray[Any]:
        if info.file_size > CERTAIN:
            with archive.open(info) as file:
                measure(file, info.file_size)  # raises an error for a wrong checksum
        return np.asarray(array)

    return StoredArray(array.shape, array.dtype, read)
