# SPDX-License-Identifier: BSD-2-Clause

"""Temporary files and directories that the next process removes if their own was killed.

Their names are recognised, and a process holds a lock on each that it uses. The system releases the
lock when the process ends, however it ends, so what has a free lock belongs to nobody.
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX, SUFFIX = ".dualgate-", ".part"


@contextmanager
def temporary_file(directory: Path) -> Iterator[Path]:
    """Make an empty file that this process holds, and remove it at the end if it is still there.

    Parameters
    ----------
    directory : Path

    Raises
    ------
    OSError
        If it cannot be made.
    """
    path, descriptor = _make(directory)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _make(directory: Path) -> tuple[Path, int]:
    while True:
        path = directory / f"{PREFIX}{secrets.token_hex(8)}{SUFFIX}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        if is_held(path, descriptor):
            return path, descriptor


def remove_litter(directory: Path) -> None:
    """Remove temporary files of processes that were killed; those of others stay."""
    remove_abandoned(directory.glob(f"{PREFIX}*{SUFFIX}"), os.O_RDWR, Path.unlink)


def is_held(path: Path, descriptor: int) -> bool:
    """Lock a temporary file or directory that this process has just made.

    Parameters
    ----------
    path : Path
    descriptor : int
        It is open; closing it ends the lock.

    Returns
    -------
    bool
        False, and `descriptor` is closed, if another process removed it before it was locked.
    """
    with suppress(OSError):  # of a file system without locks, where nothing is removed
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    if path.exists():
        return True
    os.close(descriptor)
    return False


def remove_abandoned(paths: Iterable[Path], flags: int, remove: Callable[[Path], object]) -> None:
    """Remove temporary files or directories that no process holds; what cannot be removed stays.

    Parameters
    ----------
    paths : iterable of Path
    flags : int
        How they are opened, see `os.open`; links are not followed.
    remove : callable
        Removes one of them, whose lock is held meanwhile.
    """
    for path in paths:
        with suppress(OSError):  # somebody holds it, or has removed it
            descriptor = os.open(path, flags | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(path)
            finally:
                os.close(descriptor)
