# SPDX-License-Identifier: BSD-2-Clause

"""From the completer interfaces of AMD's UltraScale+ PCIe block, 64 bits wide, to a BAR target."""

from amaranth import Array, Cat, Module, Mux, Signal, unsigned
from amaranth.hdl import Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .packets import PacketBuffer
from .types import DWORD, WRITE, WRITE_DATA, CompletionStatus, completion, read
from .ultrascale_types import (
    CC,
    COMPLETION,
    CONTEXT,
    CQ,
    CQ_USER,
    DESCRIPTOR_WORDS,
    LONGEST_ANSWER,
    LONGEST_REQUEST,
    NOTE,
    REFUSAL_WORDS,
    REQUEST,
    RequestType,
)

WORDS = data.StructLayout({"low": DWORD, "high": DWORD, "two": unsigned(1)})
"""One or two words of a packet."""

COPIED = ("translation", "requester", "tag", "function", "traffic", "attributes")
"""Fields of a completion's descriptor that are the request's."""

MESSAGES = (
    RequestType.MESSAGE,
    RequestType.VENDOR_MESSAGE,
    RequestType.TRANSLATION_MESSAGE,
)


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()


class Receiver(wiring.Component):
    """Takes requests from CQ apart.

    A request is looked at once it has arrived whole; one that the block marks as damaged is
    dropped. From then on its descriptor takes two cycles, and its data a word a cycle.

    ==================================== ====================================
    request                              becomes
    ==================================== ====================================
    memory read, write, of BAR 0         a read, a write
    memory write to another BAR, message nothing, as there is nobody to tell
    any other                            a read that is refused
    ==================================== ====================================

    Members
    -------
    cq : the block's stream
    write, write_data, read : streams out, see `BarTarget`
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

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # Room for two, so that one is collected while the other is taken apart.
        m.submodules.packets = packets = PacketBuffer(
            data.StructLayout({"words": WORDS, "note": NOTE}), 2 * _power_of_two(LONGEST_REQUEST)
        )
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
            # A completion of what is no read of memory has an address of zero and four bytes.
            header.offset.eq(Mux(memory, offset, 0)),
            header.length.eq(Mux(memory, request.length, 1)),
            header.first.eq(Mux(memory, note.first, 0b1111)),
            header.last.eq(Mux(memory, note.last, 0)),
        ]

    def _hand_on(self, m: Module, request: data.View, beat: stream.Interface) -> None:
        """The beat with the descriptor's second half: hand the header on, then see to the data."""
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


class Sender(wiring.Component):
    """Puts completions together for CC.

    A completion takes a cycle, and one for each word of its descriptor and its data. It is sent
    once it is whole, so that its beats follow each other as the block demands. A refusal repeats
    the request behind its descriptor, for the block's error log.

    Members
    -------
    completion, read_data : streams in, see `BarTarget`
    room : completions of a whole read can be taken without a stall
    cc : the block's stream
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "completion": In(stream.Signature(completion(CONTEXT))),
                "read_data": In(stream.Signature(DWORD)),
                "room": Out(1),
                "cc": Out(CC),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # The target may be done with a refusal before it has been written here.
        need = LONGEST_ANSWER + REFUSAL_WORDS // 2
        m.submodules.packets = packets = PacketBuffer(WORDS, _power_of_two(need))
        m.d.comb += self.room.eq(packets.free >= need)
        self._send(m, packets)
        word, valid, last = Signal(DWORD), Signal(), Signal()
        taken = self._pack(m, packets, word, valid, last)
        header = Signal(completion(CONTEXT))
        words = self._descriptor(m, header)
        index = Signal(range(REFUSAL_WORDS))
        left = Signal(header.length.shape())
        refused = header.status != CompletionStatus.SUCCESSFUL
        with m.FSM():
            with m.State("HEADER"):
                m.d.comb += self.completion.ready.eq(1)
                m.d.sync += [
                    header.eq(self.completion.payload),
                    left.eq(self.completion.payload.length),
                    index.eq(0),
                ]
                with m.If(self.completion.valid):
                    m.next = "DESCRIPTOR"
            with m.State("DESCRIPTOR"):
                m.d.comb += [
                    word.eq(words[index]),
                    valid.eq(1),
                    last.eq(index == REFUSAL_WORDS - 1),
                ]
                with m.If(taken):
                    m.d.sync += index.eq(index + 1)
                    with m.If(last):
                        m.next = "HEADER"
                    with m.Elif((index == DESCRIPTOR_WORDS - 1) & ~refused):
                        m.next = "DATA"
            with m.State("DATA"):
                m.d.comb += [
                    word.eq(self.read_data.payload),
                    valid.eq(self.read_data.valid),
                    last.eq(left == 1),
                    self.read_data.ready.eq(taken),
                ]
                with m.If(taken):
                    m.d.sync += left.eq(left - 1)
                    with m.If(last):
                        m.next = "HEADER"
        return m

    def _descriptor(self, m: Module, header: data.View) -> Array:
        """Words of the descriptor, and of what follows it in a refusal."""
        request, note = header.context.request, header.context.note
        descriptor = Signal(COMPLETION)
        m.d.comb += [
            *(descriptor[name].eq(header[name]) for name in ("lower", "bytes", "length", "status")),
            *(descriptor[name].eq(request[name]) for name in COPIED),
            descriptor.locked.eq(request.type == RequestType.LOCKED_READ),
        ]
        whole = Cat(descriptor, note, request)
        return Array(whole.word_select(i, 32) for i in range(REFUSAL_WORDS))

    def _pack(
        self, m: Module, packets: PacketBuffer, word: Value, valid: Value, last: Value
    ) -> Value:
        """Pair words into beats; returns whether the word at hand is taken."""
        sink = packets.sink
        words = sink.payload.payload
        low = Signal(DWORD)
        second = Signal()
        taken = Signal()
        m.d.comb += [
            words.low.eq(Mux(second, low, word)),
            words.high.eq(word),
            words.two.eq(second),
            sink.payload.last.eq(last),
            sink.valid.eq(valid & (second | last)),
            taken.eq(valid & (sink.ready | ~(second | last))),
        ]
        with m.If(taken):
            m.d.sync += [low.eq(word), second.eq(~second & ~last)]
        return taken

    def _send(self, m: Module, packets: PacketBuffer) -> None:
        source, cc = packets.source, self.cc
        words = source.payload.payload
        m.d.comb += [
            cc.tdata.eq(Cat(words.low, words.high)),
            cc.tkeep.eq(Cat(1, words.two)),
            cc.tlast.eq(source.payload.last),
            cc.tvalid.eq(source.valid),
            source.ready.eq(cc.tready),
        ]
