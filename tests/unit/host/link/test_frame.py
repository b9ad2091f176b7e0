# SPDX-License-Identifier: BSD-2-Clause

"""Frames: the wire as docs/reference/protocol.md gives it, and bytes that are none."""

import random
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.paths import REFERENCE

from dualgate.link.frame import (
    DELIMITER,
    HEADER,
    HEADER_FIELDS,
    LONGEST,
    Deframer,
    Frame,
    Kind,
    decode,
)

PROTOCOL_PAGE = REFERENCE / "protocol.md"
FIELDS = st.integers(0, 0xFFFF)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    words = draw(st.integers(0, 300))
    fill = draw(st.sampled_from([b"\0", b"\1", b"\xff", None]))
    payload = random.Random(words).randbytes(4 * words) if fill is None else fill * 4 * words
    byte = st.integers(0, 255)
    return Frame(draw(byte), draw(byte), *(draw(FIELDS) for _ in range(5)), payload=payload)


@given(frame=frames())
def test_a_frame_survives_the_line(frame: Frame) -> None:
    encoded = frame.encode()
    assert encoded.endswith(DELIMITER)
    assert encoded.count(DELIMITER) == 1
    assert decode(encoded[:-1]) == frame


@given(sent=st.lists(frames(), max_size=5), cuts=st.randoms(use_true_random=False))
def test_bytes_may_come_in_pieces_of_any_size(sent: list[Frame], cuts: random.Random) -> None:
    line = b"".join(frame.encode() for frame in sent)
    deframer = Deframer()
    found = []
    while line:
        size = cuts.randrange(1, 1 + max(1, len(line) // 2))
        found += deframer.feed(line[:size])
        line = line[size:]
    assert found == sent
    assert (deframer.frames, deframer.errors) == (len(sent), 0)


def test_a_frame_costs_no_more_than_the_overhead_stated() -> None:
    frame = Frame(Kind.DATA, payload=random.Random(1).randbytes(1024))
    assert len(frame.encode()) - len(frame.payload) <= 12 + 4 + 5 + 1


@given(frame=frames(), data=st.data())
def test_any_changed_byte_spoils_a_frame(frame: Frame, data: st.DataObject) -> None:
    encoded = bytearray(frame.encode())
    at = data.draw(st.integers(0, len(encoded) - 2))
    encoded[at] ^= data.draw(st.integers(1, 255))
    deframer = Deframer()
    assert deframer.feed(bytes(encoded)) == []
    assert deframer.errors >= 1


@pytest.mark.parametrize("length", [0, 1, 4, 12, 13, 15, 17, 18])
def test_a_body_that_is_no_header_and_words_is_no_frame(length: int) -> None:
    from cobs import cobs

    body = bytes(range(1, length + 1))
    whole = body + zlib.crc32(body).to_bytes(4, "little")
    assert (decode(cobs.encode(whole)) is not None) == (length == 12)


def test_random_bytes_are_no_frames_and_the_next_good_frame_is_found() -> None:
    dice = random.Random(2)
    deframer = Deframer()
    good = Frame(Kind.DATA, 5, 6, 7, 8, 9, payload=b"word")
    for _ in range(100_000):
        garbage = dice.randbytes(dice.randrange(60))
        assert deframer.feed(garbage) == []
        if dice.random() < 0.05:
            assert deframer.feed(DELIMITER + good.encode()) == [good]
    assert deframer.errors > 10_000


def test_garbage_without_end_takes_no_memory_and_hides_no_later_frame() -> None:
    deframer = Deframer()
    for _ in range(40):
        assert deframer.feed(b"\x55" * (LONGEST // 10)) == []
        assert len(deframer._rest) <= 2 * LONGEST
    good = Frame(Kind.POLL)
    assert deframer.feed(good.encode() + good.encode()) == [good]
    assert deframer.errors == 1


def test_empty_frames_are_nothing() -> None:
    deframer = Deframer()
    assert deframer.feed(DELIMITER * 5) == []
    assert (deframer.frames, deframer.errors) == (0, 0)


def example(name: str) -> bytes:
    """The bytes of a block in docs/reference/protocol.md, by the text before it."""
    text = PROTOCOL_PAGE.read_text()
    found = re.search(rf"{re.escape(name)}:\n\n((?:    [0-9a-f ]+\n)+)", text)
    assert found, f"{name} is not in {PROTOCOL_PAGE.name}"
    return bytes.fromhex(found[1])


def test_the_example_in_the_documentation_is_right() -> None:
    frame = Frame(Kind.DATA, 3, 0x2A51, 16, 11, 16384, payload=bytes.fromhex("01000000"))
    body = example("The body, without its CRC")
    assert body == HEADER.pack(*(getattr(frame, name) for name, _ in HEADER_FIELDS)) + frame.payload
    assert zlib.crc32(body).to_bytes(4, "little") == example("Its CRC, as sent")
    assert frame.encode() == example("On the line")


def test_the_documentation_has_every_field_and_kind() -> None:
    text = PROTOCOL_PAGE.read_text()
    for name, bits in HEADER_FIELDS:
        assert re.search(rf"\| `{name}` \| {bits // 8} \|", text), name
    for kind in Kind:
        assert re.search(rf"\| {kind.value} \| {kind.name} \|", text), kind
