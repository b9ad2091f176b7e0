# SPDX-License-Identifier: BSD-2-Clause

"""Values: z = W^T a, activations and slopes, a layer after the other."""

from ..instructions import Action, AluOp, Condition
from .basics import (
    Code,
    count_clipped,
    dot_product,
    first_rows,
    next_layer,
    set_place,
    test_flag,
)
from .data_memory import LAST, Descriptor


def values(code: Code) -> None:
    """Compute the lists of the hidden layers, all slopes, and the outputs' values.

    A unit's activation routine comes back to `file` with the slope in A.
    """
    asm, memory = code.asm, code.memory
    with asm.block("values"):
        asm.clear(store=memory.layer)
        asm.clear(store=memory.mask)
        asm.copy(1, memory.bit)
        asm.label("next_layer")
        first_rows(code)
        asm.copy(Descriptor.next_list, memory.end)
        asm.clear(store=memory.unit)
        asm.label("next_group")
        dot_product(code, Descriptor.list, Descriptor.count, "value_rows")
        asm.label("next_unit")
        asm.load(Descriptor.z_shift, do=Action.SET_SHIFT)
        asm.load(memory.unit, do=Action.SET_LANE)
        # The narrowed sum is valid from the second instruction after SET_LANE on.
        asm.keep()
        asm.copy(AluOp.NARROW, memory.value)
        count_clipped(code, "saturated_values")
        asm.load(Descriptor.activation_routine, do=Action.SET_LINK)
        asm.load(memory.value)
        asm.go_back()
        asm.entry("file")
        asm.keep(store=memory.slope)
        _mask(code)
        _file(code)
        asm.increment(memory.unit, store=memory.unit)
        asm.subtract(Descriptor.outputs)
        asm.go("end_layer", Condition.ZERO)
        asm.load(memory.unit)
        asm.mask(code.neurons - 1)
        asm.go("next_unit", Condition.NOT_ZERO)
        asm.go("next_group")
        asm.label("end_layer")
        test_flag(code, LAST)
        asm.go("outputs", Condition.NOT_ZERO)
        _end_list(code)
        asm.go("next_layer")


def _mask(code: Code) -> None:
    """Clear the value and the slope of a hidden unit that the masks leave out."""
    asm, memory = code.asm, code.memory
    with asm.block("mask"):
        asm.load(memory.masking)
        asm.go("done", Condition.ZERO)
        test_flag(code, LAST)
        asm.go("done", Condition.NOT_ZERO)
        asm.load(memory.mask, do=Action.SET_X)
        asm.load(memory.bit)
        asm.mask(memory.masks[0])
        asm.go("next_bit", Condition.NOT_ZERO)
        asm.clear(store=memory.value)
        asm.clear(store=memory.slope)
        asm.label("next_bit")
        asm.call("mask_bit")
        asm.label("done")


def mask_bit_routine(code: Code) -> None:
    """`mask_bit`: move on to the next bit of the masks."""
    asm, memory = code.asm, code.memory
    with asm.routine("mask_bit"):
        asm.load(memory.bit)
        asm.add(memory.bit, store=memory.bit)
        asm.go("next_half", Condition.ZERO)
        asm.go_back()
        asm.label("next_half")
        asm.increment(memory.bit, store=memory.bit)
        asm.increment(memory.mask, store=memory.mask)
        asm.go_back()


def _file(code: Code) -> None:
    """Store a unit's slope, and its value: as an entry if it is not zero, or as an output."""
    asm, memory = code.asm, code.memory
    with asm.block("file"):
        set_place(code, memory.unit)
        asm.copy(memory.slope, memory.slopes)
        test_flag(code, LAST)
        asm.go("output", Condition.NOT_ZERO)
        asm.load(memory.value)
        asm.go("filed", Condition.ZERO)
        asm.load(memory.end, do=Action.SET_PLACE)
        asm.load(memory.unit, do=Action.SET_INDEX)
        asm.load(memory.value, do=Action.PUT_ENTRY)
        asm.increment(memory.end, store=memory.end, go="filed")
        asm.label("output")
        asm.load(memory.unit, do=Action.SET_X)
        asm.copy(memory.value, memory.outputs)
        asm.label("filed")


def _end_list(code: Code) -> None:
    """End the list that was written with the bias, and make the next layer the current one."""
    asm, memory = code.asm, code.memory
    asm.call("mask_bit")
    asm.load(memory.end, do=Action.SET_PLACE)
    asm.load(Descriptor.outputs, do=Action.SET_INDEX)
    next_layer(code)
    asm.load(Descriptor.bias, do=Action.PUT_ENTRY)
    asm.load(AluOp.PLACE)
    asm.subtract(Descriptor.list)
    asm.keep(store=Descriptor.count)
