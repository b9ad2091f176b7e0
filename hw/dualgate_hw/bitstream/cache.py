"""Builds that are kept, by the hash of all that they were made from."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path


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

    def restore(self, directory: Path) -> bool:
        """Copy to `directory` what is kept; returns whether there was anything."""
        if not self.path.is_dir():
            return False
        shutil.copytree(self.path, directory, dirs_exist_ok=True)
        return True

    def keep(self, directory: Path) -> None:
        """Keep a finished build: whole or not at all."""
        beside = self.path.with_suffix(f".{os.getpid()}")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(directory, beside, dirs_exist_ok=True)
        try:
            beside.rename(self.path)
        except OSError:
            # Another process was faster, with the same content.
            shutil.rmtree(beside)
