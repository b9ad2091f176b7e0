# SPDX-License-Identifier: BSD-2-Clause

"""The delta unit: it narrows a tag's contracted sum to the update scalar of the tag's unit."""

from amaranth import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import VALUE_WIDTH

from ...common.delay import delay
from ...common.rounding import WINDOW, round_off, shift_right_twice, with_half
from ...common.shapes import VALUE, Shapes
from .layouts import FRAC, delta_sum

DELTA_LATENCY = 4
"""Cycles from `start` to `done`."""

SHIFT_MIN = -VALUE_WIDTH
SHIFT_MAX = 47
"""Shifts beyond which every nonzero sum saturates, or every sum rounds to zero."""


class DeltaUnit(wiring.Component):
    """``saturate(round_shift(delta, frac), 16)``, with `frac` clipped to -16..47.

    A negative `frac` is a shift to the left. The sum is first moved up by 16 places, so that every
    shift goes to the right. The unit is pipelined: it takes a sum in every cycle and gives its
    update scalar `DELTA_LATENCY` cycles later.

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.

    Members
    -------
    `start` : In(1)
        Pulse: the other inputs are valid.
    `delta` : In(delta_sum(shapes))
        The tag's sum.
    `frac` : In(FRAC)
        Binary point of the sum relative to that of update scalars.
    `slot` : In(shapes.slot)
        Slot of the tag.
    `done` : Out(1)
        `start`, `DELTA_LATENCY` cycles later; the other outputs are valid.
    `update` : Out(VALUE)
        The update scalar.
    `clipped` : Out(1)
        Whether the update scalar saturated.
    `done_slot` : Out(shapes.slot)
        Slot of the tag.
    """

    def __init__(self, shapes: Shapes) -> None:
        super().__init__(
            {
                "start": In(1),
                "delta": In(delta_sum(shapes)),
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
        delta = Signal.like(self.delta)
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
