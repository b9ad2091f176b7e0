# SPDX-License-Identifier: BSD-2-Clause

"""The directory of compiled models, and how a file gets into it once and whole."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_directory() -> Path:
    """Return the directory: ``$XDG_CACHE_HOME/dualgate``, or ``dualgate`` under ``~/.cache``."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "dualgate"


@contextmanager
def absent(target: Path) -> Iterator[bool]:
    """Tell whether the caller has to make `target`, while no other process makes it.

    Parameters
    ----------
    target : Path
        A file of the cache. If another process is making it, the call returns when it is done.

    Yields
    ------
    bool
        True where `target` does not exist; the caller passes it to `keep` before the block ends.
    """
    if target.exists():
        yield False
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.with_suffix(".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield not target.exists()


def keep(made: Path, target: Path) -> None:
    """Copy a file into the cache, where it appears whole or not at all."""
    beside = target.with_suffix(f".{os.getpid()}")
    shutil.copy(made, beside)
    beside.replace(target)
