# SPDX-License-Identifier: BSD-2-Clause

"""Activations: from a pre-activation, which is A and `value`, to `value` and the slope in A."""

from dualgate.contract.formats import UNIT_FRAC
from dualgate.contract.rules import LEAK_SHIFT, SIGMOID, TABLE_BITS, TANH, Activation

from ..instructions import Action, AluOp, Condition
from .basics import Code, multiply
from .data_memory import ROUNDS

ONE = 1 << UNIT_FRAC


def activation_rules(code: Code) -> None:
    """Each begins at its name and ends at `file`; see `dualgate.contract.rules`."""
    asm, memory = code.asm, code.memory
    asm.label("softmax")
    # So that it is another place than that of the identity.
    asm.keep()
    asm.label("identity")
    asm.load(ONE, go="file")
    asm.label("relu")
    asm.go("nothing", Condition.NEGATIVE)
    asm.go("identity", Condition.NOT_ZERO)
    asm.label("nothing")
    asm.clear(store=memory.value, go="file")
    asm.label("step")
    asm.go("below", Condition.NEGATIVE)
    asm.go("below", Condition.ZERO)
    asm.load(ONE)
    asm.keep(store=memory.value, go="file")
    asm.label("below")
    asm.clear(store=memory.value, go="identity")
    asm.label("leaky_relu")
    asm.go("leaks", Condition.NEGATIVE)
    asm.go("identity", Condition.NOT_ZERO)
    asm.label("leaks")
    asm.keep(do=Action.SET_NUMBER)
    asm.load(ROUNDS + LEAK_SHIFT, do=Action.SET_SHIFT)
    asm.load(AluOp.NARROW)
    asm.keep(store=memory.value)
    asm.load(ONE >> LEAK_SHIFT, go="file")
    _sigmoid(code)
    _tanh(code)
    _half_routine(code)


def _half(code: Code, activation: Activation) -> None:
    """A = what the table has of the pre-activation; `slope` is that of the curve."""
    asm = code.asm
    asm.label(activation.name)
    asm.load(ROUNDS + activation.index_shift, do=Action.SET_SHIFT)
    asm.call("half")


def _half_routine(code: Code) -> None:
    asm, memory = code.asm, code.memory
    last = (1 << TABLE_BITS) - 1
    asm.label("half")
    asm.load(memory.value, do=Action.SET_NUMBER)
    asm.go("magnitude", Condition.NOT_NEGATIVE)
    asm.subtract_from(0, do=Action.SET_NUMBER)
    asm.label("magnitude")
    asm.keep()
    asm.load(AluOp.NARROW)
    asm.keep(store=memory.power)
    asm.subtract(last)
    asm.go("in_table", Condition.NEGATIVE)
    asm.load(last)
    asm.keep(store=memory.power)
    asm.label("in_table")
    asm.load(memory.power)
    asm.keep()
    asm.load(AluOp.SIGMOID, do=Action.SET_SCALAR)
    asm.keep(store=memory.power)
    multiply(code, memory.power, ROUNDS + 16)
    asm.subtract_from(ONE)
    asm.keep(store=memory.slope)
    asm.load(memory.power)
    asm.go_back()


def _sigmoid(code: Code) -> None:
    asm, memory = code.asm, code.memory
    _half(code, SIGMOID)
    asm.load(memory.value)
    asm.go("upper", Condition.NOT_NEGATIVE)
    asm.load(memory.power)
    asm.subtract_from(0, go="lower")
    asm.label("upper")
    asm.load(memory.power)
    asm.label("lower")
    asm.keep(do=Action.SET_NUMBER)
    asm.load(ROUNDS + 16 - UNIT_FRAC, do=Action.SET_SHIFT)
    asm.load(AluOp.NARROW)
    # A half has no bits that the shift would lose.
    asm.add(ONE >> 1)
    asm.keep(store=memory.value)
    asm.load(memory.slope, go="file")


def _tanh(code: Code) -> None:
    asm, memory = code.asm, code.memory
    _half(code, TANH)
    asm.keep(do=Action.SET_NUMBER)
    asm.load(ROUNDS + 15 - UNIT_FRAC, do=Action.SET_SHIFT)
    asm.load(memory.value)
    asm.go("positive", Condition.NOT_NEGATIVE)
    asm.load(AluOp.NARROW)
    asm.subtract_from(0)
    asm.keep(store=memory.value)
    asm.load(memory.slope, go="file")
    asm.label("positive")
    asm.load(AluOp.NARROW)
    asm.keep(store=memory.value)
    asm.load(memory.slope, go="file")
