"""Updates: velocity[r][:] += a_r * u[:], over the nonzero inputs of every layer."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from dualgate.formats import DIGIT_WIDTH, VALUE_WIDTH

from .parts import DIGIT_PLANES, Places, Plane, Seen, Use


class Updates(wiring.Component):
    """Adds outer products to the velocities, digit by digit, since the row memory has one port.

    A row of N velocities takes 6 cycles, a read and a write for each of three digits. A group whose
    update scalars are all zero costs no row, nor does a frozen layer.

    Parameters
    ----------
    places : Places

    Members
    -------
    use, seen : the shared parts
    start, done : pulses
    row : pulse for each row
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        super().__init__(
            {
                "use": Out(Use(places)),
                "seen": Out(Seen(places)),
                "start": In(1),
                "done": Out(1),
                "row": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shapes, use, seen, layer = self.places.shapes, self.use, self.seen, self.seen.layer
        self._index = Signal(range(shapes.engine.layers))
        self._group = Signal(shapes.group)
        self._count = Signal(shapes.unit)
        self._base = Signal.like(use.row)
        self._some = Signal()
        unit = Signal(shapes.unit)
        self._add(m)
        with m.FSM():
            with m.State("IDLE"), m.If(self.start):
                m.d.sync += self._index.eq(0)
                m.next = "FETCH"
            with m.State("FETCH"):
                m.d.comb += [
                    use.fetch.eq(1),
                    use.index.eq(self._index),
                    use.word_at.eq(self.places.count(self._index)),
                ]
                with m.If(seen.fetched):
                    m.next = "COUNT"
            with m.State("COUNT"):
                m.d.sync += [
                    self._count.eq(seen.word),
                    self._base.eq(layer.weight_base),
                    self._group.eq(0),
                    self._some.eq(0),
                    unit.eq(0),
                ]
                m.next = "READ"
                with m.If(layer.frozen):
                    self._next_layer(m)
            with m.State("READ"):
                m.d.comb += use.word_at.eq(self.places.updates | self.places.unit(layer, unit))
                m.next = "LOAD"
            with m.State("LOAD"):
                wanted = Mux(unit < layer.outputs, seen.word, 0)
                some = self._some | (wanted != 0)
                m.d.comb += [use.load_factor.eq(1), use.factor.eq(wanted)]
                m.d.sync += [self._some.eq(some), unit.eq(unit + 1)]
                m.next = "READ"
                with m.If(unit[: exact_log2(shapes.neurons)] == shapes.neurons - 1):
                    m.d.sync += self._some.eq(0)
                    m.next = "NEXT"
                    with m.If(some):
                        m.next = "FIRST"
            self._row_states(m)
            with m.State("NEXT"):
                m.d.sync += [
                    self._group.eq(self._group + 1),
                    self._base.eq(self._base + layer.inputs + 1),
                ]
                m.next = "READ"
                with m.If(self._group == layer.groups - 1):
                    self._next_layer(m)
        return m

    def _next_layer(self, m: Module) -> None:
        m.d.sync += self._index.eq(self._index + 1)
        m.next = "FETCH"
        with m.If(self.seen.layer.last):
            m.d.comb += self.done.eq(1)
            m.next = "IDLE"

    def _row_states(self, m: Module) -> None:
        """Entry after entry; the next one is read beside the last digit."""
        use, seen = self.use, self.seen
        at = Signal.like(use.entry_at)
        left = Signal.like(self._count)
        row = Signal.like(use.row)
        first = Mux(self._index == 0, 0, self.places.hidden | seen.layer.list_base)
        with m.State("FIRST"):
            m.d.comb += use.entry_at.eq(first)
            m.d.sync += [at.eq(first + 1), left.eq(self._count)]
            m.next = "ENTRY"
        with m.State("ENTRY"):
            self._load(m, row, left)
            m.next = "READ_0"
        for digit, plane in enumerate(DIGIT_PLANES):
            with m.State(f"READ_{digit}"):
                m.d.comb += [use.plane.eq(plane), use.row.eq(row)]
                if digit == 0:
                    m.d.comb += [use.step.eq(1), use.whole.eq(1), self.row.eq(1)]
                if digit == 2:
                    m.d.comb += use.entry_at.eq(at)
                    m.d.sync += at.eq(at + 1)
                m.next = f"WRITE_{digit}"
            with m.State(f"WRITE_{digit}"):
                m.d.comb += [use.plane.eq(plane), use.row.eq(row), use.row_write.eq(~0)]
                if digit < 2:
                    m.next = f"READ_{digit + 1}"
                else:
                    self._load(m, row, left)
                    m.next = "READ_0"
                    with m.If(left == 0):
                        m.next = "NEXT"

    def _load(self, m: Module, row: Signal, left: Signal) -> None:
        """Take the entry that was read."""
        use, seen = self.use, self.seen
        m.d.comb += [use.clear.eq(1), use.load_scalar.eq(1), use.scalar.eq(seen.entry.value)]
        m.d.sync += [row.eq(self._base + seen.entry.index), left.eq(left - 1)]

    def _add(self, m: Module) -> None:
        """The sums that are written: of digits read, of products, and of carries."""
        use = self.use
        writes, high = use.row_write.any(), use.plane == Plane.HIGH_DIGITS
        written = Signal(data.ArrayLayout(VALUE_WIDTH, self.places.shapes.neurons))
        for lane, (digit, product) in enumerate(
            zip(self.seen.row, self.seen.products, strict=True)
        ):
            carry = Signal(name=f"carry_{lane}")
            part = Signal(VALUE_WIDTH, name=f"part_{lane}")
            total = Signal(VALUE_WIDTH, name=f"total_{lane}")
            with m.Switch(use.plane):
                with m.Case(Plane.LOW_DIGITS):
                    m.d.comb += part.eq(product.as_unsigned()[:DIGIT_WIDTH])
                with m.Case(Plane.MIDDLE_DIGITS):
                    m.d.comb += part.eq(product.as_unsigned()[DIGIT_WIDTH : 2 * DIGIT_WIDTH])
                with m.Case(Plane.HIGH_DIGITS):
                    m.d.comb += part.eq(product >> 2 * DIGIT_WIDTH)
            m.d.comb += total.eq(digit + part + carry)
            # A digit below the highest leaves its top bit to the next one.
            m.d.comb += written[lane].eq(Cat(total[:-1], total[-1] & high))
            with m.If(writes):
                m.d.sync += carry.eq(total[-1] & ~high)
        with m.If(writes):
            m.d.comb += use.row_data.eq(written)
