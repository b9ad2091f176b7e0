"""Tangents: every hidden unit's tag is carried to the outputs, one after the other."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from dualgate.formats import UNIT_FRAC, VALUE_WIDTH, WEIGHT_FRAC
from dualgate.settings import PRUNE_BITS, PRUNE_OFF

from ..curves import slope_frac
from ..layouts import VALUE
from ..slots import FRAC
from .parts import SHIFT_BITS, Places, Plane, Seen, Use, load_numbers, take_last


class Tangents(wiring.Component):
    """From slopes and the outputs' update scalars to the update scalars of hidden units.

    A tag's vector is a list of entries, as inputs are: born with one, and after each hidden layer
    with those that pruning leaves. The sums of a layer wait in the row memory until their largest
    is known.

    Parameters
    ----------
    places : Places

    Members
    -------
    use, seen : the shared parts
    start, prune : pulse; p, see `Settings`
    done : pulse
    crossing : a sum of products is being taken
    scaled : pulse for each group whose sums are scaled
    kept, dropped : pulses, for each entry that is not zero
    saturated : pulse for each clipped update scalar
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        super().__init__(
            {
                "use": Out(Use(places)),
                "seen": Out(Seen(places)),
                "start": In(1),
                "prune": In(PRUNE_BITS),
                "done": Out(1),
                "crossing": Out(1),
                "scaled": Out(1),
                "kept": Out(1),
                "dropped": Out(1),
                "saturated": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shapes = self.places.shapes
        unit = shapes.unit
        # Of the tags: their layer, how many there are, where their numbers are, and which is next.
        self._tags = Signal(range(shapes.engine.layers))
        self._units = Signal(unit)
        self._place = Signal(range(self.places.units))
        self._birth_frac = Signal(FRAC)
        self._unit = Signal(unit)
        # Of the tag on its way: the layer it enters, the entries of its list, its binary point.
        self._index = Signal(range(shapes.engine.layers))
        self._count = Signal(unit)
        self._frac = Signal(FRAC)
        self._update = Signal(VALUE)
        self._entry = Signal(unit)
        self._row = Signal.like(self.use.row)
        self._longest = Signal(self.places.bits)
        self._shift = Signal(SHIFT_BITS)
        with m.FSM():
            self._birth_states(m)
            self._cross_states(m)
            self._scale_states(m)
            self._prune_states(m)
            self._contract_states(m)
            self._end_states(m)
        return m

    def _birth_states(self, m: Module) -> None:
        use, seen, layer = self.use, self.seen, self.seen.layer
        with m.State("IDLE"):
            m.d.sync += self._tags.eq(0)
            with m.If(self.start):
                m.next = "TAGS"
        with m.State("TAGS"):
            m.d.comb += [use.fetch.eq(1), use.index.eq(self._tags)]
            m.d.sync += [
                self._unit.eq(0),
                self._units.eq(layer.outputs),
                self._place.eq(self.places.unit(layer, 0)),
                self._birth_frac.eq(slope_frac(layer.activation)),
            ]
            with m.If(seen.fetched):
                m.next = "READ"
                with m.If(layer.last):
                    m.d.comb += self.done.eq(1)
                    m.next = "IDLE"
                with m.Elif(layer.frozen):
                    m.d.sync += self._tags.eq(self._tags + 1)
                    m.next = "TAGS"
        with m.State("READ"):
            m.d.comb += use.word_at.eq(self.places.slopes | self._place + self._unit)
            m.next = "BIRTH"
        with m.State("BIRTH"):
            m.d.sync += [
                self._update.eq(0),
                self._index.eq(self._tags + 1),
                self._count.eq(1),
                self._frac.eq(self._birth_frac),
            ]
            m.next = "FILE"
            with m.If(seen.word != 0):
                self._list(m, 0, self._unit, seen.word)
                m.next = "FETCH"

    def _list(self, m: Module, place: Value | int, index: Value, value: Value) -> None:
        """Write an entry of the vector."""
        m.d.comb += [
            self.use.entry_write.eq(1),
            self.use.entry_at.eq(self.places.vector | place),
            self.use.entry.index.eq(index),
            self.use.entry.value.eq(value),
        ]

    def _cross_states(self, m: Module) -> None:
        """Sums of a layer, group after group, to the row memory; then their common shift."""
        use, seen, layer = self.use, self.seen, self.seen.layer
        alive = Signal()
        bits = exact_log2(self.places.shapes.neurons)
        shift = Signal(SHIFT_BITS)
        spare = VALUE_WIDTH - 1
        m.d.comb += shift.eq(Mux(self._longest > spare, self._longest - spare, 0))
        with m.State("FETCH"):
            m.d.comb += [use.fetch.eq(1), use.index.eq(self._index)]
            m.d.sync += [
                self._entry.eq(0),
                self._row.eq(layer.weight_base),
                self._longest.eq(0),
                alive.eq(0),
            ]
            with m.If(seen.fetched):
                m.next = "WALK"
        with m.State("WALK"):
            m.d.comb += [
                use.walk.eq(1),
                use.first.eq(self.places.vector),
                use.count.eq(self._count),
                use.base.eq(self._row),
            ]
            m.d.sync += self._row.eq(self._row + layer.inputs + 1)
            m.next = "SUM"
        with m.State("SUM"):
            m.d.comb += self.crossing.eq(1)
            with m.If(~seen.walking):
                m.d.comb += use.take.eq(1)
                m.next = "STORE"
        with m.State("STORE"):
            following = self._entry + 1
            m.d.comb += [
                use.plane.eq(Plane.SUMS),
                use.row.eq(self._entry),
                use.row_write.eq(~0),
                use.row_data.eq(seen.total),
                use.take.eq(1),
                use.lane.eq(following),
            ]
            m.d.sync += [self._entry.eq(following), alive.eq(alive | seen.nonzero)]
            with m.If(seen.bits > self._longest):
                m.d.sync += self._longest.eq(seen.bits)
            with m.If(following == layer.outputs):
                m.next = "MEASURED"
            with m.Elif(following[:bits] == 0):
                m.next = "WALK"
        with m.State("MEASURED"):
            gain = slope_frac(layer.activation) - UNIT_FRAC
            m.d.sync += [
                self._shift.eq(shift),
                self._entry.eq(0),
                self._longest.eq(0),
                self._frac.eq(self._frac + WEIGHT_FRAC - shift + Mux(layer.last, 0, gain)),
            ]
            m.d.comb += use.clear.eq(1)
            m.next = "FILE"
            with m.If(alive):
                m.next = "SCALE"
                with m.If(layer.last):
                    m.next = "CONTRACT"

    def _sum(self, m: Module) -> None:
        """Read a sum, and count a group's first."""
        m.d.comb += [
            self.use.plane.eq(Plane.SUMS),
            self.use.row.eq(self._entry),
            self.scaled.eq(self._entry[: exact_log2(self.places.shapes.neurons)] == 0),
        ]

    def _hold(self, m: Module) -> None:
        """The sum that was read is the number to narrow."""
        total = self.places.total
        m.d.comb += [
            self.use.hold.eq(1),
            self.use.direct.eq(self.seen.row.as_value()[: total.width].as_signed()),
        ]

    def _magnitude(self, m: Module, value: Value) -> None:
        """Measure a mantissa's magnitude: it is the number to narrow."""
        m.d.comb += [self.use.hold.eq(1), self.use.direct.eq(Mux(value < 0, -value, value))]

    def _scale_states(self, m: Module) -> None:
        """In a hidden layer: mantissas times slopes become the vector."""
        use, seen = self.use, self.seen
        with m.State("SCALE"):
            self._sum(m)
            m.next = "SCALE_HOLD"
        with m.State("SCALE_HOLD"):
            self._hold(m)
            m.next = "SCALE_SHIFT"
        with m.State("SCALE_SHIFT"):
            m.d.comb += [use.shift.eq(self._shift), use.word_at.eq(self._factor())]
            m.next = "SCALE_LOAD"
        with m.State("SCALE_LOAD"):
            load_numbers(m, use, seen.narrow, seen.word)
            m.d.comb += use.clear.eq(1)
            m.next = "SCALE_STEP"
        with m.State("SCALE_STEP"):
            m.d.comb += use.step.eq(1)
            m.next = "SCALE_TAKE"
        with m.State("SCALE_TAKE"):
            take_last(m, use)
            m.next = "SCALE_ROUND"
        with m.State("SCALE_ROUND"):
            m.d.comb += [use.shift.eq(UNIT_FRAC), use.rounds.eq(1)]
            m.next = "SCALE_FILE"
        with m.State("SCALE_FILE"):
            self._list(m, self._entry, self._entry, seen.narrow)
            self._magnitude(m, seen.narrow)
            m.next = "SCALE_MEASURE"
        with m.State("SCALE_MEASURE"):
            m.d.sync += self._entry.eq(self._entry + 1)
            with m.If(seen.bits > self._longest):
                m.d.sync += self._longest.eq(seen.bits)
            m.next = "SCALE"
            with m.If(self._entry == seen.layer.outputs - 1):
                m.d.sync += [self._entry.eq(0), self._count.eq(0)]
                m.next = "PRUNE"

    def _factor(self) -> Value:
        """Where the slope is, or the update scalar, that belongs to the sum in work."""
        layer = self.seen.layer
        return self.places.unit(layer, self._entry) | Mux(
            layer.last, self.places.updates, self.places.slopes
        )

    def _prune_states(self, m: Module) -> None:
        """Keep entries whose bit length is less than p below that of the largest."""
        use, seen = self.use, self.seen
        entry = seen.entry
        with m.State("PRUNE"):
            m.d.comb += use.entry_at.eq(self.places.vector | self._entry)
            m.next = "PRUNE_HOLD"
        with m.State("PRUNE_HOLD"):
            m.d.comb += use.entry_at.eq(self.places.vector | self._entry)
            self._magnitude(m, entry.value)
            m.next = "PRUNE_TEST"
        with m.State("PRUNE_TEST"):
            near = (self.prune == PRUNE_OFF) | (seen.bits + self.prune > self._longest)
            keep = seen.nonzero & near
            m.d.comb += [self.kept.eq(keep), self.dropped.eq(seen.nonzero & ~near)]
            m.d.sync += self._entry.eq(self._entry + 1)
            with m.If(keep):
                self._list(m, self._count, entry.index, entry.value)
                m.d.sync += self._count.eq(self._count + 1)
            m.next = "PRUNE"
            with m.If(self._entry == seen.layer.outputs - 1):
                m.d.sync += self._index.eq(self._index + 1)
                m.next = "PRUNED"
        with m.State("PRUNED"):
            m.next = "FETCH"
            with m.If(self._count == 0):
                m.next = "FILE"

    def _contract_states(self, m: Module) -> None:
        """At the output layer: mantissas times update scalars, added up, a sum a cycle."""
        use, seen = self.use, self.seen
        stages = [Signal(name=f"contract_{stage}") for stage in range(4)]
        factor = Signal.like(use.word_at)
        read = Signal()
        with m.State("CONTRACT"):
            m.d.comb += use.shift.eq(self._shift)
            with m.If(self._entry != seen.layer.outputs):
                self._sum(m)
                m.d.comb += read.eq(1)
                m.d.sync += self._entry.eq(self._entry + 1)
            with m.If(stages[0]):
                self._hold(m)
            with m.If(stages[1]):
                m.d.comb += use.word_at.eq(factor)
            with m.If(stages[2]):
                load_numbers(m, use, seen.narrow, seen.word)
            m.d.comb += use.step.eq(stages[3])
            with m.If(~(read | stages[0] | stages[1] | stages[2] | stages[3])):
                take_last(m, use)
                m.next = "NARROW"
        for stage, before in zip(stages, [read, *stages], strict=False):
            m.d.sync += stage.eq(before)
        m.d.sync += factor.eq(self._factor() - 1)

    def _end_states(self, m: Module) -> None:
        """Narrow the contraction; file the tag's update scalar and go on to the next."""
        use, seen = self.use, self.seen
        clipped = Signal()
        most = (1 << SHIFT_BITS) - 1
        with m.State("NARROW"):
            # Further than this every sum rounds to zero.
            far = self._frac > most
            m.d.comb += [
                use.shift.eq(Mux(self._frac < 0, 0, Mux(far, most, self._frac))),
                use.rounds.eq(1),
            ]
            m.d.sync += clipped.eq(0)
            m.next = "NARROWED"
        with m.State("NARROWED"):
            m.d.sync += [self._update.eq(seen.narrow), clipped.eq(clipped | seen.clipped)]
            m.next = "CONTRACTED"
        with m.State("CONTRACTED"):
            m.next = "FILE"
            with m.If(self._frac < 0):
                # A negative shift doubles, and clips on the way as at the end.
                m.d.comb += [use.hold.eq(1), use.direct.eq(self._update << 1)]
                m.d.sync += self._frac.eq(self._frac + 1)
                m.next = "DOUBLED"
            with m.Else():
                m.d.comb += self.saturated.eq(clipped)
        with m.State("DOUBLED"):
            m.next = "NARROWED"
        with m.State("FILE"):
            m.d.comb += [
                use.word_write.eq(1),
                use.word_at.eq(self.places.updates | self._place + self._unit),
                use.word.eq(self._update),
            ]
            m.d.sync += self._unit.eq(self._unit + 1)
            m.next = "READ"
            with m.If(self._unit == self._units - 1):
                m.d.sync += self._tags.eq(self._tags + 1)
                m.next = "TAGS"
