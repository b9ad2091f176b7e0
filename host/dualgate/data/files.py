# SPDX-License-Identifier: BSD-2-Clause

"""Files that are written whole or not at all."""

import os
from pathlib import Path
from tempfile import TemporaryFile

from ..contract.errors import InputError


def check_target(path: Path) -> None:
    """Raise `InputError` unless `path` can be written; leaves nothing behind.

    Parameters
    ----------
    path : Path
        A file that exists or not, in a directory that exists or can be made.
    """
    if path.exists() and not path.is_file():
        raise InputError(f"cannot write {path}: it is not a file; choose another path")
    parent = path.resolve().parent
    while not parent.exists():
        parent = parent.parent
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
    """Write `content` beside `path` and rename, so that a reader finds the old file or the new.

    Makes the directory where needed. Raises `InputError` when the file system refuses.
    """
    check_target(path)
    target = path.resolve()
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            beside.write_bytes(content)
            os.replace(beside, target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(
            f"cannot write {path}: {error.strerror}; free it or choose another"
        ) from None
