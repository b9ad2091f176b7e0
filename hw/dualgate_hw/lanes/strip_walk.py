# SPDX-License-Identifier: BSD-2-Clause

"""The walk of the weight step: the strips of all touched rows, or of all rows of the network."""

from amaranth import Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ..common.shapes import LAYER, Shapes
from .memory.touched_rows import touched_row


class StripWalk(wiring.Component):
    """Names strip after strip, each for `period` cycles, row after row.

    The rows are those in the list of touched rows. If the list is incomplete they are all rows of
    the network, layer after layer, for each of which two cycles pass without a strip. The first
    strip follows `start` by 2 cycles, or by 3 without the list.

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.
    period : int
        Number of cycles for a strip.
    drain : int
        Number of cycles after those of the last strip until `done`.

    Members
    -------
    `start` : In(1)
        Pulse that starts the walk.
    `done` : Out(1)
        Pulse at its end.
    `idle` : Out(1)
        No walk is in progress.
    `complete` : In(1)
        Whether the list is complete, with `start`.
    `touched` : In(stream of touched_row(shapes))
        The list, from the cycle after `start` on.
    `index` : Out(range(layers))
        Index of the wanted layer descriptor.
    `layer` : In(LAYER)
        The descriptor, one cycle after its `index`.
    `strip` : Out(shapes.strip_index)
        The strip.
    `shift` : Out(LAYER["apply_shift"])
        Shift from its velocities to master weights.
    `reads` : Out(1)
        Pulse in the first cycle of each strip.
    """

    def __init__(self, shapes: Shapes, period: int, drain: int) -> None:
        self.shapes = shapes
        self.period = period
        self.drain = drain
        super().__init__(
            {
                "start": In(1),
                "done": Out(1),
                "idle": Out(1),
                "complete": In(1),
                "touched": In(stream.Signature(touched_row(shapes))),
                "index": Out(range(shapes.engine.layers)),
                "layer": In(LAYER),
                "strip": Out(shapes.strip_index),
                "shift": Out(LAYER["apply_shift"].shape),
                "reads": Out(1),
            }
        )
        self._left = Signal(unsigned(32), name="left")

    def elaborate(self, platform: object) -> Module:
        m = Module()
        bits = self.shapes.strip_bits
        strip, left = self.strip, self._left
        listed = Signal()
        last = Signal()
        phase = Signal(range(max(2, self.period)))
        drained = Signal(range(self.drain))
        with m.FSM() as fsm:
            with m.State("IDLE"):
                m.d.sync += [self.index.eq(0), drained.eq(0), listed.eq(self.complete)]
                with m.If(self.start):
                    m.next = "FETCH"
                    with m.If(self.complete):
                        m.next = "LISTED"
            with m.State("FETCH"):
                m.next = "LAYER"
            with m.State("LAYER"):
                m.d.sync += [
                    self.shift.eq(self.layer.apply_shift),
                    last.eq(self.layer.last),
                    strip.eq(self.layer.weight_base << bits),
                    left.eq(self.layer.groups * (self.layer.inputs + 1) << bits),
                ]
                m.next = "STRIPS"
            with m.State("LISTED"):
                self._take_row(m)
            with m.State("STRIPS"):
                m.d.comb += self.reads.eq(phase == 0)
                m.d.sync += phase.eq(phase + 1)
                with m.If(phase == self.period - 1):
                    m.d.sync += [phase.eq(0), strip.eq(strip + 1), left.eq(left - 1)]
                    with m.If((left == 1) & listed):
                        self._take_row(m)
                    with m.Elif(left == 1):
                        m.d.sync += self.index.eq(self.index + 1)
                        m.next = "FETCH"
                        with m.If(last):
                            m.next = "DRAIN"
            with m.State("DRAIN"):
                m.d.sync += drained.eq(drained + 1)
                with m.If(drained == self.drain - 1):
                    m.d.comb += self.done.eq(1)
                    m.next = "IDLE"
        m.d.comb += self.idle.eq(fsm.ongoing("IDLE"))
        return m

    def _take_row(self, m: Module) -> None:
        """Go to the first strip of the next touched row, or to the end after the last row."""
        row = self.touched.payload
        m.d.comb += self.touched.ready.eq(1)
        m.d.sync += [
            self.shift.eq(row.shift),
            self.strip.eq(row.row << self.shapes.strip_bits),
            self._left.eq(self.shapes.engine.strips),
        ]
        m.next = "DRAIN"
        with m.If(self.touched.valid):
            m.next = "STRIPS"
