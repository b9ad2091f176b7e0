# SPDX-License-Identifier: BSD-2-Clause

"""A tag in a hidden layer: its sums become its vector, and entries far below the largest go."""

from dualgate.contract.formats import UNIT_FRAC, VALUE_WIDTH
from dualgate.contract.settings import PRUNE_OFF

from ..instructions import Action, AluOp, Condition
from ..parts import Plane
from .basics import Code, add_count, multiply, set_place
from .data_memory import ROUNDS, Descriptor


def scale(code: Code) -> None:
    """Multiply mantissas by slopes; products that are not zero become entries and are measured.

    `entry` must be zero at first. Afterwards `end` is the place behind the last entry.
    """
    asm, memory = code.asm, code.memory
    with asm.block("scale"):
        asm.load(memory.frac)
        asm.add(Descriptor.gain)
        asm.keep(store=memory.frac)
        asm.copy(code.places.vector, memory.end)
        asm.clear(do=Action.START_MEASURE)
        asm.label("next")
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
        # The magnitude of -32768 needs the 17 bits of the result, which A does not have.
        asm.subtract_from(0, do=Action.SET_NUMBER)
        asm.label("measured")
        asm.load(memory.end, do=Action.SET_PLACE)
        asm.load(memory.entry, do=Action.SET_INDEX)
        asm.load(memory.value, do=Action.PUT_ENTRY)
        asm.increment(memory.end, store=memory.end)
        asm.label("no_entry")
        asm.increment(memory.entry, store=memory.entry)
        asm.subtract(Descriptor.outputs)
        asm.go("next", Condition.NOT_ZERO)


def prune(code: Code) -> None:
    """Keep the entries of at least ``2**(bits - p)``, where the largest entry has `bits` bits.

    Afterwards `count` is the number of entries kept.
    """
    asm, memory = code.asm, code.memory
    vector = code.places.vector
    with asm.block("prune"):
        asm.copy(vector, memory.entry)
        asm.load(memory.prune)
        asm.subtract(PRUNE_OFF - 1)
        asm.go("keep_all", Condition.ZERO)
        asm.load(AluOp.HIGHEST)
        asm.mask((1 << VALUE_WIDTH - 1) - 1)
        asm.subtract(memory.prune)
        asm.go("keep_all", Condition.NEGATIVE)
        asm.keep(do=Action.SET_X)
        asm.copy(memory.powers, memory.low)
        asm.load(memory.end)
        asm.subtract(vector)
        asm.go("counted", Condition.ZERO)
        asm.load(vector)
        asm.label("next")
        asm.keep(store=memory.row)
        asm.keep(do=Action.SET_PLACE)
        asm.copy(AluOp.VALUE, memory.value)
        asm.go("compare", Condition.NOT_NEGATIVE)
        asm.subtract_from(0)
        asm.label("compare")
        asm.subtract(memory.low)
        asm.load(AluOp.INDEX, do=Action.SET_INDEX)
        asm.go("keep", Condition.CARRY)
        asm.go("drop")
        asm.label("keep")
        asm.load(memory.entry, do=Action.SET_PLACE)
        asm.load(memory.value, do=Action.PUT_ENTRY)
        asm.increment(memory.entry, store=memory.entry)
        asm.label("drop")
        asm.increment(memory.row)
        asm.subtract(memory.end)
        asm.go("counted", Condition.ZERO)
        asm.add(memory.end, go="next")
        asm.label("keep_all")
        asm.copy(memory.end, memory.entry)
        asm.label("counted")
        asm.load(memory.end)
        asm.subtract(memory.entry)
        asm.keep(store=memory.low)
        add_count(code, "dropped", memory.low)
        asm.load(memory.entry)
        asm.subtract(vector)
        asm.keep(store=memory.count)
        add_count(code, "kept", memory.count)
