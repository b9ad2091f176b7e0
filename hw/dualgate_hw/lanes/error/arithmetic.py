# SPDX-License-Identifier: BSD-2-Clause

"""The arithmetic of an output: its value for the response, its error and its update scalar."""

from amaranth import Module, Mux, Signal, signed
from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import UNIT_FRAC, VALUE_WIDTH

from ...common.delay import delay
from ...common.rounding import ROUNDING_LATENCY, RoundingMultiplier, saturate
from ...common.shapes import OUTPUT, SETTINGS, VALUE
from .softmax import POWER_BITS, RECIPROCAL_BITS

VALUE_LATENCY = 1 + ROUNDING_LATENCY
"""Cycles from the data of an output to its value."""

SCALAR_LATENCY = VALUE_LATENCY + ROUNDING_LATENCY
"""Cycles from the data of an output to its update scalar."""


class OutputArithmetic(wiring.Component):
    """Computes an output a cycle, on two multipliers; it never waits.

    ::

                value, target -> error, slope -> * -----------------> * rate -> update scalar
        softmax:        power, reciprocal ----> * -> value -> error -> * rate -> update scalar
        cycle                 1                 5                     9

    A layer of softmax has no slopes, so the first multiplier serves either the reciprocal or the
    slope. Where neither is a factor, it multiplies by one.

    Parameters
    ----------
    sum_bits : int
        Bits of the sum of powers, as in `Softmax`.

    Members
    -------
    `output` : In(OUTPUT)
        Value and slope of an output.
    `target` : In(VALUE)
        Its target.
    `power` : In(POWER_BITS)
        Its power, where `softmax`.
    `softmax` : In(1)
        The layer's activation is softmax. Like the members below it is constant while outputs are
        in progress.
    `sloped` : In(1)
        Errors are multiplied by slopes.
    `settings` : In(SETTINGS)
        The component uses the rate.
    `reciprocal` : In(RECIPROCAL_BITS)
        The reciprocal of the sum of powers; it may change 2 cycles after the last output.
    `bits` : In(range(sum_bits + 1))
        The bit length of that sum; it may change as `reciprocal` may.
    `value` : Out(VALUE)
        The output's value, `VALUE_LATENCY` cycles later.
    `error_clipped` : Out(1)
        Whether the output's error was clipped, `VALUE_LATENCY` cycles later.
    `scalar` : Out(VALUE)
        The output's update scalar, `SCALAR_LATENCY` cycles later.
    `scalar_clipped` : Out(1)
        Whether it was clipped.
    """

    def __init__(self, sum_bits: int) -> None:
        super().__init__(
            {
                "output": In(OUTPUT),
                "target": In(VALUE),
                "power": In(POWER_BITS),
                "softmax": In(1),
                "sloped": In(1),
                "settings": In(SETTINGS),
                "reciprocal": In(RECIPROCAL_BITS),
                "bits": In(range(sum_bits + 1)),
                "value": Out(VALUE),
                "error_clipped": Out(1),
                "scalar": Out(VALUE),
                "scalar_clipped": Out(1),
            }
        )
        self._share = RoundingMultiplier()
        self._rate = RoundingMultiplier()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.share = share = self._share
        m.submodules.rate = rate = self._rate
        # A block RAM takes most of a cycle: its data is registered before any arithmetic.
        value = Signal(VALUE)
        slope = Signal(VALUE)
        target = Signal(VALUE)
        power = Signal(POWER_BITS)
        m.d.sync += [
            value.eq(self.output.value),
            slope.eq(self.output.slope),
            target.eq(self.target),
            power.eq(self.power),
        ]
        error, clipped = self._error(m, value, target)
        m.d.comb += [
            share.left.eq(error),
            share.right.eq(Mux(self.sloped, slope, 1 << UNIT_FRAC)),
            share.shift.eq(UNIT_FRAC),
        ]
        with m.If(self.softmax):
            m.d.comb += [
                share.left.eq(power),
                share.right.eq(self.reciprocal),
                share.shift.eq(self.bits + (15 - UNIT_FRAC)),
            ]
        kept = delay(m, Mux(self.softmax, target, value), ROUNDING_LATENCY)
        late_error, late_clipped = self._error(m, share.result, kept)
        m.d.comb += [
            self.value.eq(Mux(self.softmax, share.result, kept)),
            self.error_clipped.eq(
                Mux(self.softmax, late_clipped, delay(m, clipped, ROUNDING_LATENCY))
            ),
            rate.left.eq(Mux(self.softmax, late_error, share.result)),
            rate.right.eq(self.settings.rate_mantissa),
            rate.shift.eq(self.settings.rate_shift),
            self.scalar.eq(rate.result),
            self.scalar_clipped.eq(rate.clipped),
        ]
        return m

    def _error(self, m: Module, value: Value, target: Value) -> tuple[Value, Value]:
        """Return output minus target, saturated to 16 bits, and whether it was clipped."""
        difference = Signal(signed(VALUE_WIDTH + 1), name="difference")
        m.d.comb += difference.eq(value - target)
        return saturate(difference, VALUE_WIDTH)
