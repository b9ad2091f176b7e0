# SPDX-License-Identifier: BSD-2-Clause

"""Files of arrays as numpy writes them: .npy, and .npz with inputs and targets in one file."""

import lzma
import math
import warnings
import zipfile
import zlib
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.names import unknown
from .idx import MOST_BYTES

NPY, ZIP = b"\x93NUMPY", b"PK\x03\x04"

INPUTS = ("x", "X", "x_train", "X_train", "train_images", "data", "images", "features", "inputs")
TARGETS = ("y", "Y", "y_train", "train_labels", "target", "targets", "labels", "label")
"""Names that programs give to arrays of inputs and of targets."""

HELD_OUT = {"x_train": "x_test", "X_train": "X_test", "y_train": "y_test"} | {
    "train_images": "test_images",
    "train_labels": "test_labels",
}
"""Names of held-out arrays beside those of training."""

DAMAGED = (
    *(EOFError, KeyError, OSError, ValueError, TypeError, zipfile.BadZipFile, zlib.error),
    *(lzma.LZMAError, TokenError, SyntaxError, MemoryError, OverflowError),
    RuntimeError,  # zipfile: encrypted, or of an unknown method; ast: nested too deep
)


def read_npy(path: Path) -> NDArray[Any]:
    """Read a .npy file of numbers or of words.

    Raises
    ------
    InputError
        If the file cannot be read, holds Python objects, or claims more than `idx.MOST_BYTES`.
    """
    try:
        with path.open("rb") as file:
            array = _read(path.name, file, path.stat().st_size)
    except DAMAGED as error:
        raise _refused(path, error) from None
    return array


def read_npz(path: Path, target: str | None, need_target: bool = True) -> dict[str, NDArray[Any]]:
    """Read inputs and targets from a .npz file; no other array of it is read.

    Parameters
    ----------
    path : Path
    target : str or None
        Name of the array of targets; by default one of `TARGETS`, if there is one.
    need_target : bool
        Whether a file without `target` is an error.

    Returns
    -------
    dict
        ``x``, perhaps ``y``, and perhaps ``x_test`` and ``y_test``.

    Raises
    ------
    InputError
        As for `read_npy`, or if it is not clear which array is which.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [each for each in archive.infolist() if each.filename.endswith(".npy")]
            sizes = {each.filename.removesuffix(".npy"): each.file_size for each in members}
            if not sizes:
                raise InputError(
                    f"{path} is a zip archive without arrays (or a spreadsheet): unpack it, or "
                    "save it as CSV"
                )
            known = target if need_target or target in sizes else None
            chosen = _choose(path, list(sizes), known)
            result = {}
            for role, name in chosen.items():
                with archive.open(f"{name}.npy") as file:
                    result[role] = _read(f"{path.name}: {name}", file, sizes[name])
            return result
    except DAMAGED as error:
        raise _refused(path, error) from None


def _choose(path: Path, names: list[str], target: str | None) -> dict[str, str]:
    if target is not None and target not in names:
        raise InputError(f"{path}: {unknown('array', target, names)}")
    y = target or next((name for name in TARGETS if name in names), None)
    rest = [name for name in names if name != y]
    x = next((name for name in INPUTS if name in rest), rest[0] if len(rest) == 1 else None)
    if x is None:
        raise InputError(
            f"{path} has the arrays {', '.join(names)}; call that of the inputs x and "
            "that of the targets y"
        )
    chosen = {"x": x} | ({"y": y} if y else {})
    held_out = {f"{role}_test": HELD_OUT.get(name) for role, name in chosen.items()}
    if y and all(name in names for name in held_out.values()):
        chosen |= {role: name for role, name in held_out.items() if name is not None}
    return chosen


def _read(name: str, file: Any, size: int) -> NDArray[Any]:
    version = np.lib.format.read_magic(file)
    reader = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if reader is None:
        raise ValueError(f"version {version}")
    with warnings.catch_warnings():
        # numpy reads what Python 2 wrote, and says that it does.
        warnings.simplefilter("ignore")
        shape, fortran, kind = reader(file)
    if kind.hasobject:
        raise InputError(f"{name} holds Python objects, which may run code; save numbers or words")
    if not shape or min(shape) < 1:
        raise InputError(f"{name} has shape {shape}, so no samples; give an array with some")
    claimed = math.prod(shape) * kind.itemsize
    if claimed > MOST_BYTES:
        raise InputError(
            f"{name} claims {claimed / 1e9:.1f} GB, more than the {MOST_BYTES / 1e9:.1f} GB that "
            "are read; give fewer samples"
        )
    if claimed > size:
        raise EOFError
    content = file.read(claimed)
    if len(content) != claimed:
        raise EOFError
    array = np.frombuffer(content, kind)
    return array.reshape(shape[::-1]).T if fortran else array.reshape(shape)


def _refused(path: Path, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or "it is damaged, or no file of arrays"
    return InputError(f"cannot read {path}: {reason}; save it again with numpy")
