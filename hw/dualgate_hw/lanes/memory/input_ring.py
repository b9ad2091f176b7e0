# SPDX-License-Identifier: BSD-2-Clause

"""The lists of nonzero inputs of all samples in flight, one behind the other in a ring."""

from amaranth import Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from ...common.shapes import Shapes


class ListWriter(wiring.Signature):
    """What fills a list, an entry a cycle.

    Members
    -------
    entry, en : the next entry of the list
    end : it is the last one
    drop : forget the list; not along with `en`
    first : where the list begins, in pairs
    """

    def __init__(self, shapes: Shapes) -> None:
        super().__init__(
            {
                "entry": Out(shapes.entry),
                "en": Out(1),
                "end": Out(1),
                "drop": Out(1),
                "first": In(shapes.place),
            }
        )


class InputLists(wiring.Component):
    """A memory of pairs of entries, read by the value lane, and some time later by the update lane.

    A list takes as many places as it has nonzeros, so that short ones may be many. Since a word is
    two entries, nobody needs it in every cycle. The value lane has a port to itself. The update
    lane never reads in two cycles running, and what is to be written goes there in between: two
    pairs wait for that at most, and a list's last one is written 3 cycles after its entry came,
    before anybody asks for it.

    Parameters
    ----------
    shapes : Shapes

    Members
    -------
    writer : fills the next list
    context, enters : the list is complete and belongs to that context, the next in turn
    leaves : the oldest list is forgotten; at most every second cycle, and two after it came
    inputs : of the network; as descriptors it stands still before samples come
    room : there are places for a list of all of them; two cycles late
    value, update : read ports
    begin : read port; where the list of a context begins
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        pairs = shapes.read(shapes.pairs, shapes.pair)
        super().__init__(
            {
                "writer": In(ListWriter(shapes)),
                "context": In(shapes.context),
                "enters": In(1),
                "leaves": In(1),
                "inputs": In(shapes.unit),
                "room": Out(1),
                "value": Out(pairs),
                "update": Out(pairs),
                "begin": Out(shapes.read(shapes.contexts, shapes.place)),
            }
        )
        self.store = memory.Memory(shape=shapes.pair, depth=shapes.pairs, init=[])

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.store = store = self.store
        wiring.connect(m, wiring.flipped(self.value), store.read_port())
        # A block RAM has two ports in all: the update lane's is also where pairs are written.
        read, write = store.read_port(), store.write_port()
        front = self._pairs(m)
        m.d.comb += [
            write.en.eq(front.valid & ~self.update.en),
            write.addr.eq(Mux(self.update.en, self.update.addr, front.place)),
            write.data.eq(front.pair),
            read.en.eq(self.update.en),
            read.addr.eq(write.addr),
            self.update.data.eq(read.data),
        ]
        self._places(m)
        return m

    def _pairs(self, m: Module) -> data.View:
        """Entries become pairs, which wait in a queue of two; returns the older one."""
        shapes, writer = self.shapes, self.writer
        waiting = data.StructLayout({"valid": 1, "place": shapes.place, "pair": shapes.pair})
        front, behind, fresh = Signal(waiting), Signal(waiting), Signal(waiting)
        held = Signal(shapes.entry)
        second = Signal()
        self._position = Signal(shapes.place)
        m.d.comb += [
            fresh.valid.eq(writer.en & (second | writer.end)),
            fresh.place.eq(self._position),
            fresh.pair[0].eq(Mux(second, held, writer.entry)),
            fresh.pair[1].eq(writer.entry),
        ]
        with m.If(writer.en):
            m.d.sync += [held.eq(writer.entry), second.eq(~second & ~writer.end)]
        with m.If(fresh.valid):
            m.d.sync += self._position.eq(self._position + 1)
        with m.If(writer.drop):
            m.d.sync += [second.eq(0), self._position.eq(writer.first)]
        with m.If(~front.valid | ~self.update.en):
            m.d.sync += [front.eq(Mux(behind.valid, behind, fresh)), behind.valid.eq(0)]
            with m.If(behind.valid):
                m.d.sync += behind.eq(fresh)
        # Whether a pair is there or not: what is there never meets another.
        with m.Elif(~behind.valid):
            m.d.sync += behind.eq(fresh)
        return front

    def _places(self, m: Module) -> None:
        """Where lists begin and end."""
        shapes = self.shapes
        span = data.StructLayout({"first": shapes.place, "end": shapes.place})
        m.submodules.spans = spans = memory.Memory(shape=span, depth=shapes.contexts, init=[])
        write, begin, oldest = spans.write_port(), spans.read_port(), spans.read_port()
        tail = Signal(shapes.place)
        turn = Signal(shapes.context)
        free = Signal(shapes.place)
        first = self.writer.first
        m.d.comb += [
            write.en.eq(self.enters),
            write.addr.eq(self.context),
            write.data.first.eq(first),
            write.data.end.eq(self._position),
            begin.en.eq(self.begin.en),
            begin.addr.eq(self.begin.addr),
            self.begin.data.eq(begin.data.first),
            oldest.addr.eq(turn),
            free.eq(tail - first + shapes.pairs),
        ]
        m.d.sync += self.room.eq(free > self.inputs >> 1)
        with m.If(self.enters):
            m.d.sync += first.eq(self._position)
        with m.If(self.leaves):
            m.d.sync += [
                tail.eq(oldest.data.end),
                turn.eq(Mux(turn == shapes.contexts - 1, 0, turn + 1)),
            ]
