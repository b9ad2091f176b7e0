# SPDX-License-Identifier: BSD-2-Clause

"""The loop of dot products: sums of products of a list's entries with the rows they select."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .parts import Control, Places, Plane


class DotProductLoop(wiring.Component):
    """Adds up the products of a list's entries with rows of weights, an entry a cycle.

    ::

        place -> entry -> address of the row, scalar -> operands -> sums
        cycle 1  2                                      3           4

    The loop is busy for ``count + 3`` cycles, counted from the one after `start`.

    Parameters
    ----------
    places : Places
        Sizes of the engine's memories.

    Members
    -------
    `start` : In(1)
        Clears the sums and starts the loop. Must be low while `busy`.
    `count` : In(places.shapes.unit)
        Number of entries; sampled with `start`. Zero only clears the sums.
    `control` : Out(Control(places))
        Control of the shared datapath.
    `entry` : In(places.shapes.entry)
        Entry at the current place.
    `busy` : Out(1)
        High until the sums are complete.
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        super().__init__(
            {
                "start": In(1),
                "count": In(places.shapes.unit),
                "control": Out(Control(places)),
                "entry": In(places.shapes.entry),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        control = self.control
        left = Signal.like(self.count)
        reads, loads, steps = Signal(), Signal(), Signal()
        scalar = Signal.like(control.scalar)
        m.d.comb += [
            control.clear.eq(self.start),
            control.next.eq(left != 0),
            control.indexed.eq(reads),
            control.read.eq(reads),
            control.load_row.eq(loads),
            control.load_scalar.eq(loads),
            control.step.eq(steps),
            self.busy.eq((left != 0) | reads | loads | steps),
        ]
        with m.If(reads):
            m.d.comb += control.plane.eq(Plane.UPPER)
        with m.If(loads):
            m.d.comb += control.scalar.eq(scalar)
        m.d.sync += [
            reads.eq(left != 0),
            loads.eq(reads),
            steps.eq(loads),
            scalar.eq(self.entry.value),
        ]
        with m.If(left != 0):
            m.d.sync += left.eq(left - 1)
        with m.If(self.start):
            m.d.sync += left.eq(self.count)
        return m
