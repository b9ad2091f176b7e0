# SPDX-License-Identifier: BSD-2-Clause

"""Tangents: the tag of every hidden unit is carried to the outputs, one after the other."""

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
"""Largest shift of the narrower. A sum shifted by more rounds to zero, as it does with this shift.
"""


def tangents(code: Code) -> None:
    """Compute the update scalars of hidden units from the slopes and the outputs' update scalars.

    A tag's vector is a list of entries, as the inputs are. It begins with one entry, and has after
    each hidden layer the entries that pruning leaves. The sums of a layer wait in the row memory
    until the largest of them is known.
    """
    asm, memory = code.asm, code.memory
    with asm.routine("tangents"):
        asm.clear(store=memory.tags)
        asm.label("next_layer")
        asm.load(memory.tags, do=Action.SET_Y)
        test_flag(code, LAST)
        asm.go("updates", Condition.NOT_ZERO)
        asm.clear(store=memory.tag)
        test_flag(code, FROZEN)
        asm.go("end_layer", Condition.NOT_ZERO)
        asm.label("next_tag")
        _seed(code)
        asm.label("cross")
        _cross(code)
        test_flag(code, LAST)
        asm.go("contract", Condition.NOT_ZERO)
        scale(code)
        prune(code)
        asm.load(memory.count)
        asm.go("cross", Condition.NOT_ZERO)
        asm.go("file_update")
        asm.label("contract")
        _contract(code)
        _narrow_update(code)
        asm.label("file_update")
        asm.load(memory.tag_place, do=Action.SET_X)
        asm.copy(memory.update, memory.updates)
        asm.load(memory.tags, do=Action.SET_Y)
        asm.increment(memory.tag, store=memory.tag)
        asm.subtract(Descriptor.outputs)
        asm.go("next_tag", Condition.NOT_ZERO)
        asm.label("end_layer")
        asm.load(memory.tags)
        asm.add(asm.fields)
        asm.keep(store=memory.tags, go="next_layer")


def _seed(code: Code) -> None:
    """Begin a tag's vector with its unit's slope; if that is zero, go to `file_update`."""
    asm, memory = code.asm, code.memory
    set_place(code, memory.tag)
    asm.keep(store=memory.tag_place)
    asm.clear(store=memory.update)
    asm.load(memory.slopes)
    asm.go("file_update", Condition.ZERO)
    asm.keep(store=memory.value)
    asm.load(code.places.vector, do=Action.SET_PLACE)
    asm.load(memory.tag, do=Action.SET_INDEX)
    asm.load(memory.value, do=Action.PUT_ENTRY)
    asm.copy(1, memory.count)
    asm.load(Descriptor.gain)
    asm.add(UNIT_FRAC)
    asm.keep(store=memory.frac)
    asm.copy(memory.tags, memory.layer)


def _cross(code: Code) -> None:
    """Carry a tag over the next layer: store the layer's sums, and compute their common shift.

    If all sums are zero, go to `file_update`.
    """
    asm, memory = code.asm, code.memory
    with asm.block("cross"):
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
        asm.go("shift", Condition.NOT_NEGATIVE)
        asm.clear()
        asm.label("shift")
        asm.keep(store=memory.shift)
        asm.load(memory.frac)
        asm.add(WEIGHT_FRAC)
        asm.subtract(memory.shift)
        asm.keep(store=memory.frac)
        add_count(code, "scale_rows", Descriptor.groups)
        asm.clear(store=memory.entry)


def _contract(code: Code) -> None:
    """At the outputs: add up mantissas times update scalars, and narrow the sum.

    Afterwards A is the narrowed sum.
    """
    asm, memory = code.asm, code.memory
    with asm.block("contract"):
        # A list without entries clears the sums.
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
        # The shift is `frac`, but at least 0 and at most FARTHEST.
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


def _narrow_update(code: Code) -> None:
    """Set `update` to the narrowed sum, times ``2**-frac`` if `frac` is negative; count a clip."""
    asm, memory = code.asm, code.memory
    with asm.block("narrow_update"):
        asm.label("narrowed")
        asm.keep(store=memory.update)
        asm.load(AluOp.CLIPPED)
        asm.go("not_clipped", Condition.ZERO)
        asm.keep(store=memory.clipped)
        asm.label("not_clipped")
        asm.load(memory.frac)
        asm.go("narrow", Condition.NOT_NEGATIVE)
        # A negative shift is done by doubling. A number that is clipped on the way stays clipped.
        asm.increment(memory.frac, store=memory.frac)
        asm.load(0, do=Action.SET_SHIFT)
        asm.load(memory.update)
        asm.add(memory.update, do=Action.SET_NUMBER)
        asm.keep()
        asm.load(AluOp.NARROW, go="narrowed")
        asm.label("narrow")
        asm.load(memory.clipped)
        asm.go("file_update", Condition.ZERO)
        add_count(code, "saturated_updates", 1)
