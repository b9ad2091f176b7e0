# SPDX-License-Identifier: BSD-2-Clause

"""Files of arrays and a text: `.safetensors` if the name has that suffix, else `.npz`.

Neither format can hold code, and neither yields a damaged array: zip has a checksum for each array,
and in a safetensors file the metadata holds one checksum for all. If the directory of a file is
damaged, an array is missing, and the error names it.
"""

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import CheckpointError, MissingToolError
from ..data.files import replace_file

SAFETENSORS = ".safetensors"
TEXT = "about"
"""Name of the text among the arrays."""

CHECKSUM = "crc32"

DAMAGED = (
    *(AttributeError, RuntimeError, SyntaxError, TypeError, ValueError),
    *(TokenError, zipfile.BadZipFile, zlib.error),
)
"""Errors that numpy raises for a damaged `.npz`, since it parses the header of an array as Python
source."""


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
    np.savez(content, allow_pickle=False, **{TEXT: np.array(about)}, **arrays)
    replace_file(path, content.getvalue())


def read_archive(path: Path) -> dict[str, Any]:
    """Read a file that `write_archive` wrote.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict
        The arrays by name, and the text as ``about``. Either may be missing from a file of another
        program.

    Raises
    ------
    CheckpointError
        If the file cannot be read or is damaged.
    MissingToolError
        If the format is safetensors and its package is not installed.
    """
    try:
        if path.suffix == SAFETENSORS:
            return _unpack_safetensors(path)
        return _unpack_npz(path)
    except (OSError, EOFError, MemoryError, NotImplementedError) as error:
        kind = SAFETENSORS if path.suffix == SAFETENSORS else ".npz"
        reason = getattr(error, "strerror", None) or f"not a whole {kind} of arrays"
        raise CheckpointError(reason) from None


def _unpack_npz(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            content = {name: arrays[name] for name in arrays.files}
    except DAMAGED:
        raise EOFError from None
    return {name: str(array) if name == TEXT else array for name, array in content.items()}


def _pack_safetensors(about: str, arrays: Mapping[str, NDArray[Any]]) -> bytes:
    tensors = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    metadata = {TEXT: about, CHECKSUM: str(_checksum(about, tensors))}
    return bytes(import_safetensors().numpy.save(tensors, metadata))


def _unpack_safetensors(path: Path) -> dict[str, Any]:
    package = import_safetensors()
    path.open("rb").close()  # Raises OSError with the reason, unlike the package.
    try:
        with package.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (AttributeError, KeyError, TypeError, ValueError, package.SafetensorError):
        raise EOFError from None
    about = metadata.get(TEXT)
    if about is None:
        return tensors
    if metadata.get(CHECKSUM) != str(_checksum(about, tensors)):
        raise EOFError
    return {TEXT: about, **tensors}


def _checksum(about: str, tensors: Mapping[str, NDArray[Any]]) -> int:
    total = zlib.crc32(about.encode())
    for name, array in sorted(tensors.items()):
        total = zlib.crc32(f"{name} {array.dtype.str} {array.shape}".encode(), total)
        total = zlib.crc32(array.tobytes(), total)
    return total


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
