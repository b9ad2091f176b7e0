# SPDX-License-Identifier: BSD-2-Clause

"""The BAR of a board on PCIe: its pages, registers and bits, for host and gateware.

Offsets are in bytes. All registers are words of 32 bits, little-endian; docs/reference/pcie.md
explains each.
"""

from collections.abc import Sequence
from enum import IntEnum, IntFlag

from ..contract.commands import MAGIC

MAP_VERSION = 1
"""Version of this map; raised when an offset or a meaning changes."""

PAGE_BITS = 12
"""Bytes of a page, as a power of two. No PCIe request crosses such a boundary."""

BAR_BITS = PAGE_BITS + 2
BAR_BYTES = 1 << BAR_BITS

WORD_BYTES = 4
ALL_ONES = 0xFFFF_FFFF
"""Result of a read that no device answers."""


class Page(IntEnum):
    """Pages of the BAR, in order."""

    REGISTERS = 0
    WINDOW = 1
    SCRATCH = 2
    RESERVED = 3

    @property
    def base(self) -> int:
        """Offset of the first byte of the page."""
        return self << PAGE_BITS


class Register(IntEnum):
    """Offset of each register; IDENTITY is the first of several words."""

    MAGIC = 0x00
    MAP_VERSION = 0x04
    COMMAND_DEPTH = 0x08
    RESPONSE_DEPTH = 0x0C
    BEAT = 0x10
    IDENTITY_WORDS = 0x14
    LEVELS = 0x20
    STATUS = 0x24
    CONTROL = 0x28
    IDENTITY = 0x80


LEVEL_BITS = 16
"""LEVELS: free command words in the lower half, waiting response words in the upper."""


class Status(IntFlag):
    """Bits of STATUS; each stays set until a one is written to it or the stream is reset."""

    OVERRUN = 1
    UNDERRUN = 2
    PARTIAL = 4


class Control(IntFlag):
    """Bits of CONTROL; each acts when a one is written to it, and reads as zero."""

    RESET = 1


def constants(
    identity: Sequence[int], command_depth: int, response_depth: int, beat: int
) -> dict[int, int]:
    """Return offset and value of all constant registers.

    Parameters
    ----------
    identity : sequence of int
        Words of the identity of the device; see `identity.Identity`.
    command_depth, response_depth : int
        Sizes of the two queues in words.
    beat : int
        Number of command words that the engine takes per cycle.
    """
    fixed: dict[int, int] = {
        Register.MAGIC: MAGIC,
        Register.MAP_VERSION: MAP_VERSION,
        Register.COMMAND_DEPTH: command_depth,
        Register.RESPONSE_DEPTH: response_depth,
        Register.BEAT: beat,
        Register.IDENTITY_WORDS: len(identity),
    }
    words = {Register.IDENTITY + WORD_BYTES * i: word for i, word in enumerate(identity)}
    return {**fixed, **words}
