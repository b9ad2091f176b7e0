# SPDX-License-Identifier: BSD-2-Clause

"""Atomic writing of files."""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryFile

from ..contract.errors import InputError
from .litter import remove_litter, temporary_file


def check_target(path: Path) -> None:
    """Raise `InputError` unless `path` can be written; creates no file.

    Parameters
    ----------
    path : Path
        A file, existing or not, in a directory that exists or can be created.
    """
    try:
        occupied = path.exists() and not path.is_file()
        parent = path.resolve().parent
        while not parent.exists():
            parent = parent.parent
    except (OSError, RuntimeError) as error:  # a name that is too long; a loop of links
        reason = getattr(error, "strerror", None) or "its links lead in a circle"
        raise InputError(f"cannot write {path}: {reason}; choose another path") from None
    if occupied:
        raise InputError(f"cannot write {path}: it is not a file; choose another path")
    if not parent.is_dir():
        raise InputError(f"cannot write {path}: {parent} is not a directory; choose another path")
    try:
        with TemporaryFile(dir=parent):
            pass
    except OSError as error:
        raise InputError(
            f"cannot write {path}: {parent}: {error.strerror}; choose another path"
        ) from None


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file atomically: a reader finds the old content or the new.

    The new file is written beside `path` and renamed. A missing directory is created. What killed
    processes have left there is removed. Raises `InputError` for `content` that the file system
    refuses.
    """
    check_target(path)
    target = path.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        remove_litter(target.parent)
        with temporary_file(target.parent) as beside:
            beside.write_bytes(content)
            os.replace(beside, target)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}; choose another path") from None


def copy_synced(source: Path, target: Path) -> None:
    """Copy a file and its permissions, down to the disk.

    Only then may `target` be renamed: else a crash of the machine could leave its new name with an
    empty file.

    Parameters
    ----------
    source, target : Path

    Raises
    ------
    OSError
        For a file that the system refuses.
    """
    shutil.copy(source, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())
