# SPDX-License-Identifier: BSD-2-Clause

"""Births: every hidden unit with a slope starts a tag, a vector whose one entry is that slope.

Up to K tags that are born of the same word share a slot: a team.
"""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...common.activation_rules import slope_frac
from ...common.onehot import lowest, position
from ...common.shapes import LAYER, Shapes, owned
from ..memory.list_reader import word_job
from .layouts import sum_note, team


class Births(wiring.Component):
    """Walks the slopes of a sample's hidden layers and emits a word for every K that are not zero.

    A layer costs 3 cycles, or 2 where it is frozen and has no tags, a word of N slopes 4 and one
    for each team and group of the next layer, while slots are free and words are taken; a zero
    slope costs nothing. The update scalars of a word are cleared as it is read.

    Parameters
    ----------
    shapes : Shapes

    Members
    -------
    start, sample : pulse; walk this sample; only while not `active`
    active, context : until the last birth was taken, and whose they are
    index, layer : which descriptor is wanted; it is read a cycle later
    slopes : read port
    slot_free, slot : whether a slot is free, and which
    word : stream out to the stepper
    born, team : pulse; `slot` is now taken by this team
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
                    stream.Signature(word_job(shapes.neurons, shapes.lanes, sum_note(shapes)))
                ),
                "born": Out(1),
                "team": Out(team(shapes)),
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
            self.slopes.addr.eq(owned(self.context, address, self.shapes.engine.vectors)),
            self.clear_word.eq(address),
            self.team.context.eq(self.context),
            self.team.layer.eq(tags + 1),
            self.team.word.eq(address),
            self.index.eq(tags),
        ]
        for frac in self.team.frac:
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
        word, team = self.word.payload, self.team
        rest = flags
        for lane in range(self.shapes.lanes):
            first = Signal.like(flags, name=f"lowest_{lane}")
            following = Signal.like(flags, name=f"rest_{lane}")
            m.d.comb += [
                first.eq(lowest(rest)),
                following.eq(rest & ~first),
                team.present[lane].eq(rest.any()),
                team.unit[lane].eq(position(first)),
            ]
            for unit, slope in enumerate(slopes):
                # A tag that is alone never meets a row that it has no flag for.
                scalar = slope if self.shapes.lanes == 1 else Mux(first[unit], slope, 0)
                m.d.comb += word.scalars[lane][unit].eq(scalar)
            rest = following
        m.d.comb += [
            word.flags.eq(flags & ~rest),
            word.some.eq(team.present[0]),
            word.lowest.eq(lowest(flags)),
            word.single.eq(~team.present[1:].any()),
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
                    m.d.comb += self.born.eq(1)
                    m.d.sync += [target.eq(0), row.eq(first_row), flags.eq(rest)]
            with m.If(flags == 0):
                m.next = "NEXT"
