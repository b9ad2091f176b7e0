# SPDX-License-Identifier: BSD-2-Clause

"""Completions of a BAR target for AMD's UltraScale+ PCIe block, 64 bits wide."""

from amaranth import Array, Cat, Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .packets import PacketBuffer
from .types import DWORD, CompletionStatus, completion
from .ultrascale_types import (
    CC,
    COMPLETION,
    CONTEXT,
    DESCRIPTOR_WORDS,
    LONGEST_ANSWER,
    REFUSAL_WORDS,
    WORDS,
    RequestType,
    power_of_two,
)

COPIED = ("translation", "requester", "tag", "function", "traffic", "attributes")
"""Fields of a completion's descriptor that are copies of the request's."""


class CompletionSender(wiring.Component):
    """Joins headers and data to completions for CC.

    A completion takes one cycle, and one more for each word of its descriptor and its data. It is
    sent once it is whole, so that its beats follow without a gap, as the block demands. A refusal
    repeats the request behind its descriptor, for the block's error log.

    Members
    -------
    `completion` : In(stream of completion(CONTEXT))
        Headers of completions.
    `read_data` : In(stream of DWORD)
        Words of completions.
    `room` : Out(1)
        All completions of one read can be taken without a stall.
    `cc` : Out(CC)
        Completions for the block.
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
        # The target may have finished a refusal that is not written here yet.
        self._need = LONGEST_ANSWER + REFUSAL_WORDS // 2
        self._packets = PacketBuffer(WORDS, power_of_two(self._need))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.packets = packets = self._packets
        m.d.comb += self.room.eq(packets.free >= self._need)
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
        """Return the words of the descriptor, and those that follow it in a refusal."""
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
        """Pair words into beats; returns whether the current word is taken."""
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
        """Connect the packet buffer to CC."""
        source, cc = packets.source, self.cc
        words = source.payload.payload
        m.d.comb += [
            cc.tdata.eq(Cat(words.low, words.high)),
            cc.tkeep.eq(Cat(1, words.two)),
            cc.tlast.eq(source.payload.last),
            cc.tvalid.eq(source.valid),
            source.ready.eq(cc.tready),
        ]
