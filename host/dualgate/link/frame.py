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
"""Version of the frames and of the rules for their exchange."""

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
    From the host: number of this transmission. From the device: number of the last intact frame
    that it received. As the line keeps the order, the host knows from it which frames were lost.
session
    Session of the frame; zero only in frames of a device without a session.
sequence
    Position in the stream of the sender: of the first word of the payload, or of the next word.
acknowledged
    Position in the other stream up to which all words have arrived.
credit
    Number of words beyond `acknowledged` that the sender of this frame can accept.
version
    `VERSION`.
"""

POSITION_BITS = 16
POSITION_MASK = (1 << POSITION_BITS) - 1
"""Positions are counted modulo this number plus one."""

MARK_MASK = 0xFF

HEADER = struct.Struct("<BBHHHHH")
HEADER_BYTES = HEADER.size
CRC = struct.Struct("<I")

LONGEST = 1 << 16
"""Largest number of bytes between the delimiters of a frame."""


class Kind(IntEnum):
    """Kinds of frames.

    HELLO
        From the host: begin a new session, and drop all state of the previous one. No payload.
    WELCOME
        From the device, in answer to every HELLO: the session has begun. The payload is the
        identity of the device.
    DATA
        From either: words of the stream, or only an acknowledgement.
    POLL
        From the host: answer with an empty DATA, and repeat all words not acknowledged. No
        payload.
    """

    HELLO = 1
    WELCOME = 2
    DATA = 3
    POLL = 4


@dataclass(frozen=True)
class Frame:
    """A frame: for its fields see `HEADER_FIELDS`; `payload` has the bytes of whole words."""

    kind: int
    mark: int = 0
    session: int = 0
    sequence: int = 0
    acknowledged: int = 0
    credit: int = 0
    version: int = VERSION
    payload: bytes = b""

    def encode(self) -> bytes:
        """Return the encoded bytes, including the delimiter."""
        header = HEADER.pack(
            *(self.kind, self.mark, self.session, self.sequence),
            *(self.acknowledged, self.credit, self.version),
        )
        body = header + self.payload
        return bytes(cobs.encode(body + CRC.pack(zlib.crc32(body)))) + DELIMITER


def decode(encoded: bytes) -> Frame | None:
    """Decode the bytes between two delimiters; None if they are no frame."""
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
    """A parser of frames in a stream of bytes, which counts and drops everything else.

    Members
    -------
    frames : int
        Number of intact frames.
    errors : int
        Number of byte sequences between delimiters that are no frame: corrupt, cut or too long.
    """

    def __init__(self) -> None:
        self.frames = 0
        self.errors = 0
        self._rest = b""
        self._skipping = False

    def feed(self, data: bytes) -> list[Frame]:
        """Add received bytes, in pieces of any size; returns the frames that they complete."""
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
