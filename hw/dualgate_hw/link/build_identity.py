"""Which sources and parameters a bitstream or a compiled model was made from."""

import hashlib
from importlib.metadata import version
from pathlib import Path

import dualgate
import dualgate_hw

CONTRACT = ("commands.py", "engine.py", "formats.py", "rules.py", "settings.py", "link")
"""What of the host's package the gateware is made from."""


def sources() -> list[Path]:
    """Every file of Python that gateware is made from, in a fixed order."""
    gateware = Path(dualgate_hw.__file__).parent
    host = Path(dualgate.__file__).parent
    found = list(gateware.rglob("*.py"))
    for name in CONTRACT:
        found += (host / name).rglob("*.py") if (host / name).is_dir() else [host / name]
    return sorted(found)


def build_identity(*parameters: object) -> bytes:
    """Hash (SHA-256, 32 bytes) of all sources, of Amaranth's version and of `parameters`.

    Parameters
    ----------
    parameters : objects whose `repr` says all that matters about them
    """
    digest = hashlib.sha256(repr((version("amaranth"), parameters)).encode())
    for path in sources():
        digest.update(f"\n{path.name}\n".encode() + path.read_bytes())
    return digest.digest()
