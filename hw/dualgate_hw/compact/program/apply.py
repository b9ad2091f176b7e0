# SPDX-License-Identifier: BSD-2-Clause

"""APPLY: at a batch's end every row that has a velocity takes its step."""

from dualgate.contract.formats import DIGIT_WIDTH

from ..instructions import Action, AluOp, Condition
from ..parts import DIGIT_PLANES
from .basics import Code, add_count, first_layer, first_rows, repeat_for_layers
from .data_memory import Descriptor
from .samples import OVERHEAD


def apply(code: Code) -> None:
    """Step every row whose velocity is not zero; `RowStepLoop` says what a row's step is."""
    asm, memory = code.asm, code.memory
    with asm.routine("apply"):
        asm.load(memory.left)
        asm.go("length", Condition.NOT_ZERO)
        asm.load(OVERHEAD, do=Action.START_CYCLES)
        first_layer(code)
        asm.label("next_layer")
        _split_shift(code)
        first_rows(code)
        asm.load(Descriptor.groups)
        asm.label("next_group")
        asm.keep(store=memory.unit)
        asm.load(Descriptor.rows)
        asm.label("next_row")
        asm.keep(store=memory.entry)
        _step_row(code)
        asm.increment(memory.row, store=memory.row)
        asm.decrement(memory.entry)
        asm.go("next_row", Condition.NOT_ZERO)
        asm.decrement(memory.unit)
        asm.go("next_group", Condition.NOT_ZERO)
        repeat_for_layers(code, "next_layer", "done")
        asm.label("done")
        asm.call("end_work")
        asm.go("respond")


def _split_shift(code: Code) -> None:
    """Split the layer's shift: `power` is a power of two to multiply by, `count` whole digits."""
    asm, memory = code.asm, code.memory
    with asm.block("split_shift"):
        asm.clear(store=memory.count)
        asm.load(1)
        asm.subtract(Descriptor.apply_shift)
        asm.label("next_digit")
        asm.go("within_digit", Condition.NOT_NEGATIVE)
        asm.keep(store=memory.shift)
        asm.increment(memory.count, store=memory.count)
        asm.load(memory.shift)
        asm.add(DIGIT_WIDTH, go="next_digit")
        asm.label("within_digit")
        asm.keep(do=Action.SET_X)
        asm.copy(memory.powers, memory.power)


def _step_row(code: Code) -> None:
    """Step the row at `row`, unless all digits of its velocity are zero; count what is clipped."""
    asm, memory = code.asm, code.memory
    with asm.block("step_row"):
        asm.load(memory.row, do=Action.SET_ROW)
        for plane in DIGIT_PLANES:
            asm.keep(do=Action.READ_ROW, plane=plane)
            asm.load(AluOp.ROW_NONZERO)
            asm.go("has_velocity", Condition.NOT_ZERO)
        asm.go("stepped")
        asm.label("has_velocity")
        asm.load(memory.count, do=Action.STEP_ROW)
        asm.keep(do=Action.WAIT)
        asm.load(AluOp.CLIPS)
        asm.go("stepped", Condition.ZERO)
        asm.keep(store=memory.value)
        add_count(code, "saturated_weights", memory.value)
        asm.label("stepped")
