# SPDX-License-Identifier: BSD-2-Clause

"""Files of the safetensors format: their header is read, and a tensor when it is asked for."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import MissingToolError
from .bounds import TEXT, check_claim
from .stored import StoredArray
from .unpacked import CHUNK

TYPES = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2"},
    **{"I8": "|i1", "U8": "|u1"},
}
"""numpy's name of each type of safetensors that numpy has, and that networks use."""


@dataclass(frozen=True)
class Tensor:
    """A tensor of a file.

    Parameters
    ----------
    path : Path
    kind : str
        Its type, as safetensors calls it.
    shape : tuple of int
    start, stop : int
        Where its bytes are in the file.
    """

    path: Path
    kind: str
    shape: tuple[int, ...]
    start: int
    stop: int

    def stored(self, dtype: str | None = None) -> StoredArray:
        """Return the tensor as an array of `TYPES`, or of `dtype`; `KeyError` for another type."""
        found = np.dtype(dtype or TYPES[self.kind])

        def read() -> NDArray[Any]:
            count = (self.stop - self.start) // found.itemsize
            return np.fromfile(self.path, found, count, offset=self.start).reshape(self.shape)

        return StoredArray(self.shape, found, read)

    def content(self) -> Iterator[bytes]:
        """Read the bytes, in parts."""
        with self.path.open("rb") as file:
            file.seek(self.start)
            for at in range(self.start, self.stop, CHUNK):
                yield file.read(min(CHUNK, self.stop - at))


def import_safetensors() -> Any:
    """Import the package safetensors; raises `MissingToolError` if it is not installed."""
    try:
        import safetensors
        import safetensors.numpy
    except ImportError:
        raise MissingToolError(
            "safetensors is not installed; pip install dualgate[safetensors]"
        ) from None
    return safetensors


def read_header(path: Path, most: int) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read the names and places of the tensors of a file, and its metadata.

    Parameters
    ----------
    path : Path
    most : int
        The bound of `bounds`: of the file, and of its header a `TEXT`-th.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is damaged; no tensor lies outside the file, nor claims more bytes than it has there.
    SizeError
        If it is larger than the bound.
    MissingToolError
        If the package safetensors is not installed.
    """
    package = import_safetensors()
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        size = path.stat().st_size
        check_claim("the file", size, most)
        check_claim("its description", min(length, size), most, TEXT)
        header = file.read(length) if length < size else b""
    try:
        # The package checks every place and size.
        with package.safe_open(path, framework="numpy"):
            described = json.loads(header)
    except (OSError, TypeError, AttributeError, RecursionError, package.SafetensorError):
        raise ValueError("damaged") from None
    metadata = described.pop("__metadata__", None) or {}
    tensors = {}
    for name, each in described.items():
        start, stop = (8 + length + offset for offset in each["data_offsets"])
        tensors[name] = Tensor(path, each["dtype"], tuple(each["shape"]), start, stop)
    return tensors, metadata
