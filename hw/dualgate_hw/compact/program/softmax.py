# SPDX-License-Identifier: BSD-2-Clause

"""Softmax's powers and the reciprocal of their sum, see `rules.softmax_rule`."""

from dualgate.contract.formats import UNIT_FRAC
from dualgate.contract.rules import EXP_TABLE, SOFTMAX

from ..instructions import Action, AluOp, Condition
from .basics import Code, take_sum
from .data_memory import ROUNDS, Descriptor

TOP = 1 << 15

HALF = 1 << 14
"""Operand that stands for half of 2**15, see `divide`."""

QUOTIENT_BITS = 16


def softmax(code: Code) -> None:
    """Outputs become powers; `reciprocal` and `shift` are what a power is divided by."""
    asm, memory = code.asm, code.memory
    asm.load(-TOP)
    asm.keep(store=memory.largest)
    asm.clear()
    asm.label("next_largest")
    asm.keep(store=memory.unit)
    asm.keep(do=Action.SET_X)
    asm.load(memory.outputs)
    asm.subtract(memory.largest)
    asm.go("not_larger", Condition.NEGATIVE)
    asm.load(memory.outputs)
    asm.keep(store=memory.largest)
    asm.label("not_larger")
    asm.increment(memory.unit, store=memory.unit)
    asm.subtract(Descriptor.outputs)
    asm.load(memory.unit, go="next_largest", when=Condition.NOT_ZERO)
    _powers(code)
    _reciprocal(code)


def _powers(code: Code) -> None:
    asm, memory = code.asm, code.memory
    asm.clear(store=memory.low)
    asm.clear(store=memory.high)
    asm.load(ROUNDS + SOFTMAX.index_shift, do=Action.SET_SHIFT)
    asm.clear()
    asm.label("next_power")
    asm.keep(store=memory.unit)
    asm.keep(do=Action.SET_X)
    asm.load(memory.largest)
    asm.subtract(memory.outputs, do=Action.SET_NUMBER)
    asm.keep()
    asm.load(AluOp.NARROW)
    asm.subtract(len(EXP_TABLE))
    asm.go("tiny", Condition.NOT_NEGATIVE)
    # Less a power of two that the table's addresses do not have.
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
    asm.load(memory.unit, go="next_power", when=Condition.NOT_ZERO)


def _reciprocal(code: Code) -> None:
    """``2**47 / sum``, the sum moved up to its 32nd bit; less 2**16, which only one half has."""
    asm, memory = code.asm, code.memory
    low, high = memory.low, memory.high
    rest_low, rest_high = memory.rest_low, memory.rest_high
    # A bit less of the sum's length for each place it moves.
    asm.load(ROUNDS + 32 + 15 - UNIT_FRAC)
    asm.keep(store=memory.shift)
    asm.label("next_place")
    asm.load(high)
    asm.go("moved", Condition.NEGATIVE)
    asm.load(low)
    asm.add(low, store=low)
    asm.load(high)
    asm.add_carry(high, store=high)
    asm.decrement(memory.shift, store=memory.shift, go="next_place")
    asm.label("moved")
    asm.clear(store=memory.reciprocal)
    asm.clear(store=rest_low)
    asm.load(high)
    asm.subtract(TOP)
    asm.go("divides", Condition.NOT_ZERO)
    asm.load(low)
    asm.go("divided", Condition.ZERO)
    asm.label("divides")
    asm.load(TOP)
    asm.keep(store=rest_high)
    asm.load(QUOTIENT_BITS)
    asm.label("next_bit_of_quotient")
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
    asm.go("next_bit_of_quotient", Condition.NOT_ZERO)
    asm.label("divided")


def divide(code: Code) -> None:
    """A = a power, which is A, times the reciprocal; products are of signed 16-bit numbers.

    With p the power less 2**15, r the reciprocal less 2**16, both signed, and h = 2**14, it is
    ``p * r + 4 * (p * h) + 2 * (h * r) + 8 * (h * h)``.
    """
    asm, memory = code.asm, code.memory
    asm.add(TOP, do=Action.SET_SCALAR)
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
