# SPDX-License-Identifier: BSD-2-Clause

"""Softmax: powers and the reciprocal of their sum, see `activations.softmax_rule`."""

from dualgate.contract.activations import EXP_TABLE, SOFTMAX
from dualgate.contract.formats import UNIT_FRAC

from ..instructions import Action, AluOp, Condition
from .basics import Code, take_sum
from .data_memory import ROUNDS, Descriptor

TOP = 1 << 15

HALF = 1 << 14
"""Operand h of `divide`, half of 2**15."""

QUOTIENT_BITS = 16


def softmax(code: Code) -> None:
    """Replace `outputs` by powers; set `reciprocal` and `shift`, by which `divide` divides."""
    asm, memory = code.asm, code.memory
    with asm.block("largest"):
        asm.copy(-TOP, memory.largest)
        asm.clear()
        asm.label("next")
        asm.keep(store=memory.unit)
        asm.keep(do=Action.SET_X)
        asm.load(memory.outputs)
        asm.subtract(memory.largest)
        asm.go("not_larger", Condition.NEGATIVE)
        asm.copy(memory.outputs, memory.largest)
        asm.label("not_larger")
        asm.increment(memory.unit, store=memory.unit)
        asm.subtract(Descriptor.outputs)
        asm.load(memory.unit, go="next", when=Condition.NOT_ZERO)
    _powers(code)
    _reciprocal(code)


def _powers(code: Code) -> None:
    """Replace `outputs` by powers, unsigned, and add them up in `low` and `high`."""
    asm, memory = code.asm, code.memory
    with asm.block("powers"):
        asm.clear(store=memory.low)
        asm.clear(store=memory.high)
        asm.load(ROUNDS + SOFTMAX.index_shift, do=Action.SET_SHIFT)
        asm.clear()
        asm.label("next")
        asm.keep(store=memory.unit)
        asm.keep(do=Action.SET_X)
        asm.load(memory.largest)
        asm.subtract(memory.outputs, do=Action.SET_NUMBER)
        asm.keep()
        asm.load(AluOp.NARROW)
        asm.subtract(len(EXP_TABLE))
        asm.go("tiny", Condition.NOT_NEGATIVE)
        # A is the index minus the table's length, a power of two: the lower bits, which address the
        # table, are those of the index, and have been in A for two instructions.
        asm.load(AluOp.EXP, go="power")
        asm.label("tiny")
        asm.clear()
        asm.label("power")
        asm.keep(store=memory.outputs)
        asm.add(memory.low, store=memory.low)
        asm.clear()
        asm.add_carry(memory.high, store=memory.high)
        asm.increment(memory.unit, store=memory.unit)
        asm.subtract(Descriptor.outputs)
        asm.load(memory.unit, go="next", when=Condition.NOT_ZERO)


def _reciprocal(code: Code) -> None:
    """Compute `reciprocal`, ``2**47 / sum - 2**16``, the sum shifted up to have its 32nd bit set.

    The quotient is at least 2**15 and, but for a sum of 2**31, less than 2**16. Read as a signed
    number, its 16 bits are the quotient minus 2**16. For a sum of 2**31 that is zero, and nothing
    is divided.
    """
    asm, memory = code.asm, code.memory
    low, high = memory.low, memory.high
    with asm.block("reciprocal"):
        # The final shift is one less for each place by which the sum is shifted up.
        asm.copy(ROUNDS + 32 + 15 - UNIT_FRAC, memory.shift)
        asm.label("next_place")
        asm.load(high)
        asm.go("shifted", Condition.NEGATIVE)
        asm.load(low)
        asm.add(low, store=low)
        asm.load(high)
        asm.add_carry(high, store=high)
        asm.decrement(memory.shift, store=memory.shift, go="next_place")
        asm.label("shifted")
        asm.clear(store=memory.reciprocal)
        asm.clear(store=memory.rest_low)
        asm.load(high)
        asm.subtract(TOP)
        asm.go("divide", Condition.NOT_ZERO)
        asm.load(low)
        asm.go("divided", Condition.ZERO)
        asm.label("divide")
        _long_division(code)
        asm.label("divided")


def _long_division(code: Code) -> None:
    """Divide 2**47 by the sum, bit by bit; `reciprocal` takes the lower 16 bits of the quotient."""
    asm, memory = code.asm, code.memory
    low, high = memory.low, memory.high
    rest_low, rest_high = memory.rest_low, memory.rest_high
    with asm.block("long_division"):
        asm.copy(TOP, rest_high)
        asm.load(QUOTIENT_BITS)
        asm.label("next_bit")
        asm.keep(store=memory.count)
        asm.load(memory.reciprocal)
        asm.add(memory.reciprocal, store=memory.reciprocal)
        asm.load(rest_low)
        asm.add(rest_low, store=rest_low)
        asm.load(rest_high)
        asm.add_carry(rest_high, store=rest_high)
        asm.go("fits", Condition.CARRY)
        asm.load(rest_low)
        asm.subtract(low)
        asm.load(rest_high)
        asm.subtract_borrow(high)
        asm.go("fits", Condition.CARRY)
        asm.go("does_not_fit")
        asm.label("fits")
        asm.load(rest_low)
        asm.subtract(low)
        asm.keep(store=rest_low)
        asm.load(rest_high)
        asm.subtract_borrow(high)
        asm.keep(store=rest_high)
        asm.increment(memory.reciprocal, store=memory.reciprocal)
        asm.label("does_not_fit")
        asm.decrement(memory.count)
        asm.go("next_bit", Condition.NOT_ZERO)


def divide(code: Code) -> None:
    """A = `value` = the power in A times the reciprocal.

    The multipliers take signed 16-bit numbers. With p the power less 2**15, r the reciprocal less
    2**16, both signed, and h = 2**14, the product is
    ``p * r + 4 * (p * h) + 2 * (h * r) + 8 * (h * h)``.
    """
    asm, memory = code.asm, code.memory
    asm.add(TOP, do=Action.SET_SCALAR)
    # A list without entries clears the sums.
    asm.clear(do=Action.DOT_PRODUCT)
    asm.load(memory.reciprocal, do=Action.ACCUMULATE)
    asm.load(HALF, do=Action.ACCUMULATE)
    for _ in range(3):
        asm.keep(do=Action.ACCUMULATE)
    asm.load(HALF, do=Action.SET_SCALAR)
    for _ in range(8):
        asm.keep(do=Action.ACCUMULATE)
    asm.load(memory.reciprocal, do=Action.ACCUMULATE)
    asm.keep(do=Action.ACCUMULATE)
    asm.keep()
    take_sum(code, memory.shift)
    asm.keep(store=memory.value)
