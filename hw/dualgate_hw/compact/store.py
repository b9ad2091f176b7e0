"""The row memory: master weights, velocities and sums, in a memory of a single port."""

from amaranth import Array, Cat, Const, Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from dualgate.formats import DIGIT_WIDTH, VALUE_WIDTH

from ..entries import EntryPort
from .parts import UNINITIALISED, Places, Plane, Seen, Use

HALVES, DIGITS = 2, 3
"""Parts of a weight, and of a velocity."""


class RowStore(wiring.Component):
    """A word of N times 16 bits for each `Plane` of each row, read or written in a cycle.

    Of a velocity the digits are kept that its multiplication by the momentum takes, so that no word
    is wider than N weights.

    Parameters
    ----------
    places : Places

    Members
    -------
    use : of `Use`, from `plane` to `row_data`
    read : the word of the cycle before, if that wrote nothing
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        super().__init__(
            {"use": In(Use(places)), "read": Out(Use(places).members["row_data"].shape)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        use = self.use
        address, depth = self._address()
        m.submodules.rows = rows = memory.Memory(
            shape=len(self.read), depth=depth, init=[], attrs={UNINITIALISED: 1}
        )
        read, write = rows.read_port(), rows.write_port(granularity=VALUE_WIDTH)
        m.d.comb += [
            read.addr.eq(address),
            read.en.eq(~use.row_write.any()),
            write.addr.eq(address),
            write.data.eq(use.row_data),
            write.en.eq(use.row_write),
            self.read.eq(read.data),
        ]
        return m

    def _address(self) -> tuple[Value, int]:
        """Address of a word, and how many there are: rows of each plane, then sums.

        Of rows that are a power of two the plane is joined to the row, which takes no adder.
        """
        rows = self.places.rows
        plane = Value.cast(self.use.plane)
        depth = Plane.SUMS * rows + self.places.units
        if rows & (rows - 1) == 0:
            return Cat(self.use.row, plane), depth
        bases = Array(Const(index * rows, range(depth)) for index in Plane)
        return self.use.row + bases[plane], depth


class EntryAccess(wiring.Component):
    """Single weights and velocities, for the decoder.

    A cycle for each half of a weight or digit of a velocity, and one more to read.

    Parameters
    ----------
    places : Places

    Members
    -------
    entries : `EntryPort`
    use, seen : the shared parts
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        neurons = places.shapes.neurons
        super().__init__(
            {"entries": In(EntryPort(neurons)), "use": Out(Use(places)), "seen": Out(Seen(places))}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        entries, use = self.entries, self.use
        part = Signal(2)
        parts = Signal.like(part)
        m.d.comb += parts.eq(Mux(entries.wide, DIGITS, HALVES))
        with m.If(entries.read | entries.write):
            m.d.comb += [
                use.row.eq(entries.row),
                use.plane.eq(Mux(entries.wide, Plane.LOW_DIGITS, Plane.LOWER) + part),
                entries.done.eq(part == parts - entries.write),
            ]
            m.d.sync += part.eq(Mux(entries.done, 0, part + 1))
        with m.If(entries.write):
            m.d.comb += [
                use.row_write.eq(1 << entries.lane),
                use.row_data.eq(self._part(m, part).replicate(self.places.shapes.neurons)),
            ]
        self._read(m)
        return m

    def _part(self, m: Module, part: Signal) -> Signal:
        """The half or digit of the entry to be written."""
        entries = self.entries
        new = entries.new_entry.as_unsigned()
        found = Signal(VALUE_WIDTH)
        with m.Switch(Cat(part, entries.wide)):
            for wide, width, count in ((0, VALUE_WIDTH, HALVES), (4, DIGIT_WIDTH, DIGITS)):
                for index in range(count):
                    end = None if index == DIGITS - 1 else (index + 1) * width
                    with m.Case(wide + index):
                        m.d.comb += found.eq(new[index * width : end])
        return found

    def _read(self, m: Module) -> None:
        """Put an entry together: its last part is being read, the others are kept."""
        entries = self.entries
        found = lane_of(self.seen.row, entries.lane)
        kept = Signal(2 * VALUE_WIDTH)
        m.d.sync += kept.eq(Cat(kept[VALUE_WIDTH:], found))
        low, high = kept[:DIGIT_WIDTH], kept[VALUE_WIDTH:]
        m.d.comb += entries.entry.eq(
            Mux(entries.wide, Cat(low, high[:DIGIT_WIDTH], found), Cat(high, found))
        )


def lane_of(row: data.View, lane: Value) -> Value:
    """The word of one lane."""
    return Array(row)[lane]
