# SPDX-License-Identifier: BSD-2-Clause

"""What passes between a BAR target and the logic around one vendor's PCIe block.

Writes and reads come separately, as PCIe itself keeps posted requests and others apart: a write
must not wait for a read whose completions cannot leave. A write is a header and words of data. A
read is a header, answered by completions; each of those is a header and words of data. Headers and
data are streams of their own.
"""

from enum import IntEnum

from amaranth import unsigned
from amaranth.hdl import ShapeLike
from amaranth.lib import data

from dualgate.link.bar import BAR_BITS

DWORD = unsigned(32)
OFFSET = unsigned(BAR_BITS - 2)
"""A word of the BAR."""

BOUNDARY_WORDS = 32
"""Words between the places where a completion may end before its request does. So it is for every
endpoint; and what fits between two of them fits the smallest maximum payload there is."""


class CompletionStatus(IntEnum):
    """Status of a completion, as on the wire."""

    SUCCESSFUL = 0
    UNSUPPORTED = 1


WRITE = data.StructLayout({"offset": OFFSET, "first": unsigned(4), "last": unsigned(4)})
"""Header of a write: byte enables of the first word, and of the last if there are several."""

WRITE_DATA = data.StructLayout({"word": DWORD, "last": unsigned(1)})
"""A word of a write; `last` of its request."""


def read(context: ShapeLike) -> data.StructLayout:
    """Header of a read.

    Fields
    ------
    refuse : to be answered as an unsupported request, and not to be carried out
    offset, first, last : as of a write
    length : words, 1 to 1024
    context : handed through to each completion; what the vendor's logic needs to send it
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
    """Header of a completion.

    Fields
    ------
    status : CompletionStatus; there are no data unless it is SUCCESSFUL
    lower : lowest 7 bits of the address of its first enabled byte
    bytes : from there to the last enabled byte of the request, that included
    length : words of data that follow, at most `BOUNDARY_WORDS`
    context : of the request
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
