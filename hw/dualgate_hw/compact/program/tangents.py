# SPDX-License-Identifier: BSD-2-Clause

"""Tangents: every hidden unit's tag is carried to the outputs, one after the other."""

from dualgate.contract.formats import UNIT_FRAC, VALUE_WIDTH, WEIGHT_FRAC

from ..instructions import Action, AluOp, Condition
from ..parts import SHIFT_BITS, Plane
from .basics import (
    Code,
    add_count,
    dot_product,
    first_rows,
    next_layer,
    set_place,
    take_sum,
    test_flag,
)
from .data_memory import FROZEN, LAST, ROUNDS, Descriptor
from .prune import prune, scale

FARTHEST = (1 << SHIFT_BITS) - 1
"""Further than this every sum rounds to zero."""


def tangents(code: Code) -> None:
    """From slopes and the outputs' update scalars to the update scalars of hidden units.

    A tag's vector is a list of entries, as inputs are: born with one, and after each hidden layer
    with those that pruning leaves. The sums of a layer wait in the row memory until their largest
    is known.
    """
    asm, memory = code.asm, code.memory
    asm.label("tangents")
    asm.clear(store=memory.tags)
    asm.label("next_tags")
    asm.load(memory.tags, do=Action.SET_Y)
    test_flag(code, LAST)
    asm.go("updates", Condition.NOT_ZERO)
    asm.clear(store=memory.tag)
    test_flag(code, FROZEN)
    asm.go("end_tags", Condition.NOT_ZERO)
    _seed(code)
    _cross(code)
    _arrive(code)
    asm.label("file_update")
    asm.load(memory.tag_place, do=Action.SET_X)
    asm.load(memory.update)
    asm.keep(store=memory.updates)
    asm.load(memory.tags, do=Action.SET_Y)
    asm.increment(memory.tag, store=memory.tag)
    asm.subtract(Descriptor.outputs)
    asm.go("next_tag", Condition.NOT_ZERO)
    asm.label("end_tags")
    asm.load(memory.tags)
    asm.add(asm.fields)
    asm.keep(store=memory.tags, go="next_tags")


def _seed(code: Code) -> None:
    """A tag begins with its unit's slope, unless that is zero."""
    asm, memory = code.asm, code.memory
    asm.label("next_tag")
    set_place(code, memory.tag)
    asm.keep(store=memory.tag_place)
    asm.clear(store=memory.update)
    asm.load(memory.slopes)
    asm.go("file_update", Condition.ZERO)
    asm.keep(store=memory.value)
    asm.load(code.places.vector, do=Action.SET_PLACE)
    asm.load(memory.tag, do=Action.SET_INDEX)
    asm.load(memory.value, do=Action.PUT_ENTRY)
    asm.load(1)
    asm.keep(store=memory.count)
    asm.load(Descriptor.gain)
    asm.add(UNIT_FRAC)
    asm.keep(store=memory.frac)
    asm.load(memory.tags)
    asm.keep(store=memory.layer)


def _cross(code: Code) -> None:
    """Sums of a layer, group after group, to the row memory; then their common shift."""
    asm, memory = code.asm, code.memory
    asm.label("cross")
    next_layer(code)
    first_rows(code)
    asm.clear(do=Action.START_MEASURE)
    asm.clear(store=memory.entry)
    asm.label("next_group")
    dot_product(code, code.places.vector, memory.count, "tangent_rows")
    asm.label("next_sum")
    asm.load(memory.entry, do=Action.SET_LANE)
    asm.keep(do=Action.SET_ROW)
    asm.keep(do=Action.WRITE_ROW, plane=Plane.SUMS)
    asm.increment(memory.entry, store=memory.entry)
    asm.subtract(Descriptor.outputs)
    asm.go("crossed", Condition.ZERO)
    asm.load(memory.entry)
    asm.mask(code.neurons - 1)
    asm.go("next_sum", Condition.NOT_ZERO)
    asm.go("next_group")
    asm.label("crossed")
    asm.load(AluOp.HIGHEST)
    asm.go("file_update", Condition.NOT_NEGATIVE)
    asm.mask((1 << VALUE_WIDTH - 1) - 1)
    asm.subtract(VALUE_WIDTH - 2)
    asm.go("shifted", Condition.NOT_NEGATIVE)
    asm.clear()
    asm.label("shifted")
    asm.keep(store=memory.shift)
    asm.load(memory.frac)
    asm.add(WEIGHT_FRAC)
    asm.subtract(memory.shift)
    asm.keep(store=memory.frac)
    add_count(code, "scale_rows", Descriptor.groups)
    asm.clear(store=memory.entry)
    test_flag(code, LAST)
    asm.go("contract", Condition.NOT_ZERO)
    scale(code)
    prune(code)
    asm.load(memory.count)
    asm.go("cross", Condition.NOT_ZERO)
    asm.go("file_update")


def _arrive(code: Code) -> None:
    """At the outputs: mantissas times update scalars, added up, narrowed to the tag's requests."""
    asm, memory = code.asm, code.memory
    asm.label("contract")
    asm.clear(do=Action.DOT_PRODUCT)
    asm.load(memory.shift, do=Action.SET_SHIFT)
    asm.label("next_term")
    asm.load(memory.entry, do=Action.SET_ROW)
    asm.keep(do=Action.READ_ROW, plane=Plane.SUMS)
    asm.add(Descriptor.unit_base, do=Action.SET_X)
    asm.load(AluOp.NARROW, do=Action.SET_SCALAR)
    asm.load(memory.updates, do=Action.ACCUMULATE)
    asm.increment(memory.entry, store=memory.entry)
    asm.subtract(Descriptor.outputs)
    asm.go("next_term", Condition.NOT_ZERO)
    asm.load(memory.frac)
    asm.go("far", Condition.NOT_NEGATIVE)
    asm.clear(go="near")
    asm.label("far")
    asm.subtract(FARTHEST)
    asm.load(memory.frac, go="near", when=Condition.NEGATIVE)
    asm.load(FARTHEST)
    asm.label("near")
    asm.add(ROUNDS)
    asm.keep(store=memory.shift)
    asm.clear(store=memory.clipped)
    take_sum(code, memory.shift)
    asm.label("narrowed")
    asm.keep(store=memory.update)
    asm.load(AluOp.CLIPPED)
    asm.go("not_clipped", Condition.ZERO)
    asm.keep(store=memory.clipped)
    asm.label("not_clipped")
    asm.load(memory.frac)
    asm.go("whole", Condition.NOT_NEGATIVE)
    # A negative shift doubles, and clips on the way as at the end.
    asm.increment(memory.frac, store=memory.frac)
    asm.load(0, do=Action.SET_SHIFT)
    asm.load(memory.update)
    asm.add(memory.update, do=Action.SET_NUMBER)
    asm.keep()
    asm.load(AluOp.NARROW, go="narrowed")
    asm.label("whole")
    asm.load(memory.clipped)
    asm.go("file_update", Condition.ZERO)
    add_count(code, "saturated_updates", 1)
