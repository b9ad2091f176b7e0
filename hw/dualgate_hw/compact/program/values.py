# SPDX-License-Identifier: BSD-2-Clause

"""Values: z = W^T a, activations and slopes, a layer after the other."""

from ..instructions import Action, AluOp, Condition
from .basics import Code, count_clipped, dot_product, first_rows, next_layer, set_place, test_flag
from .data_memory import LAST, Descriptor


def values(code: Code) -> None:
    """Fills the lists of the hidden layers, all slopes, and the outputs' values."""
    asm, memory = code.asm, code.memory
    asm.clear(store=memory.layer)
    asm.clear(store=memory.mask)
    asm.load(1)
    asm.keep(store=memory.bit)
    asm.label("layer_values")
    first_rows(code)
    asm.load(Descriptor.next_list)
    asm.keep(store=memory.end)
    asm.clear(store=memory.unit)
    asm.label("group_values")
    dot_product(code, Descriptor.list, Descriptor.count, "value_rows")
    asm.label("unit_value")
    asm.load(Descriptor.z_shift, do=Action.SET_SHIFT)
    asm.load(memory.unit, do=Action.SET_LANE)
    asm.keep()
    asm.load(AluOp.NARROW)
    asm.keep(store=memory.value)
    count_clipped(code, "saturated_values")
    asm.load(Descriptor.activation_routine, do=Action.SET_LINK)
    asm.load(memory.value)
    asm.go_back()
    asm.label("file")
    asm.keep(store=memory.slope)
    _mask(code)
    _file(code)
    asm.increment(memory.unit, store=memory.unit)
    asm.subtract(Descriptor.outputs)
    asm.go("end_values", Condition.ZERO)
    asm.load(memory.unit)
    asm.mask(code.neurons - 1)
    asm.go("unit_value", Condition.NOT_ZERO)
    asm.go("group_values")
    asm.label("end_values")
    test_flag(code, LAST)
    asm.go("outputs", Condition.NOT_ZERO)
    _bias(code)
    asm.go("layer_values")


def _mask(code: Code) -> None:
    """A hidden unit that is left out has neither value nor slope."""
    asm, memory = code.asm, code.memory
    asm.load(memory.masking)
    asm.go("not_masked", Condition.ZERO)
    test_flag(code, LAST)
    asm.go("not_masked", Condition.NOT_ZERO)
    asm.load(memory.mask, do=Action.SET_X)
    asm.load(memory.bit)
    asm.mask(memory.masks[0])
    asm.go("next_bit", Condition.NOT_ZERO)
    asm.clear(store=memory.value)
    asm.clear(store=memory.slope)
    asm.label("next_bit")
    asm.call("mask_bit")
    asm.label("not_masked")


def mask_bit_routine(code: Code) -> None:
    """Go on to the next bit of the masks."""
    asm, memory = code.asm, code.memory
    asm.label("mask_bit")
    asm.load(memory.bit)
    asm.add(memory.bit, store=memory.bit)
    asm.go("next_half", Condition.ZERO)
    asm.go_back()
    asm.label("next_half")
    asm.increment(memory.bit, store=memory.bit)
    asm.increment(memory.mask, store=memory.mask)
    asm.go_back()


def _file(code: Code) -> None:
    """A slope, and an entry of the list, or an output."""
    asm, memory = code.asm, code.memory
    set_place(code, memory.unit)
    asm.load(memory.slope)
    asm.keep(store=memory.slopes)
    test_flag(code, LAST)
    asm.go("file_output", Condition.NOT_ZERO)
    asm.load(memory.value)
    asm.go("filed", Condition.ZERO)
    asm.load(memory.end, do=Action.SET_PLACE)
    asm.load(memory.unit, do=Action.SET_INDEX)
    asm.load(memory.value, do=Action.PUT_ENTRY)
    asm.increment(memory.end, store=memory.end, go="filed")
    asm.label("file_output")
    asm.load(memory.unit, do=Action.SET_X)
    asm.load(memory.value)
    asm.keep(store=memory.outputs)
    asm.label("filed")


def _bias(code: Code) -> None:
    """Ends the list that was written, with which the next layer begins."""
    asm, memory = code.asm, code.memory
    asm.call("mask_bit")
    asm.load(memory.end, do=Action.SET_PLACE)
    asm.load(Descriptor.outputs, do=Action.SET_INDEX)
    next_layer(code)
    asm.load(Descriptor.bias, do=Action.PUT_ENTRY)
    asm.load(AluOp.PLACE)
    asm.subtract(Descriptor.list)
    asm.keep(store=Descriptor.count)
