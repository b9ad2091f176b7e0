# SPDX-License-Identifier: BSD-2-Clause

"""Proofs about the queues, the COBS codec and the credits of the serial link, for every input."""

from pathlib import Path

import pytest
from amaranth import Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import wiring
from support.claims import Claims

from dualgate.link.frame import Kind
from dualgate_hw.link.serial.cobs import CobsDecoder, CobsEncoder
from dualgate_hw.link.serial.line import LinkParameters
from dualgate_hw.link.serial.link import SerialLink
from dualgate_hw.link.serial.queues import POSITION, ReceiveQueue, SendQueue

DEPTH = 16


def distance(after: Value, before: Value) -> Value:
    """Return the distance between two positions, modulo their range."""
    return (after - before)[: POSITION.width]


def counted(queue: ReceiveQueue) -> tuple[Value, ...]:
    """Return invariants of the places of a queue."""
    used = distance(queue.expected, queue.fetched)
    return (
        used <= DEPTH,
        queue.credit == DEPTH - used,
        # The words of the frame in progress are in places that were free when they came.
        queue.coming <= queue.credit,
    )


def receive_queue(*more: Signal) -> tuple[Claims, Module, ReceiveQueue]:
    """Return a queue used as the link uses it, with `more` free signals."""
    m = Module()
    queue = m.submodules.queue = ReceiveQueue(DEPTH)
    claims = Claims(m, queue.append, queue.word, queue.accept, queue.drop, queue.words.ready, *more)
    claims.given(~(queue.append & (queue.accept | queue.drop)), ~(queue.accept & queue.overflow))
    return claims, m, queue


def test_no_word_is_overwritten_before_it_has_left(tmp_path: Path) -> None:
    claims, _, queue = receive_queue()
    claims.claim(*counted(queue))
    claims.prove(tmp_path)


def test_a_credit_once_given_stays_good(tmp_path: Path) -> None:
    looks = Signal()
    claims, m, queue = receive_queue(looks)
    promised = Signal(POSITION)
    valid = Signal()
    limit = distance(queue.expected + queue.credit, 0)
    # A promise is checked for as long as positions can tell old from new.
    recent = distance(limit, promised) < 1 << 14
    with m.If(looks):
        m.d.sync += [promised.eq(limit), valid.eq(1)]
    with m.Elif(~recent):
        m.d.sync += valid.eq(0)
    kept = distance(promised, queue.expected)
    overflows = queue.append & (queue.coming == queue.credit)
    claims.claim(
        *counted(queue),
        ~valid | (distance(limit, promised) <= (1 << 14) + 1),
        # A word finds no room only if the sender exceeded every promise.
        ~(valid & recent & overflows) | (kept <= queue.coming) | (kept > DEPTH),
    )
    claims.prove(tmp_path)


def test_no_word_is_forgotten_before_it_is_acknowledged(tmp_path: Path) -> None:
    m = Module()
    queue = m.submodules.queue = SendQueue(DEPTH)
    words = queue.words
    claims = Claims(m, words.valid, words.payload, queue.acknowledge, queue.position, queue.read)
    kept = distance(queue.written, queue.acknowledged)
    claims.claim(kept <= DEPTH, ~words.ready | (kept < DEPTH))
    claims.prove(tmp_path)


def test_the_decoder_is_in_step_after_any_delimiter(tmp_path: Path) -> None:
    m = Module()
    m.submodules.decoder = decoder = CobsDecoder()
    claims = Claims(m, decoder.encoded.valid, decoder.encoded.payload)
    out = decoder.decoded
    byte = decoder.encoded.payload
    delimited = Signal(init=1)
    with m.If(decoder.encoded.valid):
        m.d.sync += delimited.eq(byte == 0)
    # Numbers of bytes of this frame that came in and went out.
    came, went = Signal(8), Signal(8)
    with m.If(decoder.encoded.valid):
        with m.If(byte == 0):
            m.d.sync += [came.eq(0), went.eq(0)]
        with m.Elif(came != 0xFF):
            m.d.sync += [came.eq(came + 1), went.eq(went + out.valid)]
    claims.claim(
        ~delimited | ~(decoder.begun | decoder.owed | (decoder.left != 0)),
        delimited == ~decoder.begun,
        delimited == (came == 0),
        # No output without an input, and no end without a delimiter.
        ~out.valid | decoder.encoded.valid,
        ~out.valid | (out.payload.end == (byte == 0)),
        # Decoding shortens a frame at least by its first code.
        (went < came) | (came == 0),
        (came != 0) | (went == 0),
        # A frame is whole exactly if its last block is.
        ~(out.valid & out.payload.end) | (out.payload.whole == (decoder.left == 0)),
    )
    claims.prove(tmp_path)


