# SPDX-License-Identifier: BSD-2-Clause

"""A ring of memory that holds the input lists of all samples in flight, one after the other."""

from amaranth import Module, Mux, Signal
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from ...common.shapes import Shapes


class ListWriter(wiring.Signature):
    """Port that fills a list, with up to one entry per cycle.

    Parameters
    ----------
    shapes : Shapes
        Shapes of the engine.

    Members
    -------
    `entry` : Out(shapes.entry)
        Next entry of the list.
    `en` : Out(1)
        Writes the entry.
    `end` : Out(1)
        The entry is the last one of the list.
    `drop` : Out(1)
        Discards the list; never high together with `en`.
    `first` : In(shapes.place)
        Position of the first pair of the list.
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


class InputRing(wiring.Component):
    """A memory of pairs of entries, which the value lane reads, and the update lane later.

    A list takes only as much memory as it has nonzeros, so the ring holds many lists if they are
    short. A word is a pair of entries, so no reader needs one in every cycle. The value lane has a
    port to itself. The update lane never reads in two successive cycles, and pairs are written in
    the cycles between: at most two pairs wait for that, and the last pair of a list is written 3
    cycles after its entry came, before any reader needs it.

    Parameters
    ----------
    shapes : Shapes
        Shapes of the engine.

    Members
    -------
    `writer` : In(ListWriter(shapes))
        Fills the next list.
    `context` : In(shapes.context)
        Context of the list; contexts come in rotation.
    `enters` : In(1)
        The list is complete and becomes that of the context.
    `leaves` : In(1)
        Discards the oldest list; at most in every second cycle, and at least two cycles after the
        list entered.
    `inputs` : In(shapes.unit)
        Number of inputs of the network; constant from before the first sample on, as the
        descriptors are.
    `room` : Out(1)
        The ring has room for a list of all inputs; two cycles late.
    `value` : Out(shapes.read(shapes.pairs, shapes.pair))
        Read port of the value lane.
    `update` : Out(shapes.read(shapes.pairs, shapes.pair))
        Read port of the update lane.
    `begin` : Out(shapes.read(shapes.contexts, shapes.place))
        Read port for the position of the first pair of a context's list.
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
        span = data.StructLayout({"first": shapes.place, "end": shapes.place})
        self._spans = memory.Memory(shape=span, depth=shapes.contexts, init=[])

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.store = store = self.store
        wiring.connect(m, wiring.flipped(self.value), store.read_port())
        # A block RAM has only two ports: pairs are written through that of the update lane.
        read, write = store.read_port(), store.write_port()
        front = self._collect_pairs(m)
        m.d.comb += [
            write.en.eq(front.valid & ~self.update.en),
            write.addr.eq(Mux(self.update.en, self.update.addr, front.place)),
            write.data.eq(front.pair),
            read.en.eq(self.update.en),
            read.addr.eq(write.addr),
            self.update.data.eq(read.data),
        ]
        self._keep_spans(m)
        return m

    def _collect_pairs(self, m: Module) -> data.View:
        """Join entries to pairs, which wait in a queue of two; returns the older pair."""
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
        # Loaded even without a new pair: `valid` comes along.
        with m.Elif(~behind.valid):
            m.d.sync += behind.eq(fresh)
        return front

    def _keep_spans(self, m: Module) -> None:
        """Keep the positions at which lists begin and end, and the room between them."""
        shapes = self.shapes
        m.submodules.spans = spans = self._spans
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
