# SPDX-License-Identifier: BSD-2-Clause

"""Requests from AMD's UltraScale+ PCIe block, 64 bits wide, for a BAR target."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .packets import PacketBuffer
from .types import WRITE, WRITE_DATA, read
from .ultrascale_types import (
    CONTEXT,
    CQ,
    CQ_USER,
    LONGEST_REQUEST,
    NOTE,
    REQUEST,
    WORDS,
    RequestType,
    power_of_two,
)

MESSAGES = (
    RequestType.MESSAGE,
    RequestType.VENDOR_MESSAGE,
    RequestType.TRANSLATION_MESSAGE,
)
"""Types of requests that are ignored, because they have no completion."""


class RequestReceiver(wiring.Component):
    """Splits the requests from CQ into headers and data.

    A request is processed after it has arrived whole; a request that the block marks as damaged is
    dropped. Its descriptor then takes two cycles, and its data take a cycle per word.

    ==================================== ====================================
    request                              becomes
    ==================================== ====================================
    memory read, write, of BAR 0         a read, a write
    memory write to another BAR, message nothing, because neither has an answer
    any other                            a read that is refused
    ==================================== ====================================

    Members
    -------
    `cq` : In(CQ)
        Requests from the block.
    `write` : Out(stream of WRITE)
        Headers of writes.
    `write_data` : Out(stream of WRITE_DATA)
        Words of writes.
    `read` : Out(stream of read(CONTEXT))
        Headers of reads.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "cq": In(CQ),
                "write": Out(stream.Signature(WRITE)),
                "write_data": Out(stream.Signature(WRITE_DATA)),
                "read": Out(stream.Signature(read(CONTEXT))),
            }
        )
        # Room for two requests, so that one can arrive while the other is processed.
        self._packets = PacketBuffer(
            data.StructLayout({"words": WORDS, "note": NOTE}), 2 * power_of_two(LONGEST_REQUEST)
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.packets = packets = self._packets
        self._collect(m, packets)
        beat = packets.source
        words, last = beat.payload.payload.words, beat.payload.last
        address = Signal(64)
        note = Signal(NOTE)
        request = Signal(REQUEST)
        m.d.comb += request.eq(Cat(address, words.low, words.high))
        self._headers(m, request, note)
        with m.FSM():
            with m.State("ADDRESS"):
                m.d.comb += beat.ready.eq(1)
                m.d.sync += address.eq(Cat(words.low, words.high))
                m.d.sync += note.eq(beat.payload.payload.note)
                with m.If(beat.valid & ~last):
                    m.next = "REQUEST"
            with m.State("REQUEST"), m.If(beat.valid):
                self._hand_on(m, request, beat)
            with m.State("WRITE"):
                self._write(m, beat)
            with m.State("SKIP"):
                m.d.comb += beat.ready.eq(1)
                with m.If(beat.valid & last):
                    m.next = "ADDRESS"
        return m

    def _collect(self, m: Module, packets: PacketBuffer) -> None:
        """Connect CQ to the packet buffer."""
        cq, sink = self.cq, packets.sink
        user = CQ_USER(cq.tuser)
        words, note = sink.payload.payload.words, sink.payload.payload.note
        m.d.comb += [
            words.low.eq(cq.tdata[:32]),
            words.high.eq(cq.tdata[32:]),
            words.two.eq(cq.tkeep[1]),
            *(note[name].eq(user[name]) for name, _ in CQ_USER if name in NOTE.members),
            sink.payload.last.eq(cq.tlast),
            sink.valid.eq(cq.tvalid),
            cq.tready.eq(sink.ready),
            packets.drop.eq(user.discontinue),
        ]

    def _headers(self, m: Module, request: data.View, note: data.View) -> None:
        """Compute the header of a write and that of a read."""
        offset = request.address[: len(self.read.payload.offset)]
        memory = (request.type == RequestType.MEMORY_READ) | (
            request.type == RequestType.LOCKED_READ
        )
        header = self.read.payload
        m.d.comb += [
            self.write.payload.offset.eq(offset),
            self.write.payload.first.eq(note.first),
            self.write.payload.last.eq(note.last),
            header.refuse.eq((request.type != RequestType.MEMORY_READ) | (request.bar != 0)),
            header.context.request.eq(request),
            header.context.note.eq(note),
            # The completion of any other request has address zero and four bytes.
            header.offset.eq(Mux(memory, offset, 0)),
            header.length.eq(Mux(memory, request.length, 1)),
            header.first.eq(Mux(memory, note.first, 0b1111)),
            header.last.eq(Mux(memory, note.last, 0)),
        ]

    def _hand_on(self, m: Module, request: data.View, beat: stream.Interface) -> None:
        """Take the second half of a descriptor: give the header, and choose the next state."""
        last = beat.payload.last
        write = request.type == RequestType.MEMORY_WRITE
        with m.If(~(write | request.type.matches(*MESSAGES))):
            m.d.comb += [self.read.valid.eq(1), beat.ready.eq(self.read.ready)]
        with m.Elif(write & (request.bar == 0) & ~last):
            m.d.comb += [self.write.valid.eq(1), beat.ready.eq(self.write.ready)]
        with m.Else():
            m.d.comb += beat.ready.eq(1)
        with m.If(beat.ready):
            m.next = "SKIP"
            with m.If(last):
                m.next = "ADDRESS"
            with m.Elif(self.write.valid):
                m.next = "WRITE"

    def _write(self, m: Module, beat: stream.Interface) -> None:
        """Give the data of a write, word by word."""
        words, last = beat.payload.payload.words, beat.payload.last
        second = Signal()
        ends = second | ~words.two
        m.d.comb += [
            self.write_data.valid.eq(beat.valid),
            self.write_data.payload.word.eq(Mux(second, words.high, words.low)),
            self.write_data.payload.last.eq(last & ends),
            beat.ready.eq(self.write_data.ready & ends),
        ]
        with m.If(self.write_data.valid & self.write_data.ready):
            m.d.sync += second.eq(~ends)
            with m.If(self.write_data.payload.last):
                m.next = "ADDRESS"
