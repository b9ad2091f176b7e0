# SPDX-License-Identifier: BSD-2-Clause

"""Files of arrays and a text: `.safetensors` if the name has that suffix, else `.npz`.

Neither format can hold code, and neither yields a damaged array: zip has a checksum for each array,
and in a safetensors file the metadata holds one checksum for all. If the directory of a file is
damaged, an array is missing, and the error names it.
"""

import io
import math
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import CheckpointError
from ..data.bounds import MOST_BYTES, TEXT, check_claim
from ..data.files import replace_file
from ..data.stored import StoredArray
from ..data.tensor_files import import_safetensors, read_header
from ..data.zips import find_entry, open_zip

SAFETENSORS = ".safetensors"
ABOUT = "about"
"""Name of the text among the arrays."""

CHECKSUM = "crc32"

UNICODE, NUMBER = 4, 8
"""Bytes of a character of a text that numpy writes, and of a number."""

DAMAGED = (
    *(AttributeError, RuntimeError, SyntaxError, TypeError, ValueError, OverflowError),
    *(TokenError, zipfile.BadZipFile, zlib.error, NotImplementedError),
    *(OSError, EOFError, MemoryError, KeyError),
)
"""Errors of a damaged file. numpy parses the header of an array as Python source."""


def write_archive(path: Path, about: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a text and arrays to a file, all or nothing.

    Parameters
    ----------
    path : Path
        The suffix ``.safetensors`` selects that format; any other, `.npz`.
    about : str
    arrays : mapping of name to array
        The name ``about`` is reserved.

    Raises
    ------
    InputError
        If `path` cannot be written.
    MissingToolError
        If the format is safetensors and its package is not installed.
    """
    if path.suffix == SAFETENSORS:
        replace_file(path, _pack_safetensors(about, arrays))
        return
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **{ABOUT: np.array(about)}, **arrays)
    replace_file(path, content.getvalue())


class Archive(Mapping[str, Any]):
    """The content of a file: a text, and arrays, which `numpy.asarray` reads.

    All arrays that are asked for claim no more than the bound together, as numbers of 64 bits. Each
    error of an array is a `CheckpointError`.

    Parameters
    ----------
    find : callable
        Finds an array by its name.
    names : iterable of str
    about : str or None
        The text, which is the value of the name ``about``.
    kind : str
        Suffix of the format.
    most, factor : int
        As for `bounds.check_claim`.
    """

    def __init__(
        self,
        find: Callable[[str], StoredArray],
        names: Iterable[str],
        about: str | None,
        kind: str,
        most: int,
        factor: int,
    ) -> None:
        self._find = find
        self._names = dict.fromkeys([ABOUT, *names] if about is not None else names)
        self._about = about
        self._kind = kind
        self._bound = most, factor
        self._found: dict[str, StoredArray] = {}
        self._claimed = 0

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        if name == ABOUT:
            return self._about
        if name not in self._found:
            with _refusing(self._kind):
                found = self._find(name)
            self._claimed += max(found.nbytes, NUMBER * math.prod(found.shape))
            check_claim("what it holds", self._claimed, *self._bound)
            self._found[name] = self._checked(found)
        return self._found[name]

    def _checked(self, array: StoredArray) -> StoredArray:
        def read() -> NDArray[Any]:
            with _refusing(self._kind):
                return np.asarray(array)

        return StoredArray(array.shape, array.dtype, read)


def read_archive(path: Path, most: int = MOST_BYTES, factor: int = 1) -> Archive:
    """Read a file that `write_archive` wrote: its text now, and its arrays when they are asked for.

    Parameters
    ----------
    path : Path
    most, factor : int
        As for `bounds.check_claim`, for all arrays that are asked for.

    Returns
    -------
    Archive
        The arrays by name, and the text as ``about``. Either may be missing from a file of another
        program.

    Raises
    ------
    CheckpointError
        If the file cannot be read or is damaged. Damage of an array of an `.npz` is found when the
        array is read.
    SizeError
        If something in it claims more than the bound.
    MissingToolError
        If the format is safetensors and its package is not installed.
    """
    if path.suffix == SAFETENSORS:
        return _read_safetensors(path, most, factor)
    with _refusing(".npz"), open_zip(path) as archive:
        members = {name.removesuffix(".npy"): name for name in archive.namelist()}
        about = None
        if ABOUT in members:
            text = find_entry(archive, members[ABOUT])
            check_claim("its description", text.nbytes // UNICODE, most, TEXT)
            about = str(np.asarray(text))

    def find(name: str) -> StoredArray:
        # Opened again each time, since nobody says when the last array has been read.
        with open_zip(path) as archive:
            found = find_entry(archive, members[name])

        def read() -> NDArray[Any]:
            with open_zip(path) as archive:
                return np.asarray(find_entry(archive, members[name]))

        return StoredArray(found.shape, found.dtype, read)

    return Archive(find, members, about, ".npz", most, factor)


@contextmanager
def _refusing(kind: str) -> Iterator[None]:
    try:
        yield
    except DAMAGED as error:
        reason = getattr(error, "strerror", None) or f"not a whole {kind} of arrays"
        raise CheckpointError(reason) from None


def _pack_safetensors(about: str, arrays: Mapping[str, NDArray[Any]]) -> bytes:
    tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    parts = ((name, array, [array.tobytes()]) for name, array in sorted(tensors.items()))
    metadata = {ABOUT: about, CHECKSUM: str(_checksum(about, parts))}
    return bytes(import_safetensors().numpy.save(tensors, metadata))


def _read_safetensors(path: Path, most: int, factor: int) -> Archive:
    with _refusing(SAFETENSORS):
        tensors, metadata = read_header(path, most)
        about = metadata.get(ABOUT)
        if about is not None:
            parts = ((name, t.stored(), t.content()) for name, t in sorted(tensors.items()))
            if metadata.get(CHECKSUM) != str(_checksum(about, parts)):
                raise EOFError

    def find(name: str) -> StoredArray:
        return tensors[name].stored()

    return Archive(find, tensors, about, SAFETENSORS, most, factor)


def _checksum(
    about: str, parts: Iterable[tuple[str, StoredArray | NDArray[Any], Iterable[bytes]]]
) -> int:
    """Compute the checksum of a text, and of arrays in the order of their names."""
    total = zlib.crc32(about.encode())
    for name, array, content in parts:
        total = zlib.crc32(f"{name} {array.dtype.str} {array.shape}".encode(), total)
        for part in content:
            total = zlib.crc32(part, total)
    return total
