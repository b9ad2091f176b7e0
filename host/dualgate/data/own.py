# SPDX-License-Identifier: BSD-2-Clause

"""Samples of one's own: a table, arrays, or IDX files, told apart by their first bytes."""

import glob
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.names import unknown
from .arrays import NPY, ZIP, read_npy, read_npz
from .bounds import MOST_BYTES
from .idx import is_idx, read_idx
from .images import find_files, read_pair
from .table import read_table

Content = Any
"""A table of pandas, or an array (samples, ...)."""


@dataclass(frozen=True)
class OwnData:
    """What a user says of a data set.

    Parameters
    ----------
    path : Path
        A table (CSV, Parquet), an array (.npy), arrays (.npz), or IDX files or their directory.
    target : str or None
        Name of the column, or columns with commas between, or of the array that holds the
        targets; for an array in a file of its own, the file with the targets.
    drop, categorical : tuple of str
        Columns that are not used, and columns that are categories whatever they hold.
    test : str or None
        A file of held-out samples, or the share of samples that is held out.
    """

    path: Path
    target: str | None = None
    drop: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()
    test: str | None = None

    def resolved(self) -> "OwnData":
        """Return the same with absolute paths, for another working directory."""

        def whole(text: str | None) -> str | None:
            return str(Path(text).resolve()) if text and Path(text).is_file() else text

        target = whole(self.target) if self.has_target_file else self.target
        return replace(self, path=self.path.resolve(), target=target, test=whole(self.test))

    @property
    def has_target_file(self) -> bool:
        """Whether the targets are in a file of their own: beside an array, not in a table."""
        return self.path.is_file() and (
            (_head(self.path) or b"").startswith(NPY) or is_idx(self.path)
        )

    def of_other(self, path: Path) -> "OwnData":
        """Return what is known of another file of the same kind, at `path`.

        The column or array of its targets is. A file of targets is not, and other columns are those
        that a preparation asks for.
        """
        return OwnData(path, None if self.has_target_file else self.target)


@dataclass(frozen=True)
class Raw:
    """Inputs and targets as a file holds them.

    Parameters
    ----------
    x, y : table or array
        `y` is None if the file has no targets.
    targets : tuple of str
        Names of the columns of `y`.
    held_out : Raw or None
        Held-out samples of the same file.
    """

    x: Content
    y: Content
    targets: tuple[str, ...]
    held_out: "Raw | None" = None


def read_own(path: Path, own: OwnData, need_target: bool = True, most: int = MOST_BYTES) -> Raw:
    """Read inputs and targets.

    Parameters
    ----------
    path : Path
        The file of `own`, or another of the same kind.
    own : OwnData
    need_target : bool
        Whether a file without targets is an error.
    most : int
        The bound of `bounds`.

    Raises
    ------
    InputError
        If the file cannot be read, claims more than the bound, or does not hold what `own` says.
    MissingToolError
        If a package that the kind of file needs is not installed.
    """
    head = _head(path)
    if path.is_dir() or head is None:
        raw = _images(path, most)
    elif head.startswith(NPY):
        raw = _array(read_npy(path, most), path, own if need_target else None, most)
    elif head.startswith(ZIP):
        arrays = read_npz(path, own.target, need_target, most)
        held_out = arrays.get("x_test")
        test = None if held_out is None else Raw(held_out, arrays["y_test"], ("y_test",))
        raw = Raw(arrays["x"], arrays.get("y"), ("y",), test)
    elif is_idx(path):
        raw = _array(read_idx(path, most), path, own if need_target else None, most)
    else:
        raw = _table(path, own, need_target, most)
    if need_target and raw.y is None:
        raise InputError(f"{path} has no targets; give --target with the file that has them")
    if raw.y is not None and len(raw.x) != len(raw.y):
        raise InputError(f"{path}: {len(raw.x)} inputs for {len(raw.y)} targets; match them")
    return raw


def _head(path: Path) -> bytes | None:
    try:
        if not path.exists():
            if path.name and any(path.parent.glob(f"{glob.escape(path.name)}*")):
                return None
            raise InputError(f"there is no {path}; give a file, a directory, or a task's name")
        if path.is_dir():
            return None
        with path.open("rb") as file:
            return file.read(8)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; choose another file") from None


def _images(path: Path, most: int) -> Raw:
    files = find_files(path)
    if (False, False) not in files or (False, True) not in files:
        raise InputError(
            f"{path} has no IDX files of images and labels; give a file, or a directory with them"
        )
    x, y = read_pair(files[False, False], files[False, True], most)
    held_out = None
    if (True, False) in files and (True, True) in files:
        held_out = Raw(*read_pair(files[True, False], files[True, True], most), ("label",))
    return Raw(x, y, ("label",), held_out)


def _array(x: NDArray[Any], path: Path, own: OwnData | None, most: int) -> Raw:
    if own is None or own.target is None:
        return Raw(x, None, ())
    other = Path(own.target)
    if not other.is_file():
        raise InputError(f"there is no file {other} of targets; give the one beside {path}")
    y = read_idx(other, most) if is_idx(other) else read_npy(other, most)
    return Raw(x, y, (other.stem,))


def _table(path: Path, own: OwnData, need_target: bool, most: int) -> Raw:
    frame = read_table(path, most)
    columns = [str(name) for name in frame.columns]
    for name in (*own.drop, *own.categorical):
        if name not in columns and need_target:
            raise InputError(f"{path}: {unknown('column', name, columns)}")
    targets = _targets(own.target, columns)
    if need_target and not targets:
        raise InputError(
            f"{path}: which column is to be predicted? give --target; "
            f"the columns are {', '.join(columns)}"
        )
    missing = [name for name in targets if name not in columns]
    if missing and need_target:
        raise InputError(f"{path}: {unknown('column', missing[0], columns)}")
    inputs = frame.drop(columns=[c for c in columns if c in (*targets, *own.drop)])
    return Raw(inputs, None if missing or not targets else frame[list(targets)], targets)


def _targets(text: str | None, columns: list[str]) -> tuple[str, ...]:
    if text is None:
        return ()
    return (text,) if text in columns else tuple(part.strip() for part in text.split(","))


def rows(content: Content, chosen: NDArray[Any]) -> Content:
    """Take the `chosen` rows of `content`, a table or an array, by position or by truth."""
    return content[chosen] if isinstance(content, np.ndarray) else content.iloc[chosen]
