# SPDX-License-Identifier: BSD-2-Clause

"""Files of the cache: how one gets into it once and whole, and whether it still is."""

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dualgate.data.directories import cache_directory, cannot_write
from dualgate.data.files import copy_synced

__all__ = ["absent", "cache_directory", "keep"]

ELF = b"\x7fELF\x02\x01"
"""First bytes of an ELF file of 64 bits, little-endian: a library, an object file or a program."""

HEADER = struct.Struct("<40xQ10xHH")
"""Header of such a file: position of the section table, size and number of its entries."""

COMPILED = (".so", ".o")


def _whole(target: Path) -> bool:
    """Tell whether a file is there and, if it is compiled, complete.

    The table of sections is the last part of an ELF file, so a file that was cut off lacks it.
    """
    try:
        with target.open("rb") as file:
            if target.suffix not in COMPILED:
                return True
            head = file.read(64)
    except (FileNotFoundError, NotADirectoryError):
        return False
    if not head.startswith(ELF[: len(head)]):
        return True
    if len(head) < 64:
        return False
    position, size, count = HEADER.unpack_from(head)
    return target.stat().st_size >= int(position + size * count)


def _open_lock(target: Path) -> IO[str]:
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.with_suffix(".lock").open("w")


@contextmanager
def absent(target: Path) -> Iterator[bool]:
    """Tell whether the caller has to make `target`, while no other process makes it.

    Parameters
    ----------
    target : Path
        A file of the cache. If another process is making it, the call returns when it is done. A
        compiled file that was cut off, for instance by a full disk, has to be made again.

    Yields
    ------
    bool
        True where `target` does not exist; the caller passes it to `keep` before the block ends.

    Raises
    ------
    InputError
        If the cache cannot be written.
    """
    try:
        lock = None if _whole(target) else _open_lock(target)
    except OSError as error:
        raise cannot_write(target, error) from None
    if lock is None:
        yield False
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for part in target.parent.glob(f"{target.stem}.[0-9]*"):
            # Nobody else copies while this process has the lock, so the one that did was killed.
            part.unlink(missing_ok=True)
        yield not _whole(target)


def keep(made: Path, target: Path) -> None:
    """Copy a file into the cache, where it appears whole or not at all, inside `absent`.

    Raises
    ------
    InputError
        If the cache cannot be written, for instance because its disk is full.
    """
    beside = target.with_suffix(f".{os.getpid()}")
    try:
        try:
            copy_synced(made, beside)
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        # Of a copy that failed, the error may name the source.
        raise cannot_write(target, OSError(error.errno, error.strerror)) from None
