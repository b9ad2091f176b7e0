# SPDX-License-Identifier: BSD-2-Clause

"""The row memories of a core: weights, which its MAC arrays read, and velocities."""

from amaranth import Array, Cat, Module, Mux, Signal, signed, unsigned
from amaranth.hdl import Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import SHARE_WIDTH

from ...common.delay import delay
from ...common.shapes import INDEX, VELOCITY, Shapes, vector
from .row_ports import CoreRowPort


def _select_strip(m: Module, strip: Value, row: Value, shapes: Shapes) -> Value:
    """Select a strip of the row that was read; both were requested a cycle ago."""
    width = len(row) // shapes.engine.strips
    turn = delay(m, strip[: shapes.strip_bits], 1)
    return Array(row.word_select(index, width) for index in range(shapes.engine.strips))[turn]


def _enables(shapes: Shapes, strip: Value, write: Value) -> Value:
    """Return the write enables of a row's strips."""
    strips = range(shapes.engine.strips)
    return Cat(write & (strip[: shapes.strip_bits] == index) for index in strips)


class CoreRows(wiring.Component):
    """The rows of a core: upper halves of the weights, for its MAC arrays, and velocities.

    Lanes read and write whole rows while samples are in flight; otherwise `port` reads and writes
    strips.

    Parameters
    ----------
    shapes : Shapes
        Shapes of the engine.
    readers : int
        Number of MAC arrays that read weights; each has its own read port.
    first : bool
        Whether the core keeps the velocity between batches. The velocity memory of any other core
        has `SHARE_WIDTH` bits a number, which add up this core's share of a batch; only zeros are
        written to it through `port`.

    Members
    -------
    `rows` : In(INDEX).array(readers)
        Row that each MAC array reads.
    `weight_rows` : Out(shapes.vector).array(readers)
        That row, a cycle later.
    `velocity_read` : Out(shapes.read(depth, vector(neurons, VELOCITY)))
        Read port of the update lane.
    `listed` : Out(1)
        Whether that row is listed, with its velocities; see `TouchedRows`. Zero where there are
        several cores.
    `velocity_write` : Out(shapes.write(depth, vector(neurons, VELOCITY)))
        Write port of the update lane; its data are zero while it does not write. The row is listed
        from then on.
    `port` : In(CoreRowPort(shapes))
        Access to strips, in use only while no sample is in flight.
    `exclusive` : In(1)
        Gives the memories to `port`, which then reads velocities and, in place of the first MAC
        array, weights.
    """

    def __init__(self, shapes: Shapes, readers: int, first: bool = True) -> None:
        self.shapes = shapes
        self.readers = readers
        self.first = first
        depth = shapes.engine.rows
        velocities = vector(shapes.neurons, VELOCITY)
        super().__init__(
            {
                "rows": In(INDEX).array(readers),
                "weight_rows": Out(shapes.vector).array(readers),
                "velocity_read": Out(shapes.read(depth, velocities)),
                "listed": Out(1),
                "velocity_write": Out(shapes.write(depth, velocities)),
                "port": In(CoreRowPort(shapes)),
                "exclusive": In(1),
            }
        )
        strip = data.StructLayout(
            {
                "numbers": vector(shapes.strip, VELOCITY if first else signed(SHARE_WIDTH)),
                "listed": unsigned(shapes.engine.cores == 1),
            }
        )
        row = data.ArrayLayout(strip, shapes.engine.strips)
        self._upper = memory.Memory(shape=shapes.vector, depth=depth, init=[])
        self._velocity = memory.Memory(shape=row, depth=depth, init=[])

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shapes, port = self.shapes, self.port
        m.submodules.upper = upper = self._upper
        m.submodules.velocity = self._velocity
        bits = shapes.strip_bits
        upper_write = upper.write_port(granularity=shapes.strip)
        # A block RAM has only two ports: rows are written through that of the last reader.
        writes_row = Signal(INDEX)
        m.d.comb += writes_row.eq(Mux(self.exclusive, port.weights_to[bits:], self.rows[-1]))
        for index, row in enumerate(self.rows):
            read = upper.read_port()
            m.d.comb += self.weight_rows[index].eq(read.data)
            if index == 0:
                m.d.comb += [
                    read.addr.eq(Mux(self.exclusive, port.weights_from[bits:], row)),
                    port.upper.as_value().eq(
                        _select_strip(m, port.weights_from, read.data.as_value(), shapes)
                    ),
                ]
            else:
                m.d.comb += read.addr.eq(writes_row)
        m.d.comb += [
            upper_write.addr.eq(writes_row),
            upper_write.en.eq(
                _enables(shapes, port.weights_to, port.write_weights & self.exclusive)
            ),
        ]
        for neuron, fresh in enumerate(upper_write.data):
            m.d.comb += fresh.eq(port.new_upper[neuron % shapes.strip])
        self._connect_velocity(m)
        return m

    def _connect_velocity(self, m: Module) -> None:
        """Connect the velocities to the update lane, or to `port` while it has the memories."""
        shapes, port, mine = self.shapes, self.port, self.velocity_write
        bits = shapes.strip_bits
        read = self._velocity.read_port()
        write = self._velocity.write_port(granularity=1)
        wanted = Signal(self._velocity.shape.elem_shape)
        strips = _enables(shapes, port.velocity_to, port.write_velocity)
        m.d.comb += [
            read.addr.eq(Mux(self.exclusive, port.velocity_from[bits:], self.velocity_read.addr)),
            wanted.as_value().eq(
                _select_strip(m, port.velocity_from, read.data.as_value(), shapes)
            ),
            self.listed.eq(read.data[-1].listed),
            write.addr.eq(Mux(self.exclusive, port.velocity_to[bits:], mine.addr)),
            write.en.eq(Mux(self.exclusive, strips, mine.en.replicate(len(strips)))),
        ]
        shares = [number for strip in read.data for number in strip.numbers]
        for views, narrow in ((self.velocity_read.data, shares), (port.velocity, wanted.numbers)):
            m.d.comb += [view.eq(share) for view, share in zip(views, narrow, strict=True)]
        for index, strip in enumerate(write.data):
            m.d.comb += strip.listed.eq(Mux(self.exclusive, port.new_listed, 1))
            for place, fresh in enumerate(strip.numbers):
                either = port.new_velocity[place] | mine.data[index * shapes.strip + place]
                # Nothing is lost: the number is zero, or a sum that `SHARE_WIDTH` bits hold.
                m.d.comb += fresh.eq(either.as_unsigned()[: len(fresh)].as_signed())
