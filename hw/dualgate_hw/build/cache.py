# SPDX-License-Identifier: BSD-2-Clause

"""Builds that are kept, by the hash of all that they were made from."""

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dualgate.data.files import replace_file


@dataclass(frozen=True)
class Cache:
    """One build in the cache, there or not.

    Parameters
    ----------
    identity : str
    seeds : tuple of int
    """

    identity: str
    seeds: tuple[int, ...]

    @property
    def path(self) -> Path:
        """Under ``$XDG_CACHE_HOME/dualgate``, or ``~/.cache/dualgate``."""
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        seeds = "-".join(map(str, self.seeds))
        return root / "dualgate" / f"build-{self.identity[:16]}-{seeds}"

    def restore(self, directory: Path, last: str) -> bool:
        """Copy to `directory` what is kept; returns whether there was anything.

        Parameters
        ----------
        directory : Path
        last : str
            Name of the file that says that the others are whole.
        """
        if not self.path.is_dir():
            return False
        shutil.copytree(
            self.path, directory, ignore=shutil.ignore_patterns(last), dirs_exist_ok=True
        )
        replace_file(directory / last, (self.path / last).read_bytes())
        return True

    def keep(self, files: Iterable[Path]) -> None:
        """Keep the files of a finished build: all or none.

        A cache that cannot be written costs the next build its time, and this one nothing.
        """
        beside = self.path.with_suffix(f".{os.getpid()}")
        try:
            with suppress(OSError):
                beside.mkdir(parents=True)
                for path in files:
                    shutil.copy(path, beside)
                # Refused where another process was faster, with the same content.
                beside.rename(self.path)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
