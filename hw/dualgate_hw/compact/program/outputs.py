# SPDX-License-Identifier: BSD-2-Clause

"""Outputs: the response to a sample, and errors that become update scalars."""

from dualgate.contract.formats import UNIT_FRAC

from ..instructions import Action, AluOp, Condition
from .basics import Code, count_clipped, multiply, set_place, test_flag
from .data_memory import ROUNDS, SLOPED, Descriptor
from .softmax import divide, softmax


def outputs(code: Code) -> None:
    """Finish the forward pass and respond, one output after the other.

    If the sample trains, each output also gets its update scalar, and the tangents follow.
    """
    asm, memory = code.asm, code.memory
    with asm.routine("outputs"):
        asm.load(memory.header, do=Action.SET_LOW)
        asm.load(Descriptor.outputs, do=Action.SEND)
        asm.load(Descriptor.activation_routine)
        asm.subtract(asm.cells.constant("softmax"))
        asm.keep(store=memory.power)
        asm.go("begin", Condition.NOT_ZERO)
        softmax(code)
        asm.label("begin")
        asm.clear()
        asm.label("next")
        asm.keep(store=memory.unit)
        asm.keep(do=Action.SET_X)
        asm.copy(memory.outputs, memory.value)
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
        asm.load(memory.unit, go="next", when=Condition.NOT_ZERO)
        asm.load(memory.train)
        asm.go("tangents", Condition.NOT_ZERO)
        asm.call("end_work")
        asm.go("command")


def _error(code: Code) -> None:
    """Compute an output's update scalar: its error, times its slope if so set, times the rate."""
    asm, memory = code.asm, code.memory
    with asm.block("error"):
        asm.load(0, do=Action.SET_SHIFT)
        asm.load(memory.unit, do=Action.SET_X)
        asm.load(memory.value)
        asm.subtract(memory.targets, do=Action.SET_NUMBER)
        asm.keep()
        asm.copy(AluOp.NARROW, memory.value)
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
        asm.copy(memory.value, memory.updates)
