# SPDX-License-Identifier: BSD-2-Clause

"""A buffer that holds packets back until they are whole."""

from amaranth import Module, Mux, Signal, unsigned
from amaranth.hdl import Shape, ShapeLike
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2


def beat(payload: ShapeLike) -> data.StructLayout:
    """Return the layout of a beat of a packet, with a flag for the last beat."""
    return data.StructLayout({"payload": payload, "last": unsigned(1)})


class PacketBuffer(wiring.Component):
    """A queue of packets, which a packet leaves only after it has arrived whole.

    A packet at the output is therefore never interrupted: there is a beat in every cycle in which
    one is taken. And the writer can still drop a packet with its last beat.

    Parameters
    ----------
    payload : ShapeLike
        Payload of a beat.
    depth : int
        Number of beats that fit, a power of two. The longest packet must fit, otherwise it never
        leaves.

    Members
    -------
    `sink` : In(stream of beat(payload))
        Beats of packets; ready unless the buffer is full.
    `drop` : In(1)
        With a last beat: discards its packet.
    `source` : Out(stream of beat(payload))
        Beats of whole packets.
    `free` : Out(range(depth + 1))
        Number of beats that there is room for.

    Attributes
    ----------
    written, whole, taken : Signal
        Positions behind the last beat written, behind the last whole packet, and of the next beat
        to read.
    store : Memory
        Memory of the beats.
    """

    def __init__(self, payload: ShapeLike, depth: int) -> None:
        self.layout = beat(payload)
        self.depth = depth
        self.bits = exact_log2(depth)
        # Attributes, because proofs refer to them. A position has one bit more than an address, so
        # that full and empty differ.
        self.written = Signal(self.bits + 1)
        self.whole = Signal(self.bits + 1)
        self.taken = Signal(self.bits + 1)
        self.store = memory.Memory(
            shape=unsigned(Shape.cast(self.layout).width), depth=depth, init=[]
        )
        super().__init__(
            {
                "sink": In(stream.Signature(self.layout)),
                "drop": In(1),
                "source": Out(stream.Signature(self.layout)),
                "free": Out(range(depth + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.store = self.store
        write, read = self.store.write_port(), self.store.read_port()
        written, whole, taken = self.written, self.whole, self.taken
        held = Signal()
        fetch = Signal()
        ends = self.sink.payload.last
        m.d.comb += [
            self.free.eq(self.depth - (written - taken)[: self.bits + 1]),
            self.sink.ready.eq(self.free != 0),
            write.addr.eq(written[: self.bits]),
            write.data.eq(self.sink.payload),
            write.en.eq(self.sink.valid & self.sink.ready),
            fetch.eq((taken != whole) & (~held | self.source.ready)),
            read.addr.eq(taken[: self.bits]),
            read.en.eq(fetch),
            self.source.valid.eq(held),
            self.source.payload.eq(read.data),
        ]
        with m.If(write.en):
            m.d.sync += written.eq(Mux(ends & self.drop, whole, written + 1))
            with m.If(ends & ~self.drop):
                m.d.sync += whole.eq(written + 1)
        with m.If(fetch):
            m.d.sync += [taken.eq(taken + 1), held.eq(1)]
        with m.Elif(self.source.ready):
            m.d.sync += held.eq(0)
        return m
