# SPDX-License-Identifier: BSD-2-Clause

"""The row memory: master weights, velocities and sums in one memory with a single port."""

from amaranth import Array, Cat, Const, Module, unsigned
from amaranth.hdl import Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import VALUE_WIDTH

from ..common.memory_attributes import UNINITIALISED
from .parts import Control, Places, Plane, row_layout


class RowMemory(wiring.Component):
    """A word of N times 16 bits for each `Plane` of each row, and a single port.

    A velocity is stored in the digits by which it is multiplied by the momentum, so that no word is
    wider than N halves of a weight. In a cycle the memory reads a word or writes one; a write takes
    precedence.

    Parameters
    ----------
    places : Places
        Sizes of the engine's memories.

    Members
    -------
    `control` : In(Control(places))
        Control of the shared datapath; uses `plane`, `read`, `row_write` and `row_data`.
    `row` : In(range(places.rows))
        Row to read or write.
    `read` : Out(row_layout(neurons))
        Word that was read last, valid from the cycle after the read on.
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        super().__init__(
            {
                "control": In(Control(places)),
                "row": In(range(places.rows)),
                "read": Out(row_layout(places.shapes.neurons)),
            }
        )
        self._rows = memory.Memory(
            shape=unsigned(len(self.read.as_value())),
            depth=Plane.SUMS * places.rows + places.units,
            init=[],
            attrs={UNINITIALISED: 1},
        )
        self._read_port = self._rows.read_port()
        self._write_port = self._rows.write_port(granularity=VALUE_WIDTH)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        control = self.control
        m.submodules.rows = self._rows
        read, write = self._read_port, self._write_port
        address = self._address()
        m.d.comb += [
            read.addr.eq(address),
            read.en.eq(control.read & ~control.row_write.any()),
            write.addr.eq(address),
            write.data.eq(control.row_data),
            write.en.eq(control.row_write),
            self.read.as_value().eq(read.data),
        ]
        return m

    def _address(self) -> Value:
        """Address of a word: the rows of each plane follow one another, then the sums.

        If the number of rows is a power of two, the plane is joined to the row, which takes no
        adder.
        """
        rows = self.places.rows
        plane = Value.cast(self.control.plane)
        if rows & (rows - 1) == 0:
            return Cat(self.row, plane)
        bases = Array(Const(index * rows, range(self._rows.depth)) for index in Plane)
        return self.row + bases[plane]


def lane_of(row: data.View, lane: Value) -> Value:
    """16 bits of a row word: those of one lane."""
    return Array(row)[lane]
