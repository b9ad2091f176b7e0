# SPDX-License-Identifier: BSD-2-Clause

"""Updates: the products of inputs and update scalars are added to the velocities."""

from ..instructions import Action, Condition
from .basics import Code, add_count, first_layer, first_rows, repeat_for_layers, test_flag
from .data_memory import FROZEN, Descriptor


def updates(code: Code) -> None:
    """Update the velocities, group after group, and end the sample.

    A group whose update scalars are all zero costs no rows, nor does a frozen layer.
    """
    asm, memory = code.asm, code.memory
    with asm.routine("updates"):
        first_layer(code)
        asm.label("next_layer")
        test_flag(code, FROZEN)
        asm.go("end_layer", Condition.NOT_ZERO)
        asm.copy(Descriptor.unit_base, memory.place)
        first_rows(code)
        asm.load(Descriptor.groups)
        asm.label("next_group")
        asm.keep(store=memory.unit)
        _update_group(code)
        asm.load(memory.place)
        asm.add(code.neurons)
        asm.keep(store=memory.place)
        asm.load(memory.row)
        asm.add(Descriptor.rows)
        asm.keep(store=memory.row)
        asm.decrement(memory.unit)
        asm.go("next_group", Condition.NOT_ZERO)
        asm.label("end_layer")
        repeat_for_layers(code, "next_layer", "done")
        asm.label("done")
        asm.call("end_work")
        asm.go("command")


def _update_group(code: Code) -> None:
    """Make the update scalars at `place` the lanes' factors and, unless all are zero, update."""
    asm, memory = code.asm, code.memory
    with asm.block("update_group"):
        asm.clear(store=memory.value)
        # The last lane's scalar comes first, because each further one moves it up by a lane.
        asm.load(code.neurons - 1)
        asm.label("next_scalar")
        asm.keep(store=memory.lane)
        asm.add(memory.place, do=Action.SET_X)
        asm.load(memory.updates, do=Action.PUSH_FACTOR)
        asm.go("zero", Condition.ZERO)
        asm.keep(store=memory.value)
        asm.label("zero")
        asm.decrement(memory.lane)
        asm.go("next_scalar", Condition.NOT_NEGATIVE)
        asm.load(memory.value)
        asm.go("updated", Condition.ZERO)
        asm.load(memory.row, do=Action.SET_ROW)
        asm.load(Descriptor.list, do=Action.SET_PLACE)
        asm.load(Descriptor.count, do=Action.OUTER_PRODUCT)
        add_count(code, "update_rows", Descriptor.count)
        asm.keep(do=Action.WAIT)
        asm.label("updated")
