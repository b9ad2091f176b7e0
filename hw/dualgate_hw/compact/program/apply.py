# SPDX-License-Identifier: BSD-2-Clause

"""A batch's end: row after row, those that have a velocity."""

from dualgate.contract.formats import DIGIT_WIDTH

from ..instructions import Action, AluOp, Condition
from ..parts import DIGIT_PLANES
from .basics import Code, add_count, first_layer, first_rows, repeat_for_layers
from .data_memory import Descriptor
from .samples import OVERHEAD


def apply(code: Code) -> None:
    """APPLY. What a row's step is, `..batch_end` says."""
    asm, memory = code.asm, code.memory
    asm.label("apply")
    asm.load(memory.left)
    asm.go("length", Condition.NOT_ZERO)
    asm.load(OVERHEAD, do=Action.START_CYCLES)
    first_layer(code)
    asm.label("layer_end")
    asm.clear(store=memory.count)
    # A shift of whole digits, and a power of two.
    asm.load(1)
    asm.subtract(Descriptor.apply_shift)
    asm.label("next_digit")
    asm.go("in_digit", Condition.NOT_NEGATIVE)
    asm.keep(store=memory.shift)
    asm.increment(memory.count, store=memory.count)
    asm.load(memory.shift)
    asm.add(DIGIT_WIDTH, go="next_digit")
    asm.label("in_digit")
    asm.keep(do=Action.SET_X)
    asm.load(memory.powers)
    asm.keep(store=memory.power)
    first_rows(code)
    asm.load(Descriptor.groups)
    asm.label("group_end")
    asm.keep(store=memory.unit)
    asm.load(Descriptor.rows)
    asm.label("row_end")
    asm.keep(store=memory.entry)
    asm.load(memory.row, do=Action.SET_ROW)
    for plane in DIGIT_PLANES:
        asm.keep(do=Action.READ_ROW, plane=plane)
        asm.load(AluOp.ROW_NONZERO)
        asm.go("velocity", Condition.NOT_ZERO)
    asm.go("no_velocity")
    asm.label("velocity")
    asm.load(memory.count, do=Action.STEP_ROW)
    asm.keep(do=Action.WAIT)
    asm.load(AluOp.CLIPS)
    asm.go("no_velocity", Condition.ZERO)
    asm.keep(store=memory.value)
    add_count(code, "saturated_weights", memory.value)
    asm.label("no_velocity")
    asm.increment(memory.row, store=memory.row)
    asm.decrement(memory.entry)
    asm.go("row_end", Condition.NOT_ZERO)
    asm.decrement(memory.unit)
    asm.go("group_end", Condition.NOT_ZERO)
    repeat_for_layers(code, "layer_end", "end_apply")
    asm.label("end_apply")
    asm.call("end_work")
    asm.go("respond")
