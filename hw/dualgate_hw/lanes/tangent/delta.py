# SPDX-License-Identifier: BSD-2-Clause

"""A tag's end: its contracted sum becomes the update scalar of its unit."""

from amaranth import Cat, Const, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import VALUE_WIDTH

from ...common.delay import delay
from ...common.rounding import WINDOW, round_off, shift_right_twice, with_half
from ...common.shapes import VALUE, Shapes
from .layouts import FRAC

DELTA_LATENCY = 4
"""Cycles from `start` to `done`."""

SHIFT_MIN = -VALUE_WIDTH
SHIFT_MAX = 47
"""Beyond these a sum that is not zero saturates anyway, or rounds to zero."""


class DeltaUnit(wiring.Component):
    """``saturate(round_shift(delta, frac), 16)``, with frac clipped to -16..47.

    A negative frac is a left shift; the sum is moved up by 16 first, so that all shifts go right.

    Members
    -------
    start, delta, frac, slot : a tag's sum and its binary point relative to update scalars
    done, update, clipped, done_slot : `DELTA_LATENCY` cycles later
    """

    def __init__(self, shapes: Shapes, delta_width: int) -> None:
        self.delta_width = delta_width
        self.slot_width = shapes.slot
        super().__init__(
            {
                "start": In(1),
                "delta": In(signed(delta_width)),
                "frac": In(FRAC),
                "slot": In(shapes.slot),
                "done": Out(1),
                "update": Out(VALUE),
                "clipped": Out(1),
                "done_slot": Out(shapes.slot),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        amount = Signal(range(SHIFT_MAX - SHIFT_MIN + 1))
        delta = Signal(signed(self.delta_width))
        raised = Cat(Const(0, -SHIFT_MIN), delta).as_signed()
        narrowed, narrowed_lost = shift_right_twice(m, with_half(raised), amount, WINDOW, 3)
        shifted, lost = delay(m, narrowed, 1), delay(m, narrowed_lost, 1)
        update, clipped = round_off(shifted, lost)
        m.d.sync += [
            amount.eq(self.frac - SHIFT_MIN),
            delta.eq(self.delta),
            self.update.eq(update),
            self.clipped.eq(clipped),
        ]
        with m.If(self.frac < SHIFT_MIN):
            m.d.sync += amount.eq(0)
        with m.If(self.frac > SHIFT_MAX):
            m.d.sync += amount.eq(SHIFT_MAX - SHIFT_MIN)
        m.d.comb += [
            self.done.eq(delay(m, self.start, DELTA_LATENCY)),
            self.done_slot.eq(delay(m, self.slot, DELTA_LATENCY)),
        ]
        return m
