# SPDX-License-Identifier: BSD-2-Clause

"""Temporary files that are removed by the next process if their own was killed.

Their names are recognised, and a process holds a lock on each that it writes. The system releases
the lock when the process ends, however it ends, so a file whose lock is free belongs to nobody.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
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
        with suppress(OSError):  # of a file system without locks, where nothing is removed
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return path, descriptor
        os.close(descriptor)  # it was removed before it was locked


def remove_litter(directory: Path) -> None:
    """Remove temporary files of processes that were killed; those of others stay."""
    for path in directory.glob(f"{PREFIX}*{SUFFIX}"):
        with suppress(OSError):  # somebody holds it, or has removed it
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
            finally:
                os.close(descriptor)
