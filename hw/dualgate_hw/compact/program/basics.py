# SPDX-License-Identifier: BSD-2-Clause

"""Sequences of instructions that several parts of the program use.

Each function appends instructions to the program. Unless its description says otherwise it changes
only A and the registers and cells that it names.
"""

from dataclasses import dataclass

from dualgate.contract.commands import COUNTERS

from ..assembler import Assembler
from ..instructions import Action, AluOp, Cell, Condition
from ..parts import Places
from .data_memory import COUNTER_CELLS, LAST, DataMemory, Descriptor


@dataclass(frozen=True)
class Code:
    """The program under construction and the sizes that it is written for.

    Parameters
    ----------
    asm : Assembler
        Takes the instructions.
    memory : DataMemory
        The cells of the program, by name.
    places : Places
        Sizes of the engine's memories.
    """

    asm: Assembler
    memory: DataMemory
    places: Places

    @property
    def neurons(self) -> int:
        """Number of neurons N."""
        return self.places.shapes.neurons


def double(code: Code, times: int = 1) -> None:
    """Multiply A by ``2**times``; uses `scratch`."""
    for _ in range(times):
        code.asm.keep(store=code.memory.scratch)
        code.asm.add(code.memory.scratch)


def test_flag(code: Code, flag: int) -> None:
    """Make A zero if the current layer does not have the flag, and not zero if it has."""
    code.asm.load(Descriptor.flags)
    code.asm.mask(flag)


def set_place(code: Code, unit: Cell) -> None:
    """Set X to the place of a unit of the current layer in the arrays of numbers of all units."""
    code.asm.load(unit)
    code.asm.add(Descriptor.unit_base, do=Action.SET_X)


def first_layer(code: Code) -> None:
    """Make the first layer the current one: `layer` and Y name its descriptor."""
    code.asm.clear(store=code.memory.layer)
    code.asm.clear(do=Action.SET_Y)


def next_layer(code: Code) -> None:
    """Make the next layer the current one: `layer` and Y name its descriptor."""
    asm, layer = code.asm, code.memory.layer
    asm.load(layer)
    asm.add(asm.fields)
    asm.keep(store=layer)
    asm.keep(do=Action.SET_Y)


def repeat_for_layers(code: Code, again: str, done: str) -> None:
    """Make the next layer the current one and go to `again`; after the last layer go to `done`."""
    test_flag(code, LAST)
    code.asm.go(done, Condition.NOT_ZERO)
    next_layer(code)
    code.asm.go(again)


def first_rows(code: Code) -> None:
    """Set `row` to the first row of the current layer's first group."""
    code.asm.copy(Descriptor.weight_base, code.memory.row)


def dot_product(code: Code, first: Cell | int, entries: Cell, counter: str) -> None:
    """Compute the sums of a group over a list, and move `row` on to the next group's rows.

    The list has `entries` entries from the place `first` on; their number is added to the counter.
    Takes the link and X.
    """
    asm, row = code.asm, code.memory.row
    asm.load(first, do=Action.SET_PLACE)
    asm.load(row, do=Action.SET_ROW)
    asm.add(Descriptor.rows)
    asm.keep(store=row)
    asm.load(entries, do=Action.DOT_PRODUCT)
    add_count(code, counter, entries)
    asm.keep(do=Action.WAIT)


def clear_cells(code: Code, first: Cell, count: int) -> None:
    """Clear the first `count` cells of an array; uses `unit` and X."""
    asm, memory = code.asm, code.memory
    with asm.block("clear_cells"):
        asm.load(count - 1)
        asm.label("next")
        asm.keep(store=memory.unit)
        asm.keep(do=Action.SET_X)
        asm.clear(store=first)
        asm.decrement(memory.unit)
        asm.go("next", Condition.NOT_NEGATIVE)


def multiply(code: Code, factor: Cell | AluOp, shift: Cell | int) -> None:
    """A = the scalar times the factor, narrowed by the shift."""
    asm = code.asm
    asm.load(factor, do=Action.MULTIPLY)
    asm.load(shift, do=Action.SET_SHIFT)
    asm.load(AluOp.NARROW)


def take_sum(code: Code, shift: Cell | int) -> None:
    """A = the first lane's sum, narrowed by the shift."""
    asm = code.asm
    asm.load(shift, do=Action.SET_SHIFT)
    asm.clear(do=Action.SET_LANE)
    # The narrowed sum is valid from the second instruction after SET_LANE on.
    asm.keep()
    asm.load(AluOp.NARROW)


def add_count(code: Code, counter: str, amount: Cell | int) -> None:
    """Add a number to one of `COUNTERS`. Takes the link and X."""
    code.asm.load(COUNTER_CELLS * COUNTERS.index(counter), do=Action.SET_X)
    code.asm.load(amount)
    code.asm.call("count")


def add_count_routine(code: Code) -> None:
    """`count`: add A to the counter at X. `count_carry`: add a carry out of its second cell."""
    asm, cells = code.asm, code.memory.counters
    with asm.routine("count"):
        asm.add(cells[0], store=cells[0])
        asm.go("carry_1", Condition.CARRY)
        asm.go_back()
        for number, cell in enumerate(cells[1:-1], 1):
            asm.label(f"carry_{number}")
            if number == 2:
                asm.entry("count_carry")
            asm.increment(cell, store=cell)
            asm.go(f"carry_{number + 1}", Condition.ZERO)
            asm.go_back()
        asm.label(f"carry_{len(cells) - 1}")
        asm.increment(cells[-1], store=cells[-1])
        asm.go_back()


def count_clipped(code: Code, counter: str) -> None:
    """Add 1 to a counter if the narrower clipped its number. Takes A, the link and X."""
    asm = code.asm
    with asm.block("count_clipped"):
        asm.load(AluOp.CLIPPED)
        asm.go("not_clipped", Condition.ZERO)
        add_count(code, counter, 1)
        asm.label("not_clipped")
