# SPDX-License-Identifier: BSD-2-Clause

"""From instructions with names to numbers: the program, and the memory that it works on.

Memory is in three parts, by which an address says what is joined to it: arrays, with X; fields of
the layers' descriptors, with Y; and single words.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypedDict, Unpack

from amaranth import Const
from amaranth.lib import data
from amaranth.utils import ceil_log2

from ..common.shapes import VALUE
from .instructions import Action, AluOp, Cell, Condition, layout

Operand = Cell | AluOp | int
"""A word, a source that is none, or a constant, for which there will be a word."""


class Rest(TypedDict, total=False):
    """What else an instruction does.

    do : an action
    store : a word that becomes the result; an operand that is a word must be the same
    plane : of the row, for `Action.READ_ROW` and `Action.WRITE_ROW`
    go, when : where the next instruction is, and under which condition
    """

    do: Action
    store: Cell
    plane: int
    go: str
    when: Condition


@dataclass(frozen=True)
class _Instruction:
    op: AluOp
    action: Action
    address: Cell | None
    condition: Condition
    target: str


UNCONDITIONAL = (Condition.NEVER, Condition.ALWAYS, Condition.LINK)

_SINGLES = 1 << 20
"""Where single words seem to begin, until it is known how many words come before them."""


class Assembler:
    """Collects a program: the methods from `load` on are instructions.

    Parameters
    ----------
    fields : int
        Of a descriptor; a power of two.
    layers : int
        Descriptors; a power of two.
    """

    def __init__(self, fields: int, layers: int) -> None:
        self.fields = fields
        self._arrays: list[int | str] = [0] * (fields * layers)
        self._singles: list[int | str] = []
        self._constants: dict[int | str, Cell] = {}
        self._labels: dict[str, int] = {}
        self._names = 0
        self._instructions: list[_Instruction] = []

    def array(self, values: Sequence[int | str]) -> Cell:
        """Words to which X is joined: they begin at a power of two that holds them."""
        size = 1 << ceil_log2(len(values))
        self._arrays += [0] * (-len(self._arrays) % size)
        first = Cell(len(self._arrays))
        self._arrays += values
        return first

    def variable(self) -> Cell:
        """A single word."""
        self._singles.append(0)
        return Cell(_SINGLES + len(self._singles) - 1)

    def constant(self, value: int | str) -> Cell:
        """A single word with a number, or with the place of a label."""
        value = value & 0xFFFF if isinstance(value, int) else value
        if value not in self._constants:
            self._constants[value] = self.variable()
            self._singles[-1] = value
        return self._constants[value]

    def label(self, name: str) -> None:
        """Name the next instruction."""
        if name in self._labels:
            raise ValueError(f"two instructions are named {name}")
        self._labels[name] = len(self._instructions)

    def new_label(self) -> str:
        """A name that no instruction has."""
        self._names += 1
        return f"{self._names}"

    def load(self, operand: Operand, **rest: Unpack[Rest]) -> None:
        """A = word, or another source."""
        if isinstance(operand, AluOp):
            self._emit(operand, None, rest)
        else:
            self._emit(AluOp.LOAD, operand, rest)

    def add(self, operand: Cell | int, **rest: Unpack[Rest]) -> None:
        """A = A + word."""
        self._emit(AluOp.ADD, operand, rest)

    def add_carry(self, operand: Cell | int, **rest: Unpack[Rest]) -> None:
        """A = A + word + carry."""
        self._emit(AluOp.ADD_CARRY, operand, rest)

    def subtract(self, operand: Cell | int, **rest: Unpack[Rest]) -> None:
        """A = A - word."""
        self._emit(AluOp.SUBTRACT, operand, rest)

    def subtract_borrow(self, operand: Cell | int, **rest: Unpack[Rest]) -> None:
        """A = A - word - borrow."""
        self._emit(AluOp.SUBTRACT_BORROW, operand, rest)

    def subtract_from(self, operand: Cell | int, **rest: Unpack[Rest]) -> None:
        """A = word - A."""
        self._emit(AluOp.SUBTRACT_FROM, operand, rest)

    def mask(self, operand: Cell | int, **rest: Unpack[Rest]) -> None:
        """A = A & word."""
        self._emit(AluOp.MASK, operand, rest)

    def increment(self, operand: Cell, **rest: Unpack[Rest]) -> None:
        """A = word + 1."""
        self._emit(AluOp.INCREMENT, operand, rest)

    def decrement(self, operand: Cell, **rest: Unpack[Rest]) -> None:
        """A = word - 1."""
        self._emit(AluOp.DECREMENT, operand, rest)

    def clear(self, **rest: Unpack[Rest]) -> None:
        """A = 0."""
        self._emit(AluOp.CLEAR, None, rest)

    def keep(self, **rest: Unpack[Rest]) -> None:
        """A as it is. If it can, the instruction before does this, too."""
        self._emit(AluOp.KEEP, None, rest)

    def go(self, target: str, when: Condition = Condition.ALWAYS) -> None:
        """Nothing else."""
        self.keep(go=target, when=when)

    def call(self, target: str) -> None:
        """Go, and come back with `go_back`. There is one link."""
        self.keep(do=Action.CALL, go=target)

    def go_back(self) -> None:
        """To where the call was, or to the link that was set."""
        self.keep(when=Condition.LINK)

    def _emit(self, op: AluOp, operand: Cell | int | None, rest: Rest) -> None:
        action = rest.get("do", Action.NONE)
        addresses = set()
        if operand is not None:
            addresses.add(operand if isinstance(operand, Cell) else self.constant(operand))
        if "store" in rest:
            addresses.add(rest["store"])
            if action is not Action.NONE:
                raise ValueError(f"either store or {action}")
            action = Action.STORE
        if "plane" in rest:
            addresses.add(Cell(rest["plane"]))
        if len(addresses) > 1:
            raise ValueError(f"an instruction has one address, not {addresses}")
        usual = Condition.ALWAYS if "go" in rest else Condition.NEVER
        one = _Instruction(
            op,
            action,
            next(iter(addresses), None),
            rest.get("when", usual),
            rest.get("go", ""),
        )
        if not self._joined(one):
            self._instructions.append(one)

    def _joined(self, one: _Instruction) -> bool:
        """Whether the instruction before does this one's work, too: with its result, which is A."""
        if not self._instructions or len(self._instructions) in self._labels.values():
            return False
        before = self._instructions[-1]
        idle = one.action is Action.NONE and one.condition is Condition.NEVER
        # A number that is held has a bit more than A, what is written is A, and a condition is of
        # it as it was before.
        if idle or one.op is not AluOp.KEEP or one.action in (Action.SET_NUMBER, Action.WRITE_ROW):
            return False
        if before.condition is not Condition.NEVER or one.condition not in UNCONDITIONAL:
            return False
        if Action.NONE not in (before.action, one.action):
            return False
        if before.action is Action.SET_LINK and one.condition is Condition.LINK:
            return False
        if None not in (before.address, one.address) and before.address != one.address:
            return False
        self._instructions[-1] = replace(
            before,
            action=one.action if before.action is Action.NONE else before.action,
            address=one.address if before.address is None else before.address,
            condition=one.condition,
            target=one.target,
        )
        return True

    @property
    def first_single(self) -> int:
        """Address of the first single word; fields and arrays come before."""
        return len(self._arrays)

    @property
    def memory(self) -> list[int]:
        """The words, to begin with, as signed numbers."""
        words = [self._number(word) for word in (*self._arrays, *self._singles)]
        return [Const(word, VALUE).value for word in words]

    @property
    def layout(self) -> data.StructLayout:
        """Of an instruction."""
        return layout(ceil_log2(len(self.memory)), ceil_log2(len(self._instructions)))

    @property
    def program(self) -> list[data.Const]:
        """The instructions."""
        found = self.layout
        return [found.const(self._fields(one)) for one in self._instructions]

    def address(self, word: Cell) -> int:
        """Where a word is."""
        number = word.address
        return number if number < _SINGLES else number - _SINGLES + self.first_single

    def _number(self, word: int | str) -> int:
        return self._labels[word] if isinstance(word, str) else word

    def _fields(self, one: _Instruction) -> dict[str, object]:
        return {
            "op": one.op,
            "action": one.action,
            "address": self.address(one.address) if one.address else 0,
            "condition": one.condition,
            "target": self._number(one.target) if one.target else 0,
        }
