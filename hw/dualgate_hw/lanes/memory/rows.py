# SPDX-License-Identifier: BSD-2-Clause

"""The row memories: master weights, which the MAC arrays also read, and velocity.

Lanes read and write whole rows. Whoever has the engine to himself works on strips, parts of a row
as wide as `EngineParameters.strip`; they are numbered through, one row's after the other's.
"""

from amaranth import Array, Cat, Module, Mux, Signal, signed
from amaranth.hdl import Value
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import MASTER_WIDTH, SHARE_WIDTH, VALUE_WIDTH

from ...common.delay import delay
from ...common.shapes import INDEX, MASTER, VELOCITY, Shapes, vector


class RowPort(wiring.Signature):
    """Access to strips, for the batch's end and the host; never while a sample is in flight.

    Members
    -------
    weights_from, velocity_from : strips to read; `weights` and `velocity` follow a cycle later
    weights_to, write_weights, new_weights : a strip of weights to write
    velocity_to, write_velocity, new_velocity : a strip of velocities to write; where several may
        write, their strips are joined by OR, and whoever does not write offers zeros
    """

    def __init__(self, shapes: Shapes) -> None:
        weights, velocity = vector(shapes.strip, MASTER), vector(shapes.strip, VELOCITY)
        super().__init__(
            {
                "weights_from": Out(shapes.strip_index),
                "velocity_from": Out(shapes.strip_index),
                "weights": In(weights),
                "velocity": In(velocity),
                "weights_to": Out(shapes.strip_index),
                "velocity_to": Out(shapes.strip_index),
                "write_weights": Out(1),
                "write_velocity": Out(1),
                "new_weights": Out(weights),
                "new_velocity": Out(velocity),
            }
        )


class CoreRows(wiring.Signature):
    """A core's side of `RowPort`: the upper half of its weights, and its own velocity.

    Members
    -------
    weights_from, velocity_from : strips to read; `upper` and `velocity` follow a cycle later
    weights_to, write_weights, new_upper : a strip of upper halves to write
    velocity_to, write_velocity, new_velocity : a strip of velocities to write
    """

    def __init__(self, shapes: Shapes) -> None:
        upper, velocity = vector(shapes.strip), vector(shapes.strip, VELOCITY)
        super().__init__(
            {
                "weights_from": Out(shapes.strip_index),
                "velocity_from": Out(shapes.strip_index),
                "upper": In(upper),
                "velocity": In(velocity),
                "weights_to": Out(shapes.strip_index),
                "velocity_to": Out(shapes.strip_index),
                "write_weights": Out(1),
                "write_velocity": Out(1),
                "new_upper": Out(upper),
                "new_velocity": Out(velocity),
            }
        )


def _chosen(m: Module, strip: Value, row: Value, shapes: Shapes) -> Value:
    """Of a row that was asked for a cycle ago, the strip that was."""
    width = len(row) // shapes.engine.strips
    turn = delay(m, strip[: shapes.strip_bits], 1)
    return Array(row.word_select(index, width) for index in range(shapes.engine.strips))[turn]


def _enables(shapes: Shapes, strip: Value, write: Value) -> Value:
    """Write enables of a row's strips."""
    strips = range(shapes.engine.strips)
    return Cat(write & (strip[: shapes.strip_bits] == index) for index in strips)


