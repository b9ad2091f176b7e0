# SPDX-License-Identifier: BSD-2-Clause

"""Directories of the user's system: the cache, and a temporary one to work in."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from platformdirs import user_cache_path

from ..contract.errors import InputError
from .litter import is_held, remove_abandoned

CACHE_REMEDY = "set XDG_CACHE_HOME to a directory that can be written"


def cache_directory() -> Path:
    """Return the directory of compiled simulators and builds, whether or not it exists.

    It is ``$XDG_CACHE_HOME/dualgate``, or ``dualgate`` where the system keeps caches, on Linux in
    ``~/.cache``.

    Raises
    ------
    InputError
        If the user has no home directory, nor a setting.
    """
    try:
        path = user_cache_path("dualgate", appauthor=False)
    except RuntimeError:
        path = Path()
    # Older versions of platformdirs return a path that begins with "~".
    if not path.is_absolute():
        raise InputError(f"no home directory is known for the cache; {CACHE_REMEDY}")
    return path


def cannot_write(path: Path, error: OSError) -> InputError:
    """Make the error that a file of the cache cannot be written.

    Parameters
    ----------
    path : Path
        The file, named unless the error names another.
    error : OSError
    """
    # A temporary file of no name is reported by its number.
    where = error.filename if isinstance(error.filename, str) else path
    return InputError(f"cannot write the cache: {where}: {error.strerror}; {CACHE_REMEDY}")


def ready_cache() -> Path:
    """Make the cache directory, unless it exists, and return it.

    Raises
    ------
    InputError
        If it cannot be made, or no file can be written to it; says why.
    """
    path = cache_directory()
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise cannot_write(path, error) from None
    return path


PREFIX = "dualgate-workspace-"
"""Beginning of the names of temporary directories, which have no other use."""


@contextmanager
def workspace(parent: Path | None = None) -> Iterator[Path]:
    """Make a temporary directory, which is removed at the end, also by an exception.

    What a process that was killed has left beside it is removed first.

    Parameters
    ----------
    parent : Path or None
        Where it is made; None for the system's directory of temporary files.

    Raises
    ------
    InputError
        If there is none, or if the system refuses a file in it, for instance on a full disk.
    """
    try:
        parent = parent or Path(tempfile.gettempdir())
        remove_abandoned(parent.glob(f"{PREFIX}*"), os.O_RDONLY | os.O_DIRECTORY, _remove_tree)
        path, lock = _locked(parent)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)
            os.close(lock)
    except OSError as error:
        where = error.filename or parent  # a write that fails names no file
        where = f" {where}" if where else ""
        raise InputError(
            f"cannot use a temporary file{where}: {error.strerror or error}; "
            "set TMPDIR to a directory that can be written and has space"
        ) from error


def _remove_tree(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True)


def _locked(parent: Path) -> tuple[Path, int]:
    """Make a temporary directory, and lock it until the file that is returned is closed."""
    while True:
        path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        with suppress(FileNotFoundError):  # another process took it for an abandoned one
            lock = os.open(path, os.O_RDONLY)
            if is_held(path, lock):
                return path, lock
