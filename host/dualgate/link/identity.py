# SPDX-License-Identifier: BSD-2-Clause

"""The identity that a device sends at the beginning of a session, and its check by the host.

It is a list of words, which the gateware keeps in a memory.
"""

import zlib
from dataclasses import dataclass, fields

from ..contract import commands, formats, layout, settings
from ..contract.activations import ACTIVATIONS
from ..contract.commands import PROTOCOL
from ..contract.engine import EngineParameters
from ..contract.errors import HandshakeError

MAGIC = 0x4B4C4744
"""First word: ``DGLK``, least significant byte first."""

BUILD_BYTES = 32
"""Length of a build identity, a SHA-256 digest."""

FORMATS: dict[str, int] = {
    "value_width": formats.VALUE_WIDTH,
    "weight_frac": formats.WEIGHT_FRAC,
    "master_width": formats.MASTER_WIDTH,
    "master_frac": formats.MASTER_FRAC,
    "velocity_width": formats.VELOCITY_WIDTH,
    "momentum_frac": formats.MOMENTUM_FRAC,
    "rate_width": formats.RATE_WIDTH,
    "unit_frac": formats.UNIT_FRAC,
}
"""Number formats that host and engine must share; the identity of a device has a word for each."""

_TABLES = (
    [(op.name, int(op)) for op in commands.Op],
    [(status.name, int(status)) for status in commands.Status],
    layout.LAYER_FIELDS,
    commands.SETTINGS_FIELDS,
    commands.COUNTERS,
    commands.IDENTITY_FIELDS,
    [(activation.name, activation.code) for activation in ACTIVATIONS.values()],
    [settings.PRUNE_BITS, formats.APPLY_BIAS, formats.SHARE_WIDTH],
)

CONTRACT = zlib.crc32(repr(_TABLES).encode())
"""Checksum of all tables that both sides share, so that a change of one cannot go unnoticed."""

_FIXED = ("magic", "protocol", "contract")
_ENGINE = tuple(field.name for field in fields(EngineParameters))
_BUILD_WORDS = BUILD_BYTES // 4

IDENTITY_WORDS = len(_FIXED) + len(FORMATS) + len(_ENGINE) + _BUILD_WORDS


@dataclass(frozen=True)
class Identity:
    """The identity of a device.

    Parameters
    ----------
    engine : EngineParameters
    build : bytes (`BUILD_BYTES`,)
        Hash of its sources and build parameters.
    """

    engine: EngineParameters
    build: bytes

    def __post_init__(self) -> None:
        if len(self.build) != BUILD_BYTES:
            raise ValueError(f"a build identity has {BUILD_BYTES} bytes, not {len(self.build)}")

    def words(self) -> list[int]:
        """Return the words that a device sends."""
        build = [
            int.from_bytes(self.build[start : start + 4], "little")
            for start in range(0, BUILD_BYTES, 4)
        ]
        parameters = [getattr(self.engine, name) for name in _ENGINE]
        return [MAGIC, PROTOCOL, CONTRACT, *FORMATS.values(), *parameters, *build]


def accept(words: list[int], build: str | None = None) -> Identity:
    """Check the identity of a device and return it.

    Parameters
    ----------
    words : list of int
        Payload of WELCOME.
    build : str or None
        Hexadecimal digits that the build identity must begin with.

    Raises
    ------
    HandshakeError
        If host and device are incompatible; the message names the versions of both.
    """
    theirs = dict(zip(_FIXED, words, strict=False))
    if theirs.get("magic") != MAGIC:
        raise HandshakeError("the device on this port is not a dualgate board; check the port")
    for name, ours in (("protocol", PROTOCOL), ("contract", CONTRACT)):
        if theirs.get(name) != ours:
            raise HandshakeError(
                f"the device has command {name} {theirs.get(name, 0):#x}, this host {ours:#x}; "
                "rebuild the bitstream or install the host software that it was built with"
            )
    if len(words) != IDENTITY_WORDS:
        raise HandshakeError(
            f"the device describes itself in {len(words)} words, this host expects "
            f"{IDENTITY_WORDS}; rebuild one of them"
        )
    rest = iter(words[len(_FIXED) :])
    for name, ours in FORMATS.items():
        found = next(rest)
        if found != ours:
            raise HandshakeError(
                f"number formats differ: the device has {name} {found}, this host {ours}; "
                "rebuild one of them"
            )
    parameters = EngineParameters(**{name: next(rest) for name in _ENGINE})
    identity = Identity(parameters, b"".join(word.to_bytes(4, "little") for word in rest))
    if build is not None and not identity.build.hex().startswith(build.lower()):
        raise HandshakeError(
            f"the device was built as {identity.build.hex()[:16]}, this host wants {build}; "
            "load the other bitstream or ask for this build"
        )
    return identity
