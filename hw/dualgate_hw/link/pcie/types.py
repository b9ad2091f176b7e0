# SPDX-License-Identifier: BSD-2-Clause

"""Shapes of requests and completions between a BAR target and a vendor's PCIe block.

Writes and reads have separate streams, as PCIe itself separates posted and non-posted requests: a
write must not wait for a read whose completions cannot leave. A write is a header and words of
data. A read is a header, and is answered by completions; each of these is a header and words of
data. Headers and data have separate streams.
"""

from enum import IntEnum

from amaranth import unsigned
from amaranth.hdl import ShapeLike
from amaranth.lib import data

from dualgate.link.bar import BAR_BITS

DWORD = unsigned(32)
OFFSET = unsigned(BAR_BITS - 2)
"""Offset of a word in the BAR, in words."""

BOUNDARY_WORDS = 32
"""Words between two addresses at which a completion may end before its request does.

The distance is valid for every endpoint, and that number of words fit the smallest maximum payload.
"""


class CompletionStatus(IntEnum):
    """Status of a completion, as PCIe encodes it."""

    SUCCESSFUL = 0
    UNSUPPORTED = 1


WRITE = data.StructLayout({"offset": OFFSET, "first": unsigned(4), "last": unsigned(4)})
"""Header of a write: offset, and byte enables of the first word and of the last of several."""

WRITE_DATA = data.StructLayout({"word": DWORD, "last": unsigned(1)})
"""A word of a write, with the flag `last` on the last one of its request."""


def read(context: ShapeLike) -> data.StructLayout:
    """Return the layout of the header of a read.

    Fields
    ------
    refuse : unsigned(1)
        The request is to be answered as unsupported, and not to be executed.
    offset, first, last
        Offset and byte enables, as of a write.
    length : unsigned(11)
        Number of words, 1 to 1024.
    context : context
        Data that each completion carries along, for the logic that sends it.
    """
    return data.StructLayout(
        {
            "refuse": unsigned(1),
            "offset": OFFSET,
            "length": unsigned(11),
            "first": unsigned(4),
            "last": unsigned(4),
            "context": context,
        }
    )


def completion(context: ShapeLike) -> data.StructLayout:
    """Return the layout of the header of a completion.

    Fields
    ------
    status : unsigned(3)
        A `CompletionStatus`; data follow only if it is SUCCESSFUL.
    lower : unsigned(7)
        Lowest bits of the address of the first enabled byte.
    bytes : unsigned(13)
        Number of bytes from there to the last enabled byte of the request, inclusive.
    length : unsigned(6)
        Number of data words that follow, at most `BOUNDARY_WORDS`.
    context : context
        Context of the request.
    """
    return data.StructLayout(
        {
            "status": unsigned(3),
            "lower": unsigned(7),
            "bytes": unsigned(13),
            "length": unsigned(6),
            "context": context,
        }
    )
