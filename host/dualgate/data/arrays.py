# SPDX-License-Identifier: BSD-2-Clause

"""Files of arrays as numpy writes them: .npy, and .npz with inputs and targets in one file."""

import zipfile
import zlib
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.names import unknown
from .bounds import MOST_BYTES, check_claim
from .stored import StoredArray, find_array
from .zips import find_entry, open_zip

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
    *(TokenError, SyntaxError, MemoryError, OverflowError, NotImplementedError),
    RuntimeError,  # zipfile: encrypted; ast: nested too deep
)


def read_npy(path: Path, most: int = MOST_BYTES) -> NDArray[Any]:
    """Read a .npy file of numbers or of words.

    Parameters
    ----------
    path : Path
    most : int
        Most bytes that are read.

    Raises
    ------
    InputError
        If the file cannot be read, holds Python objects, or claims more than `most`.
    """
    try:
        array = find_array(lambda: path.open("rb"), path.stat().st_size)
        _check(path.name, array, most)
        return np.asarray(array)
    except DAMAGED as error:
        raise _refused(path, error) from None


def read_npz(
    path: Path, target: str | None, need_target: bool = True, most: int = MOST_BYTES
) -> dict[str, NDArray[Any]]:
    """Read inputs and targets from a .npz file; no other array of it is read.

    Parameters
    ----------
    path : Path
    target : str or None
        Name of the array of targets; by default one of `TARGETS`, if there is one.
    need_target : bool
        Whether a file without `target` is an error.
    most : int
        Most bytes that are read, of all these arrays together.

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
        with open_zip(path) as archive:
            members = [name for name in archive.namelist() if name.endswith(".npy")]
            names = [name.removesuffix(".npy") for name in members]
            if not names:
                raise InputError(
                    f"{path} is a zip archive without arrays (or a spreadsheet): unpack it, or "
                    "save it as CSV"
                )
            known = target if need_target or target in names else None
            found: dict[str, StoredArray] = {}
            for role, name in _choose(path, names, known).items():
                found[role] = find_entry(archive, f"{name}.npy")
                _check(f"{path.name}: {name}", found[role], most)
            check_claim(path.name, sum(array.nbytes for array in found.values()), most)
            return {role: np.asarray(array) for role, array in found.items()}
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


def _check(name: str, array: StoredArray, most: int) -> None:
    if array.dtype.hasobject:
        raise InputError(f"{name} holds Python objects, which may run code; save numbers or words")
    if not array.shape or min(array.shape) < 1:
        raise InputError(f"{name} has shape {array.shape}, so no samples; give an array with some")
    check_claim(name, array.nbytes, most)


def _refused(path: Path, error: Exception) -> InputError:
    reason = getattr(error, "strerror", None) or "it is damaged, or no file of arrays"
    return InputError(f"cannot read {path}: {reason}; save it again with numpy")
