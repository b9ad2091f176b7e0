"""Narrowing, as `formats` defines it: shifts, saturation, and a multiplier before both."""

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from dualgate.formats import VALUE_WIDTH

from .layouts import VALUE, delay

ROUNDING_LATENCY = 4
"""Cycles from `start` to `done`."""


def shift_right(value: Value, amount: Value, width: int) -> Value:
    """The lowest `width` bits of ``value >> amount``, signed.

    The largest steps come first, so that each stage carries only what the ones after it can reach.
    """
    reach = width + (1 << len(amount)) - 1
    bits = value.as_unsigned()
    result = Cat(bits, value[-1].replicate(max(0, reach - len(value))))[:reach]
    for place in reversed(range(len(amount))):
        reach -= 1 << place
        result = Mux(amount[place], result[1 << place :][:reach], result[:reach])
    return result.as_signed()


def saturate(value: Value, width: int) -> tuple[Value, Value]:
    """`value`, signed, clipped to `width` bits, and whether it was.

    It fits if all bits from the narrow sign upwards are alike, which takes no comparison.
    """
    bits = value.as_unsigned()
    spare = bits[width - 1 :]
    clipped = spare.any() & ~spare.all()
    bound = Cat((~bits[-1]).replicate(width - 1), bits[-1])
    return Mux(clipped, bound, bits[:width]).as_signed(), clipped


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
        rounded = Signal(signed(len(product) + 1))
        # A product shifted by its length or more rounds to zero.
        most = len(product)
        coarse = 4
        shift = [Signal(range(most + 1), name=f"shift_{stage}") for stage in range(3)]
        m.d.comb += self.done.eq(delay(m, self.start, ROUNDING_LATENCY))
        m.d.sync += [
            left.eq(self.left),
            right.eq(self.right),
            product.eq(left * right),
            rounded.eq((product + ((1 << shift[1]) >> 1)) >> (shift[1][coarse:] << coarse)),
            shift[0].eq(Mux(self.shift > most, most, self.shift)),
            shift[1].eq(shift[0]),
            shift[2].eq(shift[1]),
        ]
        narrowed, clipped = saturate(rounded >> shift[2][:coarse], VALUE_WIDTH)
        with m.If(delay(m, self.start, ROUNDING_LATENCY - 1)):
            m.d.sync += [self.result.eq(narrowed), self.clipped.eq(clipped)]
        return m
