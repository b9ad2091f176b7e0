# SPDX-License-Identifier: BSD-2-Clause

"""Updates: velocities take the products of inputs and update scalars, a group after the other."""

from ..instructions import Action, Condition
from .basics import Code, add_count, first_layer, first_rows, repeat_for_layers, test_flag
from .data_memory import FROZEN, Descriptor


def updates(code: Code) -> None:
    """A group whose update scalars are all zero costs no row, nor does a frozen layer."""
    asm, memory = code.asm, code.memory
    asm.label("updates")
    first_layer(code)
    asm.label("layer_updates")
    test_flag(code, FROZEN)
    asm.go("end_updates", Condition.NOT_ZERO)
    asm.load(Descriptor.unit_base)
    asm.keep(store=memory.place)
    first_rows(code)
    asm.load(Descriptor.groups)
    asm.label("group_updates")
    asm.keep(store=memory.unit)
    asm.clear(store=memory.value)
    # The last lane's first: it is moved on by the others.
    asm.load(code.neurons - 1)
    asm.label("lane_update")
    asm.keep(store=memory.lane)
    asm.add(memory.place, do=Action.SET_X)
    asm.load(memory.updates, do=Action.PUSH_FACTOR)
    asm.go("no_update", Condition.ZERO)
    asm.keep(store=memory.value)
    asm.label("no_update")
    asm.decrement(memory.lane)
    asm.go("lane_update", Condition.NOT_NEGATIVE)
    asm.load(memory.value)
    asm.go("updated", Condition.ZERO)
    asm.load(memory.row, do=Action.SET_ROW)
    asm.load(Descriptor.list, do=Action.SET_PLACE)
    asm.load(Descriptor.count, do=Action.OUTER_PRODUCT)
    add_count(code, "update_rows", Descriptor.count)
    asm.keep(do=Action.WAIT)
    asm.label("updated")
    asm.load(memory.place)
    asm.add(code.neurons)
    asm.keep(store=memory.place)
    asm.load(memory.row)
    asm.add(Descriptor.rows)
    asm.keep(store=memory.row)
    asm.decrement(memory.unit)
    asm.go("group_updates", Condition.NOT_ZERO)
    asm.label("end_updates")
    repeat_for_layers(code, "layer_updates", "end_sample")
    asm.label("end_sample")
    asm.call("end_work")
    asm.go("command")