class CoreMemories(wiring.Component):
    """The rows that a core works on: upper halves of weights for its MAC arrays, and velocity.

    Parameters
    ----------
    shapes : Shapes
    readers : int
        MAC arrays that read weights; each has its own port.
    first : bool
        Whether it keeps the velocity between batches. Otherwise it has `SHARE_WIDTH` bits, which
        add up what a batch brings here; what is written to it is zero.

    Members
    -------
    rows, weight_rows : address and row of each MAC array, a cycle of latency
    velocity_read, velocity_write : the update lane's ports; its data are zero where it writes none
    port : strips for whoever has the engine to himself
    exclusive : whether `port` reads velocity and the first MAC array's weights
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
                "velocity_write": Out(shapes.write(depth, velocities)),
                "port": In(CoreRows(shapes)),
                "exclusive": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shapes, port = self.shapes, self.port
        depth = shapes.engine.rows
        shape = vector(shapes.neurons, VELOCITY if self.first else signed(SHARE_WIDTH))
        m.submodules.upper = upper = memory.Memory(shape=shapes.vector, depth=depth, init=[])
        m.submodules.velocity = velocity = memory.Memory(shape=shape, depth=depth, init=[])
        bits = shapes.strip_bits
        upper_write = upper.write_port(granularity=shapes.strip)
        # A block RAM has two ports in all: the last reader's is also where rows are written.
        writes_row = Signal(INDEX)
        m.d.comb += writes_row.eq(Mux(self.exclusive, port.weights_to[bits:], self.rows[-1]))
        for index, row in enumerate(self.rows):
            read = upper.read_port()
            m.d.comb += self.weight_rows[index].eq(read.data)
            if index == 0:
                m.d.comb += [
                    read.addr.eq(Mux(self.exclusive, port.weights_from[bits:], row)),
                    port.upper.as_value().eq(
                        _chosen(m, port.weights_from, read.data.as_value(), shapes)
                    ),
                ]
            else:
                m.d.comb += read.addr.eq(writes_row)
        read, write = velocity.read_port(), velocity.write_port(granularity=shapes.strip)
        wanted = Signal(vector(shapes.strip, shape.elem_shape))
        mine = self.velocity_write
        strips = _enables(shapes, port.velocity_to, port.write_velocity)
        m.d.comb += [
            upper_write.addr.eq(writes_row),
            upper_write.en.eq(
                _enables(shapes, port.weights_to, port.write_weights & self.exclusive)
            ),
            read.addr.eq(Mux(self.exclusive, port.velocity_from[bits:], self.velocity_read.addr)),
            wanted.as_value().eq(_chosen(m, port.velocity_from, read.data.as_value(), shapes)),
            write.addr.eq(Mux(self.exclusive, port.velocity_to[bits:], mine.addr)),
            write.en.eq(Mux(self.exclusive, strips, mine.en.replicate(len(strips)))),
        ]
        pairs = [(self.velocity_read.data, read.data), (port.velocity, wanted)]
        for views, narrow in pairs:
            m.d.comb += [view.eq(share) for view, share in zip(views, narrow, strict=True)]
        for neuron, fresh in enumerate(write.data):
            m.d.comb += upper_write.data[neuron].eq(port.new_upper[neuron % shapes.strip])
            either = port.new_velocity[neuron % shapes.strip] | mine.data[neuron]
            # Nothing is lost: it is zero, or what so many samples add up to.
            m.d.comb += fresh.eq(either.as_unsigned()[: len(fresh)].as_signed())
        return m


class SharedRows(wiring.Component):
    """The rows of all cores as one: master weights, and the sum of velocities.

    Every core keeps the upper halves of the weights for itself, all alike; the lower halves, which
    only a batch's end needs, are here. A velocity is written to the first core, and as zero to the
    others.

    Parameters
    ----------
    shapes : Shapes

    Members
    -------
    port : strips for whoever has the engine to himself
    cores : each core's rows
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        super().__init__(
            {
                "port": In(RowPort(shapes)),
                "cores": Out(CoreRows(shapes)).array(shapes.engine.cores),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shapes, port = self.shapes, self.port
        half = MASTER_WIDTH - VALUE_WIDTH
        m.submodules.lower = lower = memory.Memory(
            shape=vector(shapes.strip, half),
            depth=shapes.engine.rows * shapes.engine.strips,
            init=[],
        )
        read, write = lower.read_port(), lower.write_port()
        m.d.comb += [
            read.addr.eq(port.weights_from),
            write.addr.eq(port.weights_to),
            write.en.eq(port.write_weights),
        ]
        for core in self.cores:
            m.d.comb += [
                core.weights_from.eq(port.weights_from),
                core.velocity_from.eq(port.velocity_from),
                core.weights_to.eq(port.weights_to),
                core.write_weights.eq(port.write_weights),
                core.velocity_to.eq(port.velocity_to),
                core.write_velocity.eq(port.write_velocity),
            ]
        m.d.comb += self.cores[0].new_velocity.eq(port.new_velocity)
        for lane in range(shapes.strip):
            fresh = port.new_weights[lane].as_unsigned()
            velocities = [core.velocity[lane] for core in self.cores]
            m.d.comb += [
                port.weights[lane].eq(self.cores[0].upper[lane] << half | read.data[lane]),
                # What a batch adds up to fits a velocity, however it was shared out.
                port.velocity[lane].eq(sum(velocities[1:], velocities[0])),
                write.data[lane].eq(fresh[:half]),
            ]
            m.d.comb += [core.new_upper[lane].eq(fresh[half:]) for core in self.cores]
        return m
