"""The row memories: master weights, which the MAC arrays also read, and velocity."""

from amaranth import Module, Mux
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from dualgate.formats import MASTER_WIDTH, VALUE_WIDTH

from .layouts import INDEX, MASTER, VELOCITY, Shapes, vector


class RowPort(wiring.Signature):
    """Access to whole rows, for the batch's end and the host; never while a sample is in flight.

    Members
    -------
    row : row to read; `weights` and `velocity` follow a cycle later
    weights_row, write_weights, new_weights : a row of weights to write
    velocity_row, write_velocity, new_velocity : a row of velocities to write
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


class RowMemories(wiring.Component):
    """Weights in two halves, so that the MAC arrays read only the upper one, and velocity.

    Parameters
    ----------
    shapes : Shapes
    readers : int
        MAC arrays that read weights; each has its own port.

    Members
    -------
    rows, weight_rows : address and row of each MAC array, a cycle of latency
    velocity_read, velocity_write : the update lane's ports
    port : rows for whoever has the engine to himself
    exclusive : whether `port` reads velocity and the first MAC array's weights
    """

    def __init__(self, shapes: Shapes, readers: int) -> None:
        self.shapes = shapes
        self.readers = readers
        depth = shapes.engine.rows
        velocities = vector(shapes.neurons, VELOCITY)
        super().__init__(
            {
                "rows": In(INDEX).array(readers),
                "weight_rows": Out(shapes.vector).array(readers),
                "velocity_read": Out(shapes.read(depth, velocities)),
                "velocity_write": Out(shapes.write(depth, velocities)),
                "port": In(RowPort(shapes.neurons)),
                "exclusive": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shapes, port = self.shapes, self.port
        depth = shapes.engine.rows
        half = MASTER_WIDTH - VALUE_WIDTH
        shape = vector(shapes.neurons, VELOCITY)
        m.submodules.upper = upper = memory.Memory(shape=shapes.vector, depth=depth, init=[])
        m.submodules.lower = lower = memory.Memory(
            shape=vector(shapes.neurons, half), depth=depth, init=[]
        )
        m.submodules.velocity = velocity = memory.Memory(shape=shape, depth=depth, init=[])
        upper_write, lower_write = upper.write_port(), lower.write_port()
        lower_read = lower.read_port()
        reads = [upper.read_port() for _ in range(self.readers)]
        for index, read in enumerate(reads):
            m.d.comb += [
                read.addr.eq(
                    Mux(self.exclusive, port.row, self.rows[index])
                    if index == 0
                    else self.rows[index]
                ),
                self.weight_rows[index].eq(read.data),
            ]
        m.d.comb += lower_read.addr.eq(port.row)
        for lane in range(shapes.neurons):
            fresh = port.new_weights[lane].as_unsigned()
            m.d.comb += [
                port.weights[lane].eq(reads[0].data[lane] << half | lower_read.data[lane]),
                upper_write.data[lane].eq(fresh[half:]),
                lower_write.data[lane].eq(fresh[:half]),
            ]
        for write in (upper_write, lower_write):
            m.d.comb += [write.addr.eq(port.weights_row), write.en.eq(port.write_weights)]
        read, write = velocity.read_port(), velocity.write_port()
        m.d.comb += [
            read.addr.eq(Mux(self.exclusive, port.row, self.velocity_read.addr)),
            self.velocity_read.data.eq(read.data),
            port.velocity.eq(read.data),
        ]
        with m.If(self.exclusive):
            m.d.comb += [
                write.addr.eq(port.velocity_row),
                write.data.eq(port.new_velocity),
                write.en.eq(port.write_velocity),
            ]
        with m.Else():
            m.d.comb += [
                write.addr.eq(self.velocity_write.addr),
                write.data.eq(self.velocity_write.data),
                write.en.eq(self.velocity_write.en),
            ]
        return m
