"""The row memories: master weights, which the MAC arrays also read, and velocity."""

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from dualgate.formats import MASTER_WIDTH, SHARE_WIDTH, VALUE_WIDTH

from .layouts import INDEX, MASTER, VELOCITY, Shapes, vector


class RowPort(wiring.Signature):
    """Access to whole rows, for the batch's end and the host; never while a sample is in flight.

    Members
    -------
    row : row to read; `weights` and `velocity` follow a cycle later
    weights_row, write_weights, new_weights : a row of weights to write
    velocity_row, write_velocity, new_velocity : a row of velocities to write; where several may
        write, their rows are joined by OR, and whoever does not write offers zeros
    """

    def __init__(self, neurons: int) -> None:
        weights, velocity = vector(neurons, MASTER), vector(neurons, VELOCITY)
        super().__init__(
            {
                "row": Out(INDEX),
                "weights": In(weights),
                "velocity": In(velocity),
                "weights_row": Out(INDEX),
                "velocity_row": Out(INDEX),
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
    row : row to read; `upper` and `velocity` follow a cycle later
    weights_row, write_weights, new_upper : a row of upper halves to write
    velocity_row, write_velocity, new_velocity : a row of velocities to write
    """

    def __init__(self, neurons: int) -> None:
        upper, velocity = vector(neurons), vector(neurons, VELOCITY)
        super().__init__(
            {
                "row": Out(INDEX),
                "upper": In(upper),
                "velocity": In(velocity),
                "weights_row": Out(INDEX),
                "velocity_row": Out(INDEX),
                "write_weights": Out(1),
                "write_velocity": Out(1),
                "new_upper": Out(upper),
                "new_velocity": Out(velocity),
            }
        )


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
    port : rows for whoever has the engine to himself
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
                "port": In(CoreRows(shapes.neurons)),
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
        upper_write = upper.write_port()
        # A block RAM has two ports in all: the last reader's is also where rows are written.
        writes_row = Signal(INDEX)
        m.d.comb += writes_row.eq(Mux(self.exclusive, port.weights_row, self.rows[-1]))
        for index, row in enumerate(self.rows):
            read = upper.read_port()
            m.d.comb += self.weight_rows[index].eq(read.data)
            if index == 0:
                m.d.comb += [
                    read.addr.eq(Mux(self.exclusive, port.row, row)),
                    port.upper.eq(read.data),
                ]
            else:
                m.d.comb += read.addr.eq(writes_row)
        read, write = velocity.read_port(), velocity.write_port()
        m.d.comb += [
            upper_write.addr.eq(writes_row),
            upper_write.data.eq(port.new_upper),
            upper_write.en.eq(port.write_weights & self.exclusive),
            read.addr.eq(Mux(self.exclusive, port.row, self.velocity_read.addr)),
            *(
                view[neuron].eq(velocity)
                for view in (self.velocity_read.data, port.velocity)
                for neuron, velocity in enumerate(read.data)
            ),
        ]
        mine = self.velocity_write
        m.d.comb += [
            write.addr.eq(Mux(self.exclusive, port.velocity_row, mine.addr)),
            write.en.eq(Mux(self.exclusive, port.write_velocity, mine.en)),
        ]
        for neuron, fresh in enumerate(write.data):
            either = port.new_velocity[neuron] | mine.data[neuron]
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
    port : rows for whoever has the engine to himself
    cores : each core's rows
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        super().__init__(
            {
                "port": In(RowPort(shapes.neurons)),
                "cores": Out(CoreRows(shapes.neurons)).array(shapes.engine.cores),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        port = self.port
        half = MASTER_WIDTH - VALUE_WIDTH
        m.submodules.lower = lower = memory.Memory(
            shape=vector(self.shapes.neurons, half), depth=self.shapes.engine.rows, init=[]
        )
        read, write = lower.read_port(), lower.write_port()
        m.d.comb += [
            read.addr.eq(port.row),
            write.addr.eq(port.weights_row),
            write.en.eq(port.write_weights),
        ]
        for core in self.cores:
            m.d.comb += [
                core.row.eq(port.row),
                core.weights_row.eq(port.weights_row),
                core.write_weights.eq(port.write_weights),
                core.velocity_row.eq(port.velocity_row),
                core.write_velocity.eq(port.write_velocity),
            ]
        m.d.comb += self.cores[0].new_velocity.eq(port.new_velocity)
        for neuron in range(self.shapes.neurons):
            fresh = port.new_weights[neuron].as_unsigned()
            velocities = [core.velocity[neuron] for core in self.cores]
            m.d.comb += [
                port.weights[neuron].eq(self.cores[0].upper[neuron] << half | read.data[neuron]),
                # What a batch adds up to fits a velocity, however it was shared out.
                port.velocity[neuron].eq(sum(velocities[1:], velocities[0])),
                write.data[neuron].eq(fresh[:half]),
            ]
            m.d.comb += [core.new_upper[neuron].eq(fresh[half:]) for core in self.cores]
        return m
