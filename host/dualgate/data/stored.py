# SPDX-License-Identifier: BSD-2-Clause

"""Arrays that are still in a file: their shape and type are known, their numbers are read later."""

import io
import math
import warnings
from collections.abc import Callable, Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .unpacked import CHUNK

LONGEST_HEADER = 10_000
"""Most bytes of the header of an array; numpy reads no longer one, either."""


class StoredArray:
    """An array of a file; `numpy.asarray` reads it.

    Parameters
    ----------
    shape : sequence of int
    dtype : data type
    read : callable
        Reads the numbers; it is called for each conversion.

    Members
    -------
    shape : tuple of int
    dtype : numpy.dtype
    ndim, nbytes : int
    """

    def __init__(
        self, shape: Sequence[int], dtype: DTypeLike, read: Callable[[], NDArray[Any]]
    ) -> None:
        self.shape = tuple(shape)
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        self.ndim = len(self.shape)
        self.nbytes = math.prod(self.shape) * self.dtype.itemsize
        self._read = read

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        array = self._read()
        return array if dtype is None else array.astype(dtype, copy=False)


def find_array(open_file: Callable[[], IO[bytes]], length: int, exact: bool = False) -> StoredArray:
    """Read the header of an array that numpy wrote.

    Parameters
    ----------
    open_file : callable
        Opens the file, or the entry of an archive, at its beginning.
    length : int
        Length of the file in bytes. If the header claims more, the numbers cannot be read.
    exact : bool
        Whether they cannot be read if it claims less, either.

    Returns
    -------
    StoredArray
        It is not read if it holds Python objects.

    Raises
    ------
    ValueError, EOFError, TypeError, SyntaxError, tokenize.TokenError, RecursionError
        For another format, or a damaged header.
    """
    with open_file() as file:
        shape, fortran, kind, start = _header(file)

    def read() -> NDArray[Any]:
        if kind.hasobject:
            raise ValueError("Python objects")
        if array.nbytes > length - start or (exact and array.nbytes < length - start):
            raise EOFError
        content = np.empty(array.nbytes, np.uint8)
        with open_file() as file:
            file.read(start)
            _fill(content, file)
        numbers = content.view(kind)
        return numbers.reshape(shape[::-1]).T if fortran else numbers.reshape(shape)

    array = StoredArray(shape, kind, read)
    return array


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    # numpy would read as long a header as its first bytes claim.
    start = io.BytesIO(file.read(LONGEST_HEADER))
    version = np.lib.format.read_magic(start)
    reader = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if reader is None:
        raise ValueError(f"version {version}")
    with warnings.catch_warnings():
        # numpy reads what Python 2 wrote, and says that it does.
        warnings.simplefilter("ignore")
        shape, fortran, kind = reader(start)
    if kind.itemsize == 0:
        raise ValueError("an empty type")
    return shape, fortran, kind, start.tell()


def _fill(content: NDArray[np.uint8], file: IO[bytes]) -> None:
    at = 0
    while at < len(content):
        part = file.read(min(CHUNK, len(content) - at))
        if not part:
            raise EOFError
        content[at : at + len(part)] = np.frombuffer(part, np.uint8)
        at += len(part)
