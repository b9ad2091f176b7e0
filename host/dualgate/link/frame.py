# SPDX-License-Identifier: BSD-2-Clause

"""Frames on a serial line: fields, CRC and delimiters, for host and gateware.

A frame is a header of `HEADER_FIELDS`, a payload of whole words and a CRC-32, all little-endian,
encoded by COBS so that no byte in it is zero, and ended by a zero; see docs/reference/protocol.md.
"""

import struct
import zlib
from dataclasses import dataclass
from enum import IntEnum

from cobs import cobs

VERSION = 1
"""Of the frames and the rules that host and device exchange them by."""

WORD_BYTES = 4
DELIMITER = b"\0"

HEADER_FIELDS: tuple[tuple[str, int], ...] = (
    ("kind", 8),
    ("mark", 8),
    ("session", 16),
    ("sequence", 16),
    ("acknowledged", 16),
    ("credit", 16),
    ("version", 16),
)
"""Name and width of each field, least significant first.

kind
    A `Kind`.
mark
    From the host: number of this transmission. From the device: that of the last whole frame that
    reached it, so on a line that keeps order the host knows what became of all frames before.
session
    Which connection the frame belongs to; never zero, except from a device that has none.
sequence
    Position in the sender's stream of words of the payload's first, or of the next to come.
acknowledged
    Position in the other stream up to which everything has arrived.
credit
    Words beyond `acknowledged` that the sender of this frame has room for.
version
    `VERSION`.
"""

POSITION_BITS = 16
POSITION_MASK = (1 << POSITION_BITS) - 1
"""Positions are counted modulo this plus one."""

MARK_MASK = 0xFF

HEADER = struct.Struct("<BBHHHHH")
HEADER_BYTES = HEADER.size
CRC = struct.Struct("<I")

LONGEST = 1 << 16
"""Bytes between two delimiters beyond which they cannot be a frame."""


class Kind(IntEnum):
    """What a frame is.

    HELLO
        Host: begin a new session; everything of the one before is forgotten. No payload.
    WELCOME
        Device, to every HELLO: the session has begun. The payload is what the device is.
    DATA
        Either: words of the stream, or none and only an acknowledgement.
    POLL
        Host: answer at once with an empty DATA, and send again what I have not acknowledged. No
        payload.
    """

    HELLO = 1
    WELCOME = 2
    DATA = 3
    POLL = 4


@dataclass(frozen=True)
class Frame:
    """One frame; fields as in `HEADER_FIELDS`, and the payload's bytes."""

    kind: int
    mark: int = 0
    session: int = 0
    sequence: int = 0
    acknowledged: int = 0
    credit: int = 0
    version: int = VERSION
    payload: bytes = b""

    def encode(self) -> bytes:
        """Bytes for the line, delimiter included."""
        header = HEADER.pack(
            *(self.kind, self.mark, self.session, self.sequence),
            *(self.acknowledged, self.credit, self.version),
        )
        body = header + self.payload
        return bytes(cobs.encode(body + CRC.pack(zlib.crc32(body)))) + DELIMITER


def decode(encoded: bytes) -> Frame | None:
    """The frame that lay between two delimiters, or None for anything else."""
    try:
        body = cobs.decode(encoded)
    except cobs.DecodeError:
        return None
    end = len(body) - CRC.size
    if end < HEADER_BYTES or end % WORD_BYTES:
        return None
    if CRC.pack(zlib.crc32(body[:end])) != body[end:]:
        return None
    names = (name for name, _ in HEADER_FIELDS)
    header = dict(zip(names, HEADER.unpack_from(body), strict=True))
    return Frame(**header, payload=body[HEADER_BYTES:end])


class Deframer:
    """Finds frames in a stream of bytes; whatever is no frame is counted and dropped.

    Members
    -------
    frames : int
        Whole frames found.
    errors : int
        Stretches between delimiters that were none: corrupt, torn or too long.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.errors = 0
        self._rest = b""
        self._skipping = False

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes as they come, in pieces of any size; returns the frames that they complete."""
        *whole, self._rest = (self._rest + data).split(DELIMITER)
        if whole and self._skipping:
            self._skipping = False
            del whole[0]
        if len(self._rest) > LONGEST:
            self.errors += not self._skipping
            self._skipping = True
        if self._skipping:
            self._rest = b""
        found = []
        for encoded in filter(None, whole):
            frame = decode(encoded)
            if frame is None:
                self.errors += 1
            else:
                self.frames += 1
                found.append(frame)
        return found
