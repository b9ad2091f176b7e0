# SPDX-License-Identifier: BSD-2-Clause

"""The row memories of all cores as one, for the end of a batch and the host."""

from amaranth import Module
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import MASTER_WIDTH, VALUE_WIDTH

from ...common.shapes import Shapes, vector
from .row_ports import CoreRowPort, RowPort

LOWER_WIDTH = MASTER_WIDTH - VALUE_WIDTH
"""Bits of the lower half of a weight."""


class SharedRows(wiring.Component):
    """The rows of all cores as one memory: master weights, and the sum of the velocities.

    Every core has a copy of the upper halves of the weights. The lower halves, which only the end
    of a batch needs, are in this component. A velocity is written to the first core, and zero to
    the others.

    Parameters
    ----------
    shapes : Shapes
        Shapes of the engine.

    Members
    -------
    `port` : In(RowPort(shapes))
        Access to strips, in use only while no sample is in flight.
    `cores` : Out(CoreRowPort(shapes)).array(cores)
        Access to the rows of each core.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        super().__init__(
            {
                "port": In(RowPort(shapes)),
                "cores": Out(CoreRowPort(shapes)).array(shapes.engine.cores),
            }
        )
        self._lower = memory.Memory(
            shape=vector(shapes.strip, LOWER_WIDTH),
            depth=shapes.engine.rows * shapes.engine.strips,
            init=[],
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shapes, port = self.shapes, self.port
        half = LOWER_WIDTH
        m.submodules.lower = lower = self._lower
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
        m.d.comb += [
            self.cores[0].new_velocity.eq(port.new_velocity),
            self.cores[0].new_listed.eq(port.new_listed),
        ]
        for lane in range(shapes.strip):
            fresh = port.new_weights[lane].as_unsigned()
            velocities = [core.velocity[lane] for core in self.cores]
            m.d.comb += [
                port.weights[lane].eq(self.cores[0].upper[lane] << half | read.data[lane]),
                # The sum of a batch fits a velocity, whichever cores its samples went to.
                port.velocity[lane].eq(sum(velocities[1:], velocities[0])),
                write.data[lane].eq(fresh[:half]),
            ]
            m.d.comb += [core.new_upper[lane].eq(fresh[half:]) for core in self.cores]
        return m
