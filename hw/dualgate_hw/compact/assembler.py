# SPDX-License-Identifier: BSD-2-Clause

"""The assembler of the compact engine: from instructions with names to memory images."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypedDict, Unpack

from amaranth.lib import data
from amaranth.utils import ceil_log2

from .cells import Cells
from .instructions import Action, AluOp, Cell, Condition, instruction_layout
from .joining import Instruction, join
from .labels import Scope

Operand = Cell | AluOp | int
"""A cell, a source, or a constant, for which the assembler reserves a cell."""


class Extras(TypedDict, total=False):
    """Further parts of an instruction, given as keywords.

    Fields
    ------
    do : the action; not together with `store`
    store : the cell that takes the result; an operand that is a cell must be the same cell
    plane : the plane of the row memory, for `Action.READ_ROW` and `Action.WRITE_ROW`
    go : label of the next instruction
    when : condition of going there; `Condition.ALWAYS` if only `go` is given
    """

    do: Action
    store: Cell
    plane: int
    go: str
    when: Condition


class Assembler:
    """Collects a program and the initial contents of its data memory.

    The methods from `load` on append instructions. A program is written in routines and blocks,
    each with labels of its own::

        with asm.routine("double_all"):  # a label that the whole program can use
            asm.load(3)
            asm.label("next")  # a label of this routine
            ...
            asm.go("next", Condition.NOT_NEGATIVE)

    Parameters
    ----------
    fields : int
        Number of cells of a descriptor, a power of two.
    layers : int
        Number of descriptors, a power of two.

    Attributes
    ----------
    cells : Cells
        The data memory of the program.
    """

    def __init__(self, fields: int, layers: int) -> None:
        self.fields = fields
        self.cells = Cells(fields * layers)
        self._global = self._scope = Scope("the program")
        self._labelled: set[int] = set()
        self._instructions: list[Instruction] = []

    @contextmanager
    def block(self, name: str) -> Iterator[None]:
        """Open a scope: labels defined inside are unknown outside. Use in a ``with`` statement.

        Parameters
        ----------
        name : str
            Name of the block in error messages.
        """
        around = self._scope
        self._scope = Scope(name, around)
        try:
            yield
        finally:
            self._scope = around

    @contextmanager
    def routine(self, name: str) -> Iterator[None]:
        """Open a block whose first instruction the whole program can go to by the block's name.

        Parameters
        ----------
        name : str
            Name of the routine.
        """
        self.entry(name)
        with self.block(name):
            yield

    def entry(self, name: str) -> None:
        """Name the next instruction for the whole program."""
        self._define(self._global, name)

    def label(self, name: str) -> None:
        """Name the next instruction for the block or routine that is open."""
        self._define(self._scope, name)

    def _define(self, scope: Scope, name: str) -> None:
        scope.define(name, len(self._instructions))
        self._labelled.add(len(self._instructions))

    def load(self, operand: Operand, **extras: Unpack[Extras]) -> None:
        """A = operand."""
        if isinstance(operand, AluOp):
            self._emit(operand, None, extras)
        else:
            self._emit(AluOp.LOAD, operand, extras)

    def copy(
        self, source: Operand, target: Cell, *, do: Action = Action.NONE, go: str = ""
    ) -> None:
        """A = target = source: `load`, then `keep`.

        These are one instruction where the source is not a cell and nothing else is done, and two
        otherwise.

        Parameters
        ----------
        source : Cell, AluOp or int
        target : Cell
        do : Action
            Action of the load.
        go : str, optional
            Label of the next instruction.
        """
        self.load(source, do=do)
        if go:
            self.keep(store=target, go=go)
        else:
            self.keep(store=target)

    def add(self, operand: Cell | int, **extras: Unpack[Extras]) -> None:
        """A = A + operand."""
        self._emit(AluOp.ADD, operand, extras)

    def add_carry(self, operand: Cell | int, **extras: Unpack[Extras]) -> None:
        """A = A + operand + carry."""
        self._emit(AluOp.ADD_CARRY, operand, extras)

    def subtract(self, operand: Cell | int, **extras: Unpack[Extras]) -> None:
        """A = A - operand."""
        self._emit(AluOp.SUBTRACT, operand, extras)

    def subtract_borrow(self, operand: Cell | int, **extras: Unpack[Extras]) -> None:
        """A = A - operand - borrow."""
        self._emit(AluOp.SUBTRACT_BORROW, operand, extras)

    def subtract_from(self, operand: Cell | int, **extras: Unpack[Extras]) -> None:
        """A = operand - A."""
        self._emit(AluOp.SUBTRACT_FROM, operand, extras)

    def mask(self, operand: Cell | int, **extras: Unpack[Extras]) -> None:
        """A = A & operand."""
        self._emit(AluOp.MASK, operand, extras)

    def increment(self, operand: Cell, **extras: Unpack[Extras]) -> None:
        """A = operand + 1."""
        self._emit(AluOp.INCREMENT, operand, extras)

    def decrement(self, operand: Cell, **extras: Unpack[Extras]) -> None:
        """A = operand - 1."""
        self._emit(AluOp.DECREMENT, operand, extras)

    def clear(self, **extras: Unpack[Extras]) -> None:
        """A = 0."""
        self._emit(AluOp.CLEAR, None, extras)

    def keep(self, **extras: Unpack[Extras]) -> None:
        """Leave A as it is. The instruction before takes over the extras if it can."""
        self._emit(AluOp.KEEP, None, extras)

    def go(self, target: str, when: Condition = Condition.ALWAYS) -> None:
        """Only go to a label."""
        self.keep(go=target, when=when)

    def call(self, target: str) -> None:
        """Go to a routine that returns with `go_back`. There is one link, so calls do not nest."""
        self.keep(do=Action.CALL, go=target)

    def go_back(self) -> None:
        """Return to the instruction after the call, or go to the link that was set."""
        self.keep(when=Condition.LINK)

    def _emit(self, op: AluOp, operand: Cell | int | None, extras: Extras) -> None:
        action = extras.get("do", Action.NONE)
        addresses = set()
        if operand is not None:
            addresses.add(operand if isinstance(operand, Cell) else self.cells.constant(operand))
        if "store" in extras:
            addresses.add(extras["store"])
            if action is not Action.NONE:
                raise ValueError(f"an instruction does either store or {action.name}")
            action = Action.STORE
        if "plane" in extras:
            addresses.add(Cell(extras["plane"]))
        if len(addresses) > 1:
            raise ValueError(f"an instruction has one address, not {addresses}")
        usual = Condition.ALWAYS if "go" in extras else Condition.NEVER
        new = Instruction(
            op,
            action,
            next(iter(addresses), None),
            extras.get("when", usual),
            (self._scope, extras["go"]) if "go" in extras else None,
        )
        joined = self._joined(new)
        if joined is None:
            self._instructions.append(new)
        else:
            self._instructions[-1] = joined

    def _joined(self, new: Instruction) -> Instruction | None:
        """The last instruction joined with `new`, if nothing can go between them."""
        if not self._instructions or len(self._instructions) in self._labelled:
            return None
        return join(self._instructions[-1], new)

    @property
    def first_single(self) -> int:
        """Address of the first single cell; descriptors and arrays come before."""
        return self.cells.first_single

    @property
    def memory(self) -> list[int]:
        """Initial contents of the data memory, as signed numbers."""
        return self.cells.contents(self.position)

    @property
    def layout(self) -> data.StructLayout:
        """Layout of an instruction of this program."""
        return instruction_layout(ceil_log2(self.cells.depth), ceil_log2(len(self._instructions)))

    @property
    def program(self) -> list[data.Const]:
        """The instructions, in order."""
        layout = self.layout
        return [layout.const(self._fields(instruction)) for instruction in self._instructions]

    def address(self, cell: Cell) -> int:
        """Address of a cell in the data memory."""
        return self.cells.address(cell)

    @property
    def entries(self) -> tuple[str, ...]:
        """Labels that the whole program can use."""
        return self._global.labels

    def position(self, entry: str) -> int:
        """Position in the program of a label that the whole program can use."""
        return self._global.position(entry)

    def _fields(self, instruction: Instruction) -> dict[str, object]:
        """An instruction with numbers instead of names."""
        target = 0
        if instruction.target is not None:
            scope, label = instruction.target
            target = scope.position(label)
        cell = instruction.address
        return {
            "op": instruction.op,
            "action": instruction.action,
            "address": self.address(cell) if cell else 0,
            "condition": instruction.condition,
            "target": target,
        }
