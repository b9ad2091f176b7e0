# SPDX-License-Identifier: BSD-2-Clause

"""The row memory: master weights, velocities and sums, in a memory of a single port."""

from amaranth import Array, Cat, Const, Module, unsigned
from amaranth.hdl import Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import VALUE_WIDTH

from ..common.memory_attributes import UNINITIALISED
from .parts import Places, Plane, Use, row_layout


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
    row : which
    read : the word that was read last
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        super().__init__(
            {
                "use": In(Use(places)),
                "row": In(range(places.rows)),
                "read": Out(row_layout(places.shapes.neurons)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        use = self.use
        address, depth = self._address()
        m.submodules.rows = rows = memory.Memory(
            shape=unsigned(len(self.read.as_value())),
            depth=depth,
            init=[],
            attrs={UNINITIALISED: 1},
        )
        read, write = rows.read_port(), rows.write_port(granularity=VALUE_WIDTH)
        m.d.comb += [
            read.addr.eq(address),
            read.en.eq(use.read & ~use.row_write.any()),
            write.addr.eq(address),
            write.data.eq(use.row_data),
            write.en.eq(use.row_write),
            self.read.as_value().eq(read.data),
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
            return Cat(self.row, plane), depth
        bases = Array(Const(index * rows, range(depth)) for index in Plane)
        return self.row + bases[plane], depth


def lane_of(row: data.View, lane: Value) -> Value:
    """The word of one lane."""
    return Array(row)[lane]
