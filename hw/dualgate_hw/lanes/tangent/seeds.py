# SPDX-License-Identifier: BSD-2-Clause

"""Seeds: every hidden unit with a slope starts a tag, a vector whose one entry is that slope.

Up to K tags that are seeded of the same word share a slot: a chunk.
"""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...common.activation_rules import slope_frac
from ...common.onehot import isolate_lowest, onehot_index
from ...common.shapes import LAYER, Shapes, banked_address
from .issue import issue_job
from .layouts import chunk, sum_note


class Seeds(wiring.Component):
    """Walks the slopes of a sample's hidden layers and emits a word for every K that are not zero.

    A layer costs 3 cycles, or 2 where it is frozen and has no tags, a word of N slopes 4 and one
    for each chunk and group of the next layer, while slots are free and words are taken; a zero
    slope costs nothing. The update scalars of a word are cleared as it is read.

    Parameters
    ----------
    shapes : Shapes

    Members
    -------
    start, sample : pulse; walk this sample; only while not `active`
    active, context : until the last seed was taken, and whose they are
    index, layer : which descriptor is wanted; it is read a cycle later
    slopes : read port
    slot_free, slot : whether a slot is free, and which
    word : stream out to the issuer
    seeded, chunk : pulse; `slot` is now taken by this chunk
    clear, clear_ready, clear_word : asks for a word of update scalars to be zeroed
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        engine = shapes.engine
        super().__init__(
            {
                "start": In(1),
                "sample": In(shapes.context),
                "active": Out(1),
                "context": Out(shapes.context),
                "index": Out(range(engine.layers)),
                "layer": In(LAYER),
                "slopes": In(shapes.read(engine.vectors, shapes.vector, shapes.contexts)),
                "slot_free": In(1),
                "slot": In(shapes.slot),
                "word": Out(
                    stream.Signature(issue_job(shapes.neurons, shapes.lanes, sum_note(shapes)))
                ),
                "seeded": Out(1),
                "chunk": Out(chunk(shapes)),
                "clear": Out(1),
                "clear_ready": In(1),
                "clear_word": Out(shapes.word),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer = Signal(LAYER)
        following = Signal(LAYER)
        tags = Signal(range(self.shapes.engine.layers))
        group = Signal(self.shapes.group)
        address = Signal(self.shapes.word)
        m.d.comb += [
            address.eq(layer.vector_base + group),
            self.slopes.en.eq(1),
            self.slopes.addr.eq(banked_address(self.context, address, self.shapes.engine.vectors)),
            self.clear_word.eq(address),
            self.chunk.context.eq(self.context),
            self.chunk.layer.eq(tags + 1),
            self.chunk.word.eq(address),
            self.index.eq(tags),
        ]
        for frac in self.chunk.frac:
            m.d.comb += frac.eq(slope_frac(layer.activation))
        flags = Signal(self.shapes.neurons)
        slopes = Signal(self.shapes.vector)
        rest = self._word(m, flags, slopes)
        with m.FSM() as fsm:
            with m.State("IDLE"), m.If(self.start):
                m.d.sync += [tags.eq(0), self.context.eq(self.sample)]
                m.next = "FETCH"
            with m.State("FETCH"):
                m.next = "LAYER"
            with m.State("LAYER"):
                m.d.comb += self.index.eq(tags + 1)
                m.d.sync += [layer.eq(self.layer), group.eq(0)]
                m.next = "FOLLOWING"
                with m.If(self.layer.last):
                    m.next = "IDLE"
                with m.Elif(self.layer.frozen):
                    m.d.sync += tags.eq(tags + 1)
                    m.next = "FETCH"
            with m.State("FOLLOWING"):
                m.d.sync += following.eq(self.layer)
                m.next = "READ"
            with m.State("READ"):
                m.d.comb += self.clear.eq(1)
                with m.If(self.clear_ready):
                    m.next = "WORD"
            self._emit_states(m, flags, rest, slopes, following, group)
            with m.State("NEXT"):
                m.d.sync += group.eq(group + 1)
                m.next = "READ"
                with m.If(group == layer.groups - 1):
                    m.d.sync += tags.eq(tags + 1)
                    m.next = "FETCH"
        m.d.comb += self.active.eq(~fsm.ongoing("IDLE"))
        return m

    def _word(self, m: Module, flags: Signal, slopes: data.View) -> Signal:
        """The word on offer: a lane for each of the lowest flags; returns the flags left after."""
        word, chunk = self.word.payload, self.chunk
        rest = flags
        for lane in range(self.shapes.lanes):
            first = Signal.like(flags, name=f"lowest_{lane}")
            following = Signal.like(flags, name=f"rest_{lane}")
            m.d.comb += [
                first.eq(isolate_lowest(rest)),
                following.eq(rest & ~first),
                chunk.present[lane].eq(rest.any()),
                chunk.unit[lane].eq(onehot_index(first)),
            ]
            for unit, slope in enumerate(slopes):
                # A tag that is alone never meets a row that it has no flag for.
                scalar = slope if self.shapes.lanes == 1 else Mux(first[unit], slope, 0)
                m.d.comb += word.scalars[lane][unit].eq(scalar)
            rest = following
        m.d.comb += [
            word.flags.eq(flags & ~rest),
            word.some.eq(chunk.present[0]),
            word.lowest.eq(isolate_lowest(flags)),
            word.single.eq(~chunk.present[1:].any()),
            word.end.eq(1),
            word.meta.slot.eq(self.slot),
        ]
        return rest

    def _emit_states(
        self,
        m: Module,
        flags: Signal,
        rest: Signal,
        slopes: data.View,
        following: data.View,
        group: Signal,
    ) -> None:
        target = Signal(self.shapes.group)
        row = Signal(self.shapes.row)
        final = Signal()
        word = self.word.payload
        first_row = following.weight_base + group * self.shapes.neurons
        m.d.comb += [
            final.eq(target == following.groups - 1),
            word.row.eq(row),
            word.meta.group.eq(target),
            word.meta.final.eq(final),
        ]
        with m.State("WORD"):
            m.d.sync += [slopes.eq(self.slopes.data), target.eq(0), row.eq(first_row)]
            m.d.sync += flags.eq(Cat(slope != 0 for slope in self.slopes.data))
            m.next = "EMIT"
        with m.State("EMIT"):
            m.d.comb += self.word.valid.eq((flags != 0) & self.slot_free)
            with m.If(self.word.valid & self.word.ready):
                m.d.sync += [target.eq(target + 1), row.eq(row + following.inputs + 1)]
                with m.If(final):
                    m.d.comb += self.seeded.eq(1)
                    m.d.sync += [target.eq(0), row.eq(first_row), flags.eq(rest)]
            with m.If(flags == 0):
                m.next = "NEXT"
