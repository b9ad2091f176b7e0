"""A multiplier with a rounding shift behind it: one narrowing, as `formats` defines it."""

from amaranth import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from dualgate.formats import VALUE_WIDTH

from .layouts import VALUE, delay

ROUNDING_LATENCY = 4
"""Cycles from `start` to `done`."""


class RoundingMultiplier(wiring.Component):
    """``saturate(round_shift(left * right, shift), 16)``, pipelined.

    Members
    -------
    start : a new product begins
    left, right : 18 bits each, as wide as a DSP block's operands
    shift : 0 to 63
    done : high `ROUNDING_LATENCY` cycles after `start`
    result, clipped : valid with `done` and until the next one
    """

    start: Signal
    left: Signal
    right: Signal
    shift: Signal
    done: Signal
    result: Signal
    clipped: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "start": In(1),
                "left": In(signed(18)),
                "right": In(signed(18)),
                "shift": In(6),
                "done": Out(1),
                "result": Out(VALUE),
                "clipped": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        left = Signal(signed(18))
        right = Signal(signed(18))
        product = Signal(signed(36))
        rounded = Signal(signed(65))
        shift = [Signal(6, name=f"shift_{stage}") for stage in range(3)]
        limit = 1 << (VALUE_WIDTH - 1)
        m.d.comb += self.done.eq(delay(m, self.start, ROUNDING_LATENCY))
        m.d.sync += [
            left.eq(self.left),
            right.eq(self.right),
            product.eq(left * right),
            rounded.eq(product + ((1 << shift[1]) >> 1)),
            shift[0].eq(self.shift),
            shift[1].eq(shift[0]),
            shift[2].eq(shift[1]),
        ]
        narrowed = rounded >> shift[2]
        with m.If(delay(m, self.start, ROUNDING_LATENCY - 1)):
            m.d.sync += [self.result.eq(narrowed), self.clipped.eq(0)]
            for beyond, bound in ((narrowed > limit - 1, limit - 1), (narrowed < -limit, -limit)):
                with m.If(beyond):
                    m.d.sync += [self.result.eq(bound), self.clipped.eq(1)]
        return m
