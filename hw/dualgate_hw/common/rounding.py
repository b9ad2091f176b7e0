# SPDX-License-Identifier: BSD-2-Clause

"""Narrowing, as `formats` defines it: shifts, saturation, and a multiplier before both."""

from amaranth import Cat, Const, Module, Mux, Signal, signed
from amaranth.hdl import Value, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import VALUE_WIDTH

from .delay import delay
from .shapes import VALUE

ROUNDING_LATENCY = 4
"""Cycles from `start` to `done`."""


WINDOW = VALUE_WIDTH + 2
"""Bits of which `round_off` makes 16: a half below, and above what tells -32768 from one less."""


def shift_right(
    m: Module, value: Value, amount: Value, width: int, lowest: int = 0
) -> tuple[Value, Value]:
    """``value >> (amount << lowest)`` as `width` bits, signed, and whether any was lost for it."""
    shifted, lost = _shift(m, value, amount, width, lowest)
    return shifted, lost.any()


def _shift(
    m: Module, value: Value, amount: Value, width: int, lowest: int = 0
) -> tuple[Value, Value]:
    """`shift_right`, and bits of which one is set if any bit was lost.

    Copies of the sign do not count, and the sign stays even if others are lost. The largest steps
    come first, so that each stage carries only what the ones after it can reach; what a stage
    leaves behind is compared with the sign there.
    """
    steps = [1 << place for place in range(lowest, lowest + len(amount))]
    reach = width + sum(steps)
    negative = value[-1]
    bits = Cat(value, negative.replicate(max(0, reach - len(value))))
    lost = [(bits[reach:] ^ negative.replicate(len(bits) - reach)).any()]
    result = Signal(reach, name="stage")
    m.d.comb += result.eq(bits)
    for step, shifts in reversed(list(zip(steps, amount, strict=True))):
        reach -= step
        behind = result[reach:] ^ negative.replicate(step)
        lost.append(behind.any() & ~shifts)
        shifted = Signal(reach, name=f"stage_{step}")
        m.d.comb += shifted.eq(Mux(shifts, result[step:], result))
        result = shifted
    lost.append(result[-1] ^ negative)
    return Cat(result[:-1], negative).as_signed(), Cat(lost)


def shift_right_twice(
    m: Module, value: Value, amount: Value, width: int, fine: int
) -> tuple[Value, Value]:
    """`shift_right`, a cycle later: the lowest `fine` places of the amount after a register."""
    coarse = Signal(signed(width + (1 << fine) - 1))
    rest = Signal(fine)
    shifted, terms = _shift(m, value, amount[fine:], len(coarse), fine)
    # What was lost is found where there is time for it.
    coarse_lost = Signal.like(terms)
    m.d.sync += [coarse.eq(shifted), coarse_lost.eq(terms), rest.eq(amount[:fine])]
    shifted, lost = shift_right(m, coarse, rest, width)
    return shifted, coarse_lost.any() | lost


def saturate(
    value: Value, width: int, lost: ValueLike = 0, negative: Value | None = None
) -> tuple[Value, Value]:
    """`value`, signed, clipped to `width` bits, and whether it was.

    It fits if all bits from the narrow sign upwards are alike, which takes no comparison. What has
    `lost` bits on its way does not; its sign may be another one than is seen, and is `negative`.
    """
    bits = value.as_unsigned()
    spare = bits[width - 1 :]
    clipped = (spare.any() & ~spare.all()) | lost
    sign = bits[-1] if negative is None else negative
    bound = Cat((~sign).replicate(width - 1), sign)
    return Mux(clipped, bound, bits[:width]).as_signed(), clipped


def with_half(value: Value) -> Value:
    """`value` with a place below it, where a shift leaves the half that `round_off` rounds by."""
    return Cat(Const(0, 1), value).as_signed()


def round_off(shifted: Value, lost: Value) -> tuple[Value, Value]:
    """16 bits of a number that was shifted `with_half`, rounded and clipped; and whether it was."""
    return saturate((shifted + 1) >> 1, VALUE_WIDTH, lost, shifted[-1])


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
        m.d.comb += self.done.eq(delay(m, self.start, ROUNDING_LATENCY))
        m.d.sync += [left.eq(self.left), right.eq(self.right), product.eq(left * right)]
        # Most of the shift comes before the register, because rounding comes after it.
        shift = delay(m, self.shift, 2)
        narrowed, clipped = round_off(*shift_right_twice(m, with_half(product), shift, WINDOW, 2))
        with m.If(delay(m, self.start, ROUNDING_LATENCY - 1)):
            m.d.sync += [self.result.eq(narrowed), self.clipped.eq(clipped)]
        return m
