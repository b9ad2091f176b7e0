"""Values: z = W^T a, activations and slopes, a layer after the other."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from dualgate.engine import WORD_BITS
from dualgate.rules import SIGMOID_TABLE

from ..curves import has_table, table_index, value_and_slope
from ..layouts import VALUE
from ..tables import SIGMOID_SHAPE, TablePort, own_table
from .parts import Places, Seen, Use, load_numbers, take_last


class Values(wiring.Component):
    """Fills the lists of the hidden layers, all slopes, and the outputs' values.

    Parameters
    ----------
    places : Places

    Members
    -------
    use, seen : the shared parts
    start, count, masked : pulse; entries of the input list; whether masks leave out hidden units
    done : pulse
    saturated : pulse for each clipped pre-activation
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        super().__init__(
            {
                "use": Out(Use(places)),
                "seen": Out(Seen(places)),
                "start": In(1),
                "count": In(places.shapes.unit),
                "masked": In(1),
                "done": Out(1),
                "saturated": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shapes, use, seen = self.places.shapes, self.use, self.seen
        layer = seen.layer
        self._index = Signal(range(shapes.engine.layers))
        self._count = Signal(shapes.unit)
        self._filed = Signal(shapes.unit)
        self._unit = Signal(shapes.unit)
        self._row = Signal.like(use.row)
        self._z = Signal(VALUE)
        self._h = Signal(15)
        self._drops = Signal()
        # Where the list begins that the layer writes.
        self._base = Signal(shapes.unit)
        first_layer = self._index == 0
        m.d.comb += self._base.eq(Mux(first_layer, 0, layer.list_base + layer.inputs + 1))
        self._curves(m)
        with m.FSM():
            with m.State("IDLE"), m.If(self.start):
                m.d.sync += [self._index.eq(0), self._count.eq(self.count)]
                m.next = "FETCH"
            with m.State("FETCH"):
                m.d.comb += [use.fetch.eq(1), use.index.eq(self._index)]
                m.d.sync += [self._unit.eq(0), self._filed.eq(0), self._row.eq(layer.weight_base)]
                with m.If(seen.fetched):
                    m.d.comb += [
                        use.word_write.eq(1),
                        use.word_at.eq(self.places.count(self._index)),
                        use.word.eq(self._count),
                    ]
                    m.next = "WALK"
            with m.State("WALK"):
                m.d.comb += [
                    use.walk.eq(1),
                    use.first.eq(Mux(first_layer, 0, self.places.hidden | layer.list_base)),
                    use.count.eq(self._count),
                    use.base.eq(self._row),
                ]
                m.next = "SUM"
            self._sum_states(m)
            self._unit_states(m)
            self._file_states(m)
        return m

    def _sum_states(self, m: Module) -> None:
        """A group's sums become pre-activations, which wait where the slopes will be."""
        use, seen = self.use, self.seen
        layer = seen.layer
        bits = exact_log2(self.places.shapes.neurons)
        unit = self._unit
        narrowed = Signal()
        with m.State("SUM"), m.If(~seen.walking):
            m.d.sync += [self._row.eq(self._row + layer.inputs + 1), narrowed.eq(0)]
            m.next = "TAKE"
        with m.State("TAKE"):
            m.d.comb += [use.take.eq(1), use.lane.eq(unit)]
            with m.If(narrowed):
                m.d.comb += [
                    self.saturated.eq(seen.clipped),
                    use.word_write.eq(1),
                    use.word_at.eq(self.places.slopes | self.places.unit(layer, unit) - 1),
                    use.word.eq(seen.narrow),
                ]
            m.next = "NARROW"
            with m.If(narrowed & ((unit == layer.outputs) | (unit[:bits] == 0))):
                m.next = "WALK"
                with m.If(unit == layer.outputs):
                    m.d.sync += unit.eq(0)
                    m.next = "READ"
        with m.State("NARROW"):
            m.d.comb += [use.shift.eq(layer.z_shift), use.rounds.eq(1)]
            m.d.sync += [unit.eq(unit + 1), narrowed.eq(1)]
            m.next = "TAKE"

    def _curves(self, m: Module) -> None:
        """Value and slope of the unit in work; its square was the last number to be narrowed."""
        self._value, self._slope = Signal(VALUE), Signal(VALUE)
        rules = value_and_slope(m, self.seen.layer.activation, self._z, self._h, self.seen.narrow)
        for found, rule in zip((self._value, self._slope), rules, strict=True):
            m.d.comb += found.eq(Mux(self._drops, 0, rule))

    def _unit_states(self, m: Module) -> None:
        """From z to what the table has of it, and the square that a slope needs."""
        use, seen = self.use, self.seen
        layer = seen.layer
        table = TablePort(SIGMOID_SHAPE).create(path=("table",))
        own_table(m, table, SIGMOID_TABLE)
        m.d.comb += table.addr.eq(table_index(layer.activation, seen.word))
        bits = exact_log2(WORD_BITS)
        place = Signal(self.places.shapes.unit)
        m.d.comb += place.eq(self._base + self._unit)
        with m.State("READ"):
            m.d.comb += [
                use.word_at.eq(self.places.slopes | self.places.unit(layer, self._unit)),
                use.entry_at.eq(self.places.masks | (place >> bits)),
            ]
            m.next = "ACTIVATE"
        with m.State("ACTIVATE"):
            kept = seen.entry.as_value().bit_select(place[:bits], 1)
            m.d.sync += [self._z.eq(seen.word), self._drops.eq(self.masked & ~layer.last & ~kept)]
            m.next = "FILE"
            with m.If(has_table(layer.activation)):
                m.next = "TABLE"
        with m.State("TABLE"):
            load_numbers(m, use, table.data, table.data)
            m.d.comb += use.clear.eq(1)
            m.d.sync += self._h.eq(table.data)
            m.next = "SQUARE"
        with m.State("SQUARE"):
            m.d.comb += use.step.eq(1)
            m.next = "TOTAL"
        with m.State("TOTAL"):
            take_last(m, use)
            m.next = "ROUND"
        with m.State("ROUND"):
            m.d.comb += [use.shift.eq(16), use.rounds.eq(1)]
            m.next = "FILE"

    def _file_states(self, m: Module) -> None:
        """A slope, and an entry of the list or an output; after a layer's last unit, the bias."""
        use, seen, places = self.use, self.seen, self.places
        layer = seen.layer
        value, slope = self._value, self._slope
        with m.State("FILE"):
            m.d.comb += [
                use.word_write.eq(1),
                use.word_at.eq(places.slopes | places.unit(layer, self._unit)),
                use.word.eq(slope),
            ]
            with m.If(layer.last):
                m.next = "FILE_OUTPUT"
            with m.Else():
                with m.If(value != 0):
                    self._list(m, self._unit, value)
                self._next_unit(m)
        with m.State("FILE_OUTPUT"):
            m.d.comb += [
                use.word_write.eq(1),
                use.word_at.eq(places.outputs | self._unit),
                use.word.eq(value),
            ]
            self._next_unit(m)
        with m.State("BIAS"):
            self._list(m, layer.outputs, 1 << layer.out_frac)
            m.d.sync += [self._index.eq(self._index + 1), self._count.eq(self._filed + 1)]
            m.next = "FETCH"

    def _list(self, m: Module, index: Value, value: Value) -> None:
        use = self.use
        m.d.comb += [
            use.entry_write.eq(1),
            use.entry_at.eq(self.places.hidden | self._base + self._filed),
            use.entry.index.eq(index),
            use.entry.value.eq(value),
        ]
        m.d.sync += self._filed.eq(self._filed + 1)

    def _next_unit(self, m: Module) -> None:
        layer = self.seen.layer
        m.d.sync += self._unit.eq(self._unit + 1)
        m.next = "READ"
        with m.If(self._unit == layer.outputs - 1):
            m.next = "BIAS"
            with m.If(layer.last):
                m.d.comb += self.done.eq(1)
                m.next = "IDLE"
