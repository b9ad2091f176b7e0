# SPDX-License-Identifier: BSD-2-Clause

"""In a hidden layer: a tag's sums become its vector, and what is small beside its largest goes."""

from dualgate.contract.formats import UNIT_FRAC, VALUE_WIDTH
from dualgate.contract.settings import PRUNE_OFF

from ..instructions import Action, AluOp, Condition
from ..parts import Plane
from .basics import Code, add_count, multiply, set_place
from .data_memory import ROUNDS, Descriptor


def scale(code: Code) -> None:
    """Mantissas times slopes: what is not zero is an entry of the vector, and is measured."""
    asm, memory = code.asm, code.memory
    asm.load(memory.frac)
    asm.add(Descriptor.gain)
    asm.keep(store=memory.frac)
    asm.load(code.places.vector)
    asm.keep(store=memory.end)
    asm.clear(do=Action.START_MEASURE)
    asm.label("next_scaled")
    asm.load(memory.shift, do=Action.SET_SHIFT)
    asm.load(memory.entry, do=Action.SET_ROW)
    asm.keep(do=Action.READ_ROW, plane=Plane.SUMS)
    set_place(code, memory.entry)
    asm.load(AluOp.NARROW, do=Action.SET_SCALAR)
    multiply(code, memory.slopes, ROUNDS + UNIT_FRAC)
    asm.go("no_entry", Condition.ZERO)
    asm.keep(store=memory.value)
    asm.keep(do=Action.SET_NUMBER)
    asm.go("measured", Condition.NOT_NEGATIVE)
    # Of the least number there are 17 bits, which A does not have.
    asm.subtract_from(0, do=Action.SET_NUMBER)
    asm.label("measured")
    asm.load(memory.end, do=Action.SET_PLACE)
    asm.load(memory.entry, do=Action.SET_INDEX)
    asm.load(memory.value, do=Action.PUT_ENTRY)
    asm.increment(memory.end, store=memory.end)
    asm.label("no_entry")
    asm.increment(memory.entry, store=memory.entry)
    asm.subtract(Descriptor.outputs)
    asm.go("next_scaled", Condition.NOT_ZERO)


def prune(code: Code) -> None:
    """Keep entries of at least ``2**(bits - p)``, with the bits of the largest."""
    asm, memory = code.asm, code.memory
    vector = code.places.vector
    asm.load(vector)
    asm.keep(store=memory.entry)
    asm.load(memory.prune)
    asm.subtract(PRUNE_OFF - 1)
    asm.go("keep_all", Condition.ZERO)
    asm.load(AluOp.HIGHEST)
    asm.mask((1 << VALUE_WIDTH - 1) - 1)
    asm.subtract(memory.prune)
    asm.go("keep_all", Condition.NEGATIVE)
    asm.keep(do=Action.SET_X)
    asm.load(memory.powers)
    asm.keep(store=memory.low)
    asm.load(memory.end)
    asm.subtract(vector)
    asm.go("counted", Condition.ZERO)
    asm.load(vector)
    asm.label("next_kept")
    asm.keep(store=memory.row)
    asm.keep(do=Action.SET_PLACE)
    asm.load(AluOp.VALUE)
    asm.keep(store=memory.value)
    asm.go("compare", Condition.NOT_NEGATIVE)
    asm.subtract_from(0)
    asm.label("compare")
    asm.subtract(memory.low)
    asm.load(AluOp.INDEX, do=Action.SET_INDEX)
    asm.go("kept", Condition.CARRY)
    asm.go("dropped")
    asm.label("kept")
    asm.load(memory.entry, do=Action.SET_PLACE)
    asm.load(memory.value, do=Action.PUT_ENTRY)
    asm.increment(memory.entry, store=memory.entry)
    asm.label("dropped")
    asm.increment(memory.row)
    asm.subtract(memory.end)
    asm.go("counted", Condition.ZERO)
    asm.add(memory.end, go="next_kept")
    asm.label("keep_all")
    asm.load(memory.end)
    asm.keep(store=memory.entry)
    asm.label("counted")
    asm.load(memory.end)
    asm.subtract(memory.entry)
    asm.keep(store=memory.low)
    add_count(code, "dropped", memory.low)
    asm.load(memory.entry)
    asm.subtract(vector)
    asm.keep(store=memory.count)
    add_count(code, "kept", memory.count)
