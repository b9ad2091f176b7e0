# SPDX-License-Identifier: BSD-2-Clause

"""Responses: whole when the last word of the last one is there, however they arrive."""

from hypothesis import given
from hypothesis import strategies as st

from dualgate.contract.commands import Op, header
from dualgate.link.responses import Responses


def response(payload: int) -> bytes:
    words = [header(Op.INFER, payload), *range(payload)]
    return b"".join(word.to_bytes(4, "little") for word in words)


@given(
    payloads=st.lists(st.integers(0, 9), max_size=6),
    pieces=st.lists(st.integers(1, 13), min_size=1),
    extra=st.binary(max_size=9),
)
def test_they_are_whole_with_the_last_byte_and_not_before(
    payloads: list[int], pieces: list[int], extra: bytes
) -> None:
    sent = b"".join(map(response, payloads))
    stream, wanted, received = sent + extra, Responses(len(payloads)), bytearray()
    for piece in (pieces * (1 + len(stream)))[: len(stream)]:
        assert wanted.whole(received) == (len(received) >= len(sent))
        received += stream[len(received) : len(received) + piece]
    assert wanted.whole(received)


def test_the_longest_payload_is_counted() -> None:
    wanted, received = Responses(1), bytearray(response(65535))
    last = received.pop()
    assert not wanted.whole(received)
    received.append(last)
    assert wanted.whole(received)
