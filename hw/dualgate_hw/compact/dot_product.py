# SPDX-License-Identifier: BSD-2-Clause

"""Walks along a list: sums of products of its entries with the rows that belong to them."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .parts import Control, Places, Plane


class DotProductLoop(wiring.Component):
    """Adds up the products of a list's entries with rows.

    ::

        entry's place -> entry -> row's address, scalar -> operands -> sums
        cycle 1                2                           3            4

    An entry a cycle: ``count + 3`` cycles from the one after `start` to the last that is `busy`.

    Parameters
    ----------
    places : Places

    Members
    -------
    start, count : sums begin at zero; entries
    control : what it asks for
    entry : at the place that is set
    busy : sums are not complete
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
