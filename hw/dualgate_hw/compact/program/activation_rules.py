# SPDX-License-Identifier: BSD-2-Clause

"""The activation routines: from a pre-activation to a value and a slope."""

from dualgate.contract.activations import (
    LEAK_SHIFT,
    SIGMOID,
    TABLE_BITS,
    TANH,
    Activation,
    check_all_here,
)
from dualgate.contract.formats import UNIT_FRAC

from ..instructions import Action, AluOp, Condition
from .basics import Code, multiply
from .data_memory import ROUNDS

ONE = 1 << UNIT_FRAC


def activation_rules(code: Code) -> None:
    """A routine for each activation of `dualgate.contract.activations`.

    It is entered with the pre-activation in A and `value`, and goes to `file` with the slope in A
    and the activation in `value`.

    Raises
    ------
    InputError
        If the table of activations has one without a routine.
    """
    asm, memory = code.asm, code.memory
    with asm.routine("softmax"):
        # Softmax leaves the pre-activation, as the identity does. This instruction makes its
        # position another one, by which `outputs` tells the two apart.
        asm.keep()
    with asm.routine("identity"):
        asm.load(ONE, go="file")
    with asm.routine("relu"):
        asm.go("off", Condition.NEGATIVE)
        asm.go("identity", Condition.NOT_ZERO)
        asm.label("off")
        asm.clear(store=memory.value, go="file")
    with asm.routine("step"):
        asm.go("off", Condition.NEGATIVE)
        asm.go("off", Condition.ZERO)
        asm.copy(ONE, memory.value, go="file")
        asm.label("off")
        asm.clear(store=memory.value, go="identity")
    with asm.routine("leaky_relu"):
        asm.go("leaks", Condition.NEGATIVE)
        asm.go("identity", Condition.NOT_ZERO)
        asm.label("leaks")
        asm.keep(do=Action.SET_NUMBER)
        asm.load(ROUNDS + LEAK_SHIFT, do=Action.SET_SHIFT)
        asm.copy(AluOp.NARROW, memory.value)
        asm.load(ONE >> LEAK_SHIFT, go="file")
    _sigmoid(code)
    _tanh(code)
    _half_routine(code)
    check_all_here(asm.entries, "dualgate_hw/compact/program/activation_rules.py")


def _half(code: Code, activation: Activation) -> None:
    """A = `power` = the table's entry for the magnitude of `value`; `slope` = the slope."""
    asm = code.asm
    asm.load(ROUNDS + activation.index_shift, do=Action.SET_SHIFT)
    asm.call("half")


def _half_routine(code: Code) -> None:
    """`half`: the routine that `_half` calls once the shift from value to index is set."""
    asm, memory = code.asm, code.memory
    last = (1 << TABLE_BITS) - 1
    with asm.routine("half"):
        asm.load(memory.value, do=Action.SET_NUMBER)
        asm.go("magnitude", Condition.NOT_NEGATIVE)
        asm.subtract_from(0, do=Action.SET_NUMBER)
        asm.label("magnitude")
        asm.keep()
        asm.copy(AluOp.NARROW, memory.power)
        asm.subtract(last)
        asm.go("in_table", Condition.NEGATIVE)
        asm.copy(last, memory.power)
        asm.label("in_table")
        asm.load(memory.power)
        # The table takes two cycles.
        asm.keep()
        asm.copy(AluOp.SIGMOID, memory.power, do=Action.SET_SCALAR)
        multiply(code, memory.power, ROUNDS + 16)
        asm.subtract_from(ONE)
        asm.keep(store=memory.slope)
        asm.load(memory.power)
        asm.go_back()


def _sigmoid(code: Code) -> None:
    asm, memory = code.asm, code.memory
    with asm.routine("sigmoid"):
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
        # One half is added after rounding: it has no bits below the binary point of the result.
        asm.add(ONE >> 1)
        asm.keep(store=memory.value)
        asm.load(memory.slope, go="file")


def _tanh(code: Code) -> None:
    asm, memory = code.asm, code.memory
    with asm.routine("tanh"):
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
        asm.copy(AluOp.NARROW, memory.value)
        asm.load(memory.slope, go="file")
