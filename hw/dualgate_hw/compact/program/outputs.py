# SPDX-License-Identifier: BSD-2-Clause

"""Outputs: the response, and errors that become update scalars."""

from dualgate.contract.formats import UNIT_FRAC

from ..instructions import Action, AluOp, Condition
from .basics import Code, count_clipped, multiply, set_place, test_flag
from .data_memory import ROUNDS, SLOPED, Descriptor
from .softmax import divide, softmax


def outputs(code: Code) -> None:
    """Finishes a forward pass, one output after the other."""
    asm, memory = code.asm, code.memory
    asm.label("outputs")
    asm.load(memory.header, do=Action.SET_LOW)
    asm.load(Descriptor.outputs, do=Action.SEND)
    asm.load(Descriptor.activation_routine)
    asm.subtract(asm.constant("softmax"))
    asm.keep(store=memory.power)
    asm.go("begin_outputs", Condition.NOT_ZERO)
    softmax(code)
    asm.label("begin_outputs")
    asm.clear()
    asm.label("next_output")
    asm.keep(store=memory.unit)
    asm.keep(do=Action.SET_X)
    asm.load(memory.outputs)
    asm.keep(store=memory.value)
    asm.load(memory.power)
    asm.load(memory.value, go="reply", when=Condition.NOT_ZERO)
    divide(code)
    asm.label("reply")
    asm.keep(do=Action.REPLY)
    asm.load(memory.train)
    asm.go("no_error", Condition.ZERO)
    _error(code)
    asm.label("no_error")
    asm.increment(memory.unit, store=memory.unit)
    asm.subtract(Descriptor.outputs)
    asm.load(memory.unit, go="next_output", when=Condition.NOT_ZERO)
    asm.load(memory.train)
    asm.go("tangents", Condition.NOT_ZERO)
    asm.call("end_work")
    asm.go("command")


def _error(code: Code) -> None:
    """The error of an output, times its slope, times the rate: its update scalar."""
    asm, memory = code.asm, code.memory
    asm.load(0, do=Action.SET_SHIFT)
    asm.load(memory.unit, do=Action.SET_X)
    asm.load(memory.value)
    asm.subtract(memory.targets, do=Action.SET_NUMBER)
    asm.keep()
    asm.load(AluOp.NARROW)
    asm.keep(store=memory.value)
    count_clipped(code, "saturated_updates")
    test_flag(code, SLOPED)
    asm.go("rate", Condition.ZERO)
    set_place(code, memory.unit)
    asm.load(memory.value, do=Action.SET_SCALAR)
    multiply(code, memory.slopes, ROUNDS + UNIT_FRAC)
    asm.keep(store=memory.value)
    count_clipped(code, "saturated_updates")
    asm.label("rate")
    asm.load(memory.value, do=Action.SET_SCALAR)
    multiply(code, memory.rate, memory.rate_shift)
    asm.keep(store=memory.value)
    count_clipped(code, "saturated_updates")
    set_place(code, memory.unit)
    asm.load(memory.value)
    asm.keep(store=memory.updates)
