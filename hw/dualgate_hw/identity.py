# SPDX-License-Identifier: BSD-2-Clause

"""One hash for simulator, netlist and bitstream: which sources and parameters one was made from."""

import hashlib
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import dualgate
import dualgate_hw

CONTRACT = ("contract", "link")
"""Folders of the host's package that the gateware is made from."""

TOOLS = ("build", "cli")
"""Folders of the gateware's package that make no gateware; a build hashes its own besides."""


def sources() -> list[Path]:
    """List every Python file that gateware is made from, in a fixed order.

    These are whole folders. A new folder of the gateware belongs to them without being named here.
    """
    host = Path(dualgate.__file__).parent
    gateware = Path(dualgate_hw.__file__).parent
    found = [path for folder in CONTRACT for path in (host / folder).rglob("*.py")]
    for path in gateware.rglob("*.py"):
        if path.relative_to(gateware).parts[0] not in TOOLS:
            found.append(path)
    return sorted(found)


def build_identity(*parameters: object, files: Iterable[Path] = ()) -> bytes:
    """Hash all sources, Amaranth's version, `parameters` and further `files`.

    Parameters
    ----------
    parameters : objects
        Their `repr` says all that matters about them.
    files : iterable of Path
        Sources of whatever turns the gateware into a product: a harness, netlist passes.

    Returns
    -------
    bytes (32,)
        SHA-256. It does not depend on where the packages are installed.
    """
    digest = hashlib.sha256(repr((version("amaranth"), parameters)).encode())
    for path in (*sources(), *files):
        digest.update(f"\n{'/'.join(path.parts[-3:])}\n".encode() + path.read_bytes())
    return digest.digest()


def build_sources() -> list[Path]:
    """List the files of `dualgate_hw.build`, which decide on a netlist beside `sources`."""
    return sorted((Path(dualgate_hw.__file__).parent / "build").rglob("*.py"))
