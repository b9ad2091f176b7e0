# SPDX-License-Identifier: BSD-2-Clause

"""A cache of builds, by the hash of their inputs."""

import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dualgate.contract.errors import InputError
from dualgate.data.directories import cache_directory, workspace
from dualgate.data.files import copy_synced, replace_file


@dataclass(frozen=True)
class Cache:
    """The place of a build in the cache, whether or not it is there.

    Parameters
    ----------
    identity : str
    seeds : tuple of int
    """

    identity: str
    seeds: tuple[int, ...]

    @property
    def path(self) -> Path:
        """Its folder in the cache; raises `InputError` if the user has no cache directory."""
        seeds = "-".join(map(str, self.seeds))
        return cache_directory() / f"build-{self.identity[:16]}-{seeds}"

    def restore(self, directory: Path, last: str) -> bool:
        """Copy the build to `directory`; return whether the cache has it.

        Parameters
        ----------
        directory : Path
        last : str
            Name of the file to write last, because its presence says that the others are complete.
        """
        if not self.path.is_dir():
            return False
        shutil.copytree(
            self.path, directory, ignore=shutil.ignore_patterns(last), dirs_exist_ok=True
        )
        replace_file(directory / last, (self.path / last).read_bytes())
        return True

    def keep(self, files: Iterable[Path]) -> None:
        """Add the files of a finished build, all or none.

        Nothing happens where the cache cannot be written; the next build then runs again.
        """
        # The system refuses to rename where another process has added the same build.
        with suppress(InputError, OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with workspace(self.path.parent) as work:
                whole = work / self.path.name
                whole.mkdir()
                for path in files:
                    copy_synced(path, whole / path.name)
                whole.rename(self.path)