def test_the_encoder_overwrites_nothing_that_has_not_left(tmp_path: Path) -> None:
    m = Module()
    m.submodules.encoder = encoder = CobsEncoder()
    frame = encoder.frame
    claims = Claims(m, frame.valid, frame.payload.as_value(), encoder.encoded.ready)
    whole = (encoder.place - encoder.fetched)[:9]
    claimed = Signal(11)
    m.d.comb += claimed.eq(whole + encoder.count + 1)
    most = Mux(encoder.coding, 3, Mux(encoder.delimiting, 2, 1))
    claims.claim(
        encoder.count <= Mux(encoder.coding, 254, Mux(encoder.delimiting, 0, 253)),
        # The last byte of a frame leaves room for the code and the delimiter that follow.
        claimed <= CobsEncoder.DEPTH - most,
        encoder.after == (encoder.place + encoder.count + 1)[:9],
        ~encoder.roomy | (claimed <= CobsEncoder.DEPTH - 4),
    )
    claims.prove(tmp_path)


def test_a_proof_can_fail(tmp_path: Path) -> None:
    claims, _, queue = receive_queue()
    claims.claim(queue.credit != DEPTH - 3)
    with pytest.raises(AssertionError, match="Assert failed"):
        claims.prove(tmp_path)


class Stub(wiring.Component):
    """Replaces a part of the link; the prover chooses its outputs."""

    def __init__(self, part: wiring.Component) -> None:
        super().__init__(part.signature)

    def elaborate(self, platform: object) -> Module:
        return Module()


def test_the_link_sends_only_what_was_written_and_allowed(tmp_path: Path) -> None:
    """The rules between the queues hold for frames of any content at any time."""
    m = Module()
    link = SerialLink([1, 2, 3], LinkParameters(DEPTH, DEPTH, 4, 2))
    link.receiver, link.sender = Stub(link.receiver), Stub(link.sender)  # type: ignore
    m.submodules.link = link
    receiver, sender = link.receiver, link.sender
    claims = Claims(
        m,
        *(receiver.append, receiver.word, receiver.end, receiver.good, receiver.busy),
        *(receiver.header.as_value(), sender.idle, sender.index),
        *(link.response.valid, link.response.payload, link.command.ready, link.line.tick),
    )
    claims.given(~(receiver.append & receiver.end))
    # A sender that has started a frame is not idle in the next cycle.
    started = Signal()
    m.d.sync += started.eq(sender.start)
    claims.given(~(started & sender.idle))
    incoming, outgoing = link.incoming, link.outgoing
    kept = distance(outgoing.written, outgoing.acknowledged)
    waiting = distance(outgoing.written, sender.header.sequence)
    allowed = distance(link._limit, sender.header.sequence)
    data = sender.start & (sender.header.kind == Kind.DATA) & (sender.count != 0)
    fresh = distance(sender.header.sequence, outgoing.acknowledged) <= kept
    claims.claim(
        kept <= DEPTH,
        *counted(incoming),
        # No credit is given without room.
        ~sender.start | (sender.header.credit <= DEPTH),
        # The words of a frame have been written, and the host has room for them.
        ~(data & fresh) | (sender.count <= waiting),
        ~data | (sender.count <= allowed),
        ~data | (sender.count <= 4),
        # Only a whole frame of this session is accepted, and only in sequence.
        ~incoming.accept
        | (
            receiver.good
            & (receiver.header.session == link._session)
            & (receiver.header.sequence == incoming.expected)
            & ~incoming.overflow
        ),
        # Without a session no frame is accepted.
        (link._session != 0) | ~incoming.accept,
    )
    claims.prove(tmp_path)
