# SPDX-License-Identifier: BSD-2-Clause

"""Sequences of instructions that several parts of the program need."""

from dataclasses import dataclass

from dualgate.contract.commands import COUNTERS

from ..assembler import Assembler
from ..instructions import Action, AluOp, Cell, Condition
from ..parts import Places
from .data_memory import COUNTER_WORDS, LAST, DataMemory, Descriptor


@dataclass(frozen=True)
class Code:
    """What the parts of the program are written with.

    Parameters
    ----------
    asm : Assembler
    memory : DataMemory
    places : Places
    """

    asm: Assembler
    memory: DataMemory
    places: Places

    @property
    def neurons(self) -> int:
        """N."""
        return self.places.shapes.neurons


def double(code: Code, times: int = 1) -> None:
    """A times a power of two."""
    for _ in range(times):
        code.asm.keep(store=code.memory.scratch)
        code.asm.add(code.memory.scratch)


def test_flag(code: Code, flag: int) -> None:
    """A is zero if the layer in work does not have the flag."""
    code.asm.load(Descriptor.flags)
    code.asm.mask(flag)


def set_place(code: Code, unit: Cell) -> None:
    """X is where a unit's numbers are, of the layer in work."""
    code.asm.load(unit)
    code.asm.add(Descriptor.unit_base, do=Action.SET_X)


def first_layer(code: Code) -> None:
    """Begin with the first layer's descriptor."""
    code.asm.clear(store=code.memory.layer)
    code.asm.clear(do=Action.SET_Y)


def next_layer(code: Code) -> None:
    """On to the next layer's descriptor."""
    asm, layer = code.asm, code.memory.layer
    asm.load(layer)
    asm.add(asm.fields)
    asm.keep(store=layer)
    asm.keep(do=Action.SET_Y)


def repeat_for_layers(code: Code, again: str, done: str) -> None:
    """On to the next layer, and to `again`; behind the last one, to `done`."""
    test_flag(code, LAST)
    code.asm.go(done, Condition.NOT_ZERO)
    next_layer(code)
    code.asm.go(again)


def first_rows(code: Code) -> None:
    """Begin with the rows of the layer's first group."""
    code.asm.load(Descriptor.weight_base)
    code.asm.keep(store=code.memory.row)


def dot_product(code: Code, first: Cell | int, entries: Cell, counter: str) -> None:
    """Sums of a group over a list, whose rows are counted; the next group's rows come next."""
    asm, row = code.asm, code.memory.row
    asm.load(first, do=Action.SET_PLACE)
    asm.load(row, do=Action.SET_ROW)
    asm.add(Descriptor.rows)
    asm.keep(store=row)
    asm.load(entries, do=Action.DOT_PRODUCT)
    add_count(code, counter, entries)
    asm.keep(do=Action.WAIT)


def clear_words(code: Code, first: Cell, words: int) -> None:
    """Of an array."""
    asm, memory = code.asm, code.memory
    name = asm.new_label()
    asm.load(words - 1)
    asm.label(name)
    asm.keep(store=memory.unit)
    asm.keep(do=Action.SET_X)
    asm.clear(store=first)
    asm.decrement(memory.unit)
    asm.go(name, Condition.NOT_NEGATIVE)


def multiply(code: Code, factor: Cell | AluOp, shift: Cell | int) -> None:
    """A = the scalar that was set times a number, narrowed."""
    asm = code.asm
    asm.load(factor, do=Action.MULTIPLY)
    asm.load(shift, do=Action.SET_SHIFT)
    asm.load(AluOp.NARROW)


def take_sum(code: Code, shift: Cell | int) -> None:
    """A = what the first lane added up, narrowed."""
    asm = code.asm
    asm.load(shift, do=Action.SET_SHIFT)
    asm.clear(do=Action.SET_LANE)
    asm.keep()
    asm.load(AluOp.NARROW)


def add_count(code: Code, counter: str, amount: Cell | int) -> None:
    """To one of `COUNTERS`. Takes the link and X."""
    code.asm.load(COUNTER_WORDS * COUNTERS.index(counter), do=Action.SET_X)
    code.asm.load(amount)
    code.asm.call("count")


def add_count_routine(code: Code) -> None:
    """Add A to the counter at X."""
    asm, words = code.asm, code.memory.counters
    asm.label("count")
    asm.add(words[0], store=words[0])
    asm.go("carry", Condition.CARRY)
    asm.go_back()
    asm.label("carry")
    for number, word in enumerate(words[1:-1]):
        asm.increment(word, store=word)
        asm.go(f"carry_{number}", Condition.ZERO)
        asm.go_back()
        asm.label(f"carry_{number}")
    asm.increment(words[-1], store=words[-1])
    asm.go_back()


def count_clipped(code: Code, counter: str) -> None:
    """Count the number that was narrowed, if it was clipped. Takes A, the link and X."""
    asm = code.asm
    name = asm.new_label()
    asm.load(AluOp.CLIPPED)
    asm.go(name, Condition.ZERO)
    add_count(code, counter, 1)
    asm.label(name)
