# SPDX-License-Identifier: BSD-2-Clause

"""Access to single weights and velocities, for memories that hold strips of rows."""

from amaranth import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from ...common.shapes import INDEX, MASTER, VELOCITY, Shapes, vector


class RowAccessPort(wiring.Signature):
    """Access to one weight or velocity after the other, only while no sample is in flight.

    Rows are read and written whole, their lanes in order from 0.

    Parameters
    ----------
    neurons : int
        N, the number of lanes of a row.

    Members
    -------
    `row` : Out(INDEX)
        Row of the number.
    `lane` : Out(range(neurons))
        Lane of the number in its row.
    `wide` : Out(1)
        The number is a velocity; otherwise it is a weight, in the lowest 32 bits.
    `read` : Out(1)
        Requests the number; stays high until `done`.
    `write` : Out(1)
        Requests that `new_number` be written; stays high until `done`.
    `new_number` : Out(VELOCITY)
        Number to write.
    `number` : In(VELOCITY)
        Number that was requested, valid with `done`.
    `done` : In(1)
        The request is complete; meaningful only during a request.
    """

    def __init__(self, neurons: int) -> None:
        super().__init__(
            {
                "row": Out(INDEX),
                "lane": Out(range(neurons)),
                "wide": Out(1),
                "read": Out(1),
                "write": Out(1),
                "new_number": Out(VELOCITY),
                "number": In(VELOCITY),
                "done": In(1),
            }
        )


class RowAccess(wiring.Component):
    """Single numbers of memories that are read and written a strip at a time.

    The component collects a strip before it writes the strip, and shows the numbers of a strip that
    it has read until the last one is taken. A number takes two cycles to write and one to read; the
    first number of a strip takes two more to read.

    Parameters
    ----------
    shapes : Shapes
        Shapes of the engine.

    Members
    -------
    `port` : In(RowAccessPort(shapes.neurons))
        Port of the client.
    `strip` : Out(shapes.strip_index)
        Strip to read or write.
    `weights` : In(vector(shapes.strip, MASTER))
        Weights of that strip, two cycles later.
    `velocity` : In(vector(shapes.strip, VELOCITY))
        Velocities of that strip, two cycles later.
    `write_weights` : Out(1)
        Writes `new_strip` as weights.
    `write_velocity` : Out(1)
        Writes `new_strip` as velocities.
    `new_strip` : Out(vector(shapes.strip, VELOCITY))
        Strip to write; zero when none is being collected or written.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        super().__init__(
            {
                "port": In(RowAccessPort(shapes.neurons)),
                "strip": Out(shapes.strip_index),
                "weights": In(vector(shapes.strip, MASTER)),
                "velocity": In(vector(shapes.strip, VELOCITY)),
                "write_weights": Out(1),
                "write_velocity": Out(1),
                "new_strip": Out(vector(shapes.strip, VELOCITY)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        port = self.port
        lane = port.lane[: ceil_log2(self.shapes.strip)]
        strip = port.lane[len(lane) :]
        new_strip = self.new_strip.as_value()
        last = lane == self.shapes.strip - 1
        collects = Signal()
        stored = Signal()
        with m.If(collects):
            m.d.sync += new_strip.eq(Cat(new_strip[VELOCITY.width :], port.new_number))
        with m.If(stored):
            m.d.sync += new_strip.eq(0)
        m.d.comb += self.strip.eq(Cat(strip, port.row))
        # AND masks and OR gates: they take fewer LUTs than a multiplexer.
        shown = Const(0, VELOCITY.width)
        for index in range(self.shapes.strip):
            mine = lane == index
            velocity = self.velocity[index].as_unsigned()
            weight = self.weights[index].as_unsigned()
            shown |= velocity & (mine & port.wide).replicate(VELOCITY.width)
            shown |= weight & (mine & ~port.wide).replicate(MASTER.width)
        m.d.comb += port.number.eq(shown)
        with m.FSM():
            with m.State("IDLE"):
                with m.If(port.write):
                    m.d.comb += collects.eq(1)
                    m.next = "TAKEN"
                    with m.If(last):
                        m.next = "STORE"
                with m.If(port.read):
                    m.next = "LOAD"
            # `done` has a state of its own, so that no path leads from a request to the answer.
            with m.State("TAKEN"):
                m.d.comb += port.done.eq(1)
                m.next = "IDLE"
            with m.State("STORE"):
                m.d.comb += [
                    self.write_weights.eq(~port.wide),
                    self.write_velocity.eq(port.wide),
                    port.done.eq(1),
                    stored.eq(1),
                ]
                m.next = "IDLE"
            with m.State("LOAD"):
                m.next = "SHOW"
            with m.State("SHOW"):
                m.d.comb += port.done.eq(1)
                with m.If(port.read & last):
                    m.next = "IDLE"
        return m
