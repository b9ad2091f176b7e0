# SPDX-License-Identifier: BSD-2-Clause

"""Narrowing of numbers: shifts, rounding, saturation, and a multiplier in front of them.

`dualgate.contract.formats` defines the results.
"""

from amaranth import Cat, Const, Module, Mux, Signal, signed
from amaranth.hdl import Value, ValueLike
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import VALUE_WIDTH

from .delay import delay
from .shapes import VALUE

ROUNDING_LATENCY = 4
"""Cycles from the operands of a `RoundingMultiplier` to its result."""

WINDOW = VALUE_WIDTH + 2
"""Bits that `round_off` narrows to 16.

One more at the bottom, for the half that rounding adds, and one more at the top, which tells
-32768 from -32769.
"""


def shift_right(
    m: Module, value: Value, amount: Value, width: int, lowest: int = 0
) -> tuple[Value, Value]:
    """Shift a signed value right by a variable amount and cut it to `width` bits.

    Parameters
    ----------
    m : Module
        Module that gets the shifter.
    value : Value
        Signed number.
    amount : Value
        Unsigned; the shift is ``amount << lowest`` places.
    width : int
        Bits of the result.
    lowest : int
        Place of the amount's lowest bit.

    Returns
    -------
    tuple of Value
        The signed result, and whether a bit above it was lost, so that the number does not fit.
    """
    shifted, lost = _shift(m, value, amount, width, lowest)
    return shifted, lost.any()


def _shift(
    m: Module, value: Value, amount: Value, width: int, lowest: int = 0
) -> tuple[Value, Value]:
    """Shift as `shift_right` does; returns flags of which at least one is set if a bit was lost.

    Copies of the sign do not count as lost bits. The result keeps the sign of `value` even if bits
    are lost. The largest steps come first, so that each stage carries only the bits that later
    stages can still reach; the bits that a stage leaves behind are compared with the sign there.
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
    """Shift as `shift_right` does, in two steps with a register between them.

    The lowest `fine` bits of the amount shift after the register, so the result comes a cycle
    later.
    """
    coarse = Signal(signed(width + (1 << fine) - 1))
    rest = Signal(fine)
    shifted, terms = _shift(m, value, amount[fine:], len(coarse), fine)
    # The flags are joined after the register, where there is time for it.
    coarse_lost = Signal.like(terms)
    m.d.sync += [coarse.eq(shifted), coarse_lost.eq(terms), rest.eq(amount[:fine])]
    shifted, lost = shift_right(m, coarse, rest, width)
    return shifted, coarse_lost.any() | lost


def saturate(
    value: Value, width: int, lost: ValueLike = 0, negative: Value | None = None
) -> tuple[Value, Value]:
    """Clip a signed value to `width` bits.

    A value fits if all its bits from the narrow sign upwards are equal, which takes no comparison.

    Parameters
    ----------
    value : Value
        Signed number.
    width : int
        Bits of the result.
    lost : ValueLike
        The number lost bits before it came here, and therefore does not fit.
    negative : Value, optional
        Sign of the number; needed where `lost` bits may have left another sign in `value`.

    Returns
    -------
    tuple of Value
        The signed result, and whether it was clipped.
    """
    bits = value.as_unsigned()
    spare = bits[width - 1 :]
    clipped = (spare.any() & ~spare.all()) | lost
    sign = bits[-1] if negative is None else negative
    bound = Cat((~sign).replicate(width - 1), sign)
    return Mux(clipped, bound, bits[:width]).as_signed(), clipped


def with_half(value: Value) -> Value:
    """Append a zero bit below `value`; a shift leaves the half there that `round_off` rounds by."""
    return Cat(Const(0, 1), value).as_signed()


def round_off(shifted: Value, lost: Value) -> tuple[Value, Value]:
    """Round and clip to 16 bits a number that was shifted `with_half`.

    Parameters
    ----------
    shifted : Value
        Signed number of `WINDOW` bits.
    lost : Value
        Whether the shift lost bits above it.

    Returns
    -------
    tuple of Value
        The signed result, and whether it was clipped.
    """
    return saturate((shifted + 1) >> 1, VALUE_WIDTH, lost, shifted[-1])


class RoundingMultiplier(wiring.Component):
    """A pipelined multiplier that computes ``saturate(round_shift(left * right, shift), 16)``.

    It takes operands in every cycle, and gives their result `ROUNDING_LATENCY` cycles later.

    Members
    -------
    `left` : In(signed(18))
        Left operand, as wide as that of a DSP block.
    `right` : In(signed(18))
        Right operand.
    `shift` : In(6)
        Number of places by which the product is shifted down, 0 to 63.
    `result` : Out(VALUE)
        The shifted, rounded and clipped product.
    `clipped` : Out(1)
        Whether `result` was clipped.
    """

    left: Signal
    right: Signal
    shift: Signal
    result: Signal
    clipped: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "left": In(signed(18)),
                "right": In(signed(18)),
                "shift": In(6),
                "result": Out(VALUE),
                "clipped": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        left = Signal(signed(18))
        right = Signal(signed(18))
        product = Signal(signed(36))
        m.d.sync += [left.eq(self.left), right.eq(self.right), product.eq(left * right)]
        # Most of the shift comes before the register, because rounding follows the register.
        shift = delay(m, self.shift, 2)
        narrowed, clipped = round_off(*shift_right_twice(m, with_half(product), shift, WINDOW, 2))
        m.d.sync += [self.result.eq(narrowed), self.clipped.eq(clipped)]
        return m
