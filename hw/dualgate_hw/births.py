"""Births: every hidden unit with a slope starts a tag, a vector whose one entry is that slope."""

from amaranth import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.formats import UNIT_FRAC
from dualgate.rules import SIGMOID

from .layouts import INDEX, LAYER, Shapes, owned
from .nonzeros import word_job
from .slots import sum_note, tag


class Births(wiring.Component):
    """Walks the slopes of a sample's hidden layers and emits a word for each that is not zero.

    A layer costs 3 cycles, a word of N slopes 4 and one for each birth and group of the next layer,
    while slots are free and words are taken; a zero slope costs nothing. The update scalars of a
    word are cleared as it is read.

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
    born, tag : pulse; `slot` is now taken by this tag
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
                "word": Out(stream.Signature(word_job(shapes.neurons, sum_note(shapes)))),
                "born": Out(1),
                "tag": Out(tag(shapes)),
                "clear": Out(1),
                "clear_ready": In(1),
                "clear_word": Out(INDEX),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer = Signal(LAYER)
        following = Signal(LAYER)
        tags = Signal(range(self.shapes.engine.layers))
        group = Signal(INDEX)
        address = Signal(INDEX)
        m.d.comb += [
            address.eq(layer.vector_base + group),
            self.slopes.en.eq(1),
            self.slopes.addr.eq(owned(self.context, address, self.shapes.engine.vectors)),
            self.clear_word.eq(address),
            self.tag.context.eq(self.context),
            self.tag.layer.eq(tags + 1),
            self.tag.frac.eq(Mux(layer.activation == SIGMOID.code, SIGMOID.slope_frac, UNIT_FRAC)),
            self.tag.word.eq(address),
            self.index.eq(tags),
        ]
        flags = Signal(self.shapes.neurons)
        lowest = self._word(m, flags)
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
            with m.State("FOLLOWING"):
                m.d.sync += following.eq(self.layer)
                m.next = "READ"
            with m.State("READ"):
                m.d.comb += self.clear.eq(1)
                with m.If(self.clear_ready):
                    m.next = "WORD"
            self._emit_states(m, flags, lowest, following, group)
            with m.State("NEXT"):
                m.d.sync += group.eq(group + 1)
                m.next = "READ"
                with m.If(group == layer.groups - 1):
                    m.d.sync += tags.eq(tags + 1)
                    m.next = "FETCH"
        m.d.comb += self.active.eq(~fsm.ongoing("IDLE"))
        return m

    def _word(self, m: Module, flags: Signal) -> Signal:
        """The word on offer: the lowest flagged lane alone."""
        lowest = Signal.like(flags)
        m.d.comb += [
            lowest.eq(flags & (~flags + 1)),
            self.word.payload.flags.eq(lowest),
            self.word.payload.end.eq(1),
            self.word.payload.meta.slot.eq(self.slot),
        ]
        for lane in range(self.shapes.neurons):
            with m.If(lowest[lane]):
                m.d.comb += self.tag.lane.eq(lane)
        return lowest

    def _emit_states(
        self, m: Module, flags: Signal, lowest: Signal, following: data.View, group: Signal
    ) -> None:
        target = Signal(INDEX)
        row = Signal(INDEX)
        final = Signal()
        scalars = Signal(self.shapes.vector)
        word = self.word.payload
        first_row = following.weight_base + group * self.shapes.neurons
        m.d.comb += [
            final.eq(target == following.groups - 1),
            word.scalars.eq(scalars),
            word.row.eq(row),
            word.meta.group.eq(target),
            word.meta.final.eq(final),
        ]
        with m.State("WORD"):
            m.d.sync += [scalars.eq(self.slopes.data), target.eq(0), row.eq(first_row)]
            m.d.sync += [flags[lane].eq(s != 0) for lane, s in enumerate(self.slopes.data)]
            m.next = "EMIT"
        with m.State("EMIT"):
            m.d.comb += self.word.valid.eq((flags != 0) & self.slot_free)
            with m.If(self.word.valid & self.word.ready):
                m.d.sync += [target.eq(target + 1), row.eq(row + following.inputs + 1)]
                with m.If(final):
                    m.d.comb += self.born.eq(1)
                    m.d.sync += [target.eq(0), row.eq(first_row), flags.eq(flags & ~lowest)]
            with m.If(flags == 0):
                m.next = "NEXT"
