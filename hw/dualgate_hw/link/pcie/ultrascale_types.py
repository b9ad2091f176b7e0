# SPDX-License-Identifier: BSD-2-Clause

"""Formats of the streams of AMD's UltraScale+ PCIe block, 64 bits wide.

The block gives each request as a packet of beats on CQ: a descriptor of four words, then the data.
Completions go back on CC: a descriptor of three words, then the data. Fields and rules are those of
the block's product guide (PG213), with data aligned to words and parity not used.
"""

from enum import IntEnum

from amaranth import unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from .types import BOUNDARY_WORDS, DWORD


class Axis(wiring.Signature):
    """One of the block's AXI streams.

    Parameters
    ----------
    user : int
        Bits of the sideband.

    Members
    -------
    `tdata` : Out(64)
        Two words.
    `tkeep` : Out(2)
        Flags of the words that are valid.
    `tuser` : Out(user)
        Sideband.
    `tlast` : Out(1)
        The beat is the last one of its packet.
    `tvalid` : Out(1)
        The source offers a beat.
    `tready` : In(1)
        The sink takes the beat.
    """

    def __init__(self, user: int) -> None:
        super().__init__(
            {
                "tdata": Out(64),
                "tkeep": Out(2),
                "tuser": Out(user),
                "tlast": Out(1),
                "tvalid": Out(1),
                "tready": In(1),
            }
        )


CQ, CC, RQ, RC = Axis(88), Axis(33), Axis(62), Axis(75)

NOTE = data.StructLayout(
    {
        "first": unsigned(4),
        "last": unsigned(4),
        "hint": unsigned(1),
        "hint_type": unsigned(2),
        "reserved": unsigned(5),
        "hint_tag": unsigned(8),
        "reserved_2": unsigned(8),
    }
)
"""Sideband data of a request, in the form in which a refusal repeats them."""

CQ_USER = data.StructLayout(
    {
        "first": unsigned(4),
        "last": unsigned(4),
        "enables": unsigned(32),
        "start": unsigned(1),
        "discontinue": unsigned(1),
        "hint": unsigned(1),
        "hint_type": unsigned(2),
        "hint_tag": unsigned(8),
        "parity": unsigned(32),
        "reserved": unsigned(3),
    }
)
"""Sideband of CQ; byte enables and hints are valid in the first beat, `discontinue` in the last."""


class RequestType(IntEnum):
    """Types of requests that need a distinction, as the block encodes them."""

    MEMORY_READ = 0
    MEMORY_WRITE = 1
    LOCKED_READ = 7
    MESSAGE = 12
    VENDOR_MESSAGE = 13
    TRANSLATION_MESSAGE = 14


REQUEST = data.StructLayout(
    {
        "translation": unsigned(2),
        "address": unsigned(62),
        "length": unsigned(11),
        "type": unsigned(4),
        "reserved": unsigned(1),
        "requester": unsigned(16),
        "tag": unsigned(8),
        "function": unsigned(8),
        "bar": unsigned(3),
        "aperture": unsigned(6),
        "traffic": unsigned(3),
        "attributes": unsigned(3),
        "unused": unsigned(1),
    }
)
"""Descriptor of a request; `address` counts words."""

COMPLETION = data.StructLayout(
    {
        "lower": unsigned(7),
        "reserved": unsigned(1),
        "translation": unsigned(2),
        "reserved_2": unsigned(6),
        "bytes": unsigned(13),
        "locked": unsigned(1),
        "reserved_3": unsigned(2),
        "length": unsigned(11),
        "status": unsigned(3),
        "poisoned": unsigned(1),
        "reserved_4": unsigned(1),
        "requester": unsigned(16),
        "tag": unsigned(8),
        "function": unsigned(8),
        "bus": unsigned(8),
        "bus_valid": unsigned(1),
        "traffic": unsigned(3),
        "attributes": unsigned(3),
        "checksum": unsigned(1),
    }
)
"""Descriptor of a completion; the block itself fills in the bus number."""

DESCRIPTOR_WORDS = 3
"""Words of a completion's descriptor."""

REFUSAL_WORDS = DESCRIPTOR_WORDS + 5
"""Words of a refusal: a descriptor, and the request that it repeats."""

CONTEXT = data.StructLayout({"request": REQUEST, "note": NOTE})
"""Data of a request that its completions need."""

WORDS = data.StructLayout({"low": DWORD, "high": DWORD, "two": unsigned(1)})
"""One word of a packet, or `two`."""

LONGEST_REQUEST = 2 + 128
"""Beats of a request: a descriptor and the block's largest payload of 1024 bytes."""

LONGEST_ANSWER = 1024 // BOUNDARY_WORDS * -(-(DESCRIPTOR_WORDS + BOUNDARY_WORDS) // 2)
"""Beats of all completions of a read, which does not cross a boundary of 4096 bytes."""


def power_of_two(least: int) -> int:
    """Return the smallest power of two that is at least `least`."""
    return 1 << (least - 1).bit_length()
