# SPDX-License-Identifier: BSD-2-Clause

"""Weights and velocities, written and read."""

from amaranth.utils import exact_log2

from dualgate.contract.formats import DIGIT_WIDTH, VALUE_WIDTH

from ..instructions import Action, AluOp, Cell, Condition
from ..parts import Plane
from .basics import Code, double

DIGIT = (1 << DIGIT_WIDTH) - 1


def write_rows(code: Code) -> None:
    """WRITE_WEIGHTS and WRITE_VELOCITY."""
    asm, memory = code.asm, code.memory
    for name, words, body in (
        ("write_weights", 1, _write_weight),
        ("write_velocity", 2, _write_velocity),
    ):
        asm.label(name)
        asm.decrement(memory.left)
        asm.mask(words * code.neurons - 1)
        asm.go("length", Condition.NOT_ZERO)
        asm.decrement(memory.left, store=memory.left)
        asm.call("first_row")
        asm.label(f"{name}_next")
        asm.load(memory.left)
        asm.go("respond", Condition.ZERO)
        asm.subtract(words)
        asm.keep(store=memory.left)
        asm.load(memory.row, do=Action.SET_ROW)
        asm.load(memory.lane, do=Action.SET_LANE)
        body(code)
        asm.call("next_lane")
        asm.go(f"{name}_next")


def read_rows(code: Code) -> None:
    """READ_WEIGHTS and READ_VELOCITY."""
    asm, memory = code.asm, code.memory
    for name, words, body in (
        ("read_weights", 1, _read_weight),
        ("read_velocity", 2, _read_velocity),
    ):
        asm.label(name)
        asm.load(memory.left)
        asm.subtract(2)
        asm.go("length", Condition.NOT_ZERO)
        asm.call("first_row")
        asm.load(memory.header, do=Action.SET_LOW)
        asm.load(AluOp.INPUT_LOW, do=Action.TAKE)
        asm.keep(store=memory.left)
        double(code, exact_log2(words * code.neurons))
        asm.keep(do=Action.SEND)
        asm.label(f"{name}_next")
        asm.load(memory.left)
        asm.go("command", Condition.ZERO)
        asm.load(memory.row, do=Action.SET_ROW)
        asm.load(memory.lane, do=Action.SET_LANE)
        body(code)
        asm.call("next_lane")
        asm.go(f"{name}_next", Condition.NOT_ZERO)
        asm.decrement(memory.left, store=memory.left, go=f"{name}_next")


def row_routines(code: Code) -> None:
    """Begin with the row that a command names; go on to the next lane, A is zero for a new row."""
    asm, memory = code.asm, code.memory
    asm.label("first_row")
    asm.load(AluOp.INPUT_LOW, do=Action.TAKE)
    asm.keep(store=memory.row)
    asm.clear(store=memory.lane)
    asm.go_back()
    asm.label("next_lane")
    asm.increment(memory.lane, store=memory.lane)
    asm.subtract(code.neurons)
    asm.go("new_row", Condition.ZERO)
    asm.go_back()
    asm.label("new_row")
    asm.increment(memory.row, store=memory.row)
    asm.clear(store=memory.lane)
    asm.go_back()


def _write_weight(code: Code) -> None:
    asm = code.asm
    asm.load(AluOp.INPUT_LOW, do=Action.PEEK)
    asm.keep(do=Action.WRITE_ROW, plane=Plane.LOWER)
    asm.load(AluOp.INPUT_HIGH, do=Action.TAKE)
    asm.keep(do=Action.WRITE_ROW, plane=Plane.UPPER)


def _write_velocity(code: Code) -> None:
    """Three halves become three digits: whatever is left is doubled as a digit leaves it."""
    asm, memory = code.asm, code.memory
    low, high, top = memory.low, memory.high, memory.value
    asm.load(AluOp.INPUT_LOW, do=Action.PEEK)
    asm.keep(store=low)
    asm.load(AluOp.INPUT_HIGH, do=Action.TAKE)
    asm.keep(store=high)
    asm.load(AluOp.INPUT_LOW, do=Action.TAKE)
    asm.keep(store=top)
    asm.load(low)
    asm.mask(DIGIT)
    asm.keep(do=Action.WRITE_ROW, plane=Plane.LOW_DIGITS)
    asm.load(low)
    asm.add(low)
    asm.load(high)
    asm.add_carry(high, store=high)
    asm.load(top)
    asm.add_carry(top, store=top)
    asm.load(high)
    asm.mask(DIGIT)
    asm.keep(do=Action.WRITE_ROW, plane=Plane.MIDDLE_DIGITS)
    asm.load(high)
    asm.add(high)
    asm.load(top)
    asm.add_carry(top)
    asm.keep(do=Action.WRITE_ROW, plane=Plane.HIGH_DIGITS)


def _read_weight(code: Code) -> None:
    asm = code.asm
    asm.keep(do=Action.READ_ROW, plane=Plane.LOWER)
    asm.load(AluOp.LANE, do=Action.SET_LOW)
    asm.keep(do=Action.READ_ROW, plane=Plane.UPPER)
    asm.load(AluOp.LANE, do=Action.SEND)


def _read_velocity(code: Code) -> None:
    asm, memory = code.asm, code.memory
    middle, high = memory.high, memory.value
    asm.keep(do=Action.READ_ROW, plane=Plane.LOW_DIGITS)
    asm.load(AluOp.LANE)
    asm.keep(store=memory.low)
    asm.keep(do=Action.READ_ROW, plane=Plane.MIDDLE_DIGITS)
    asm.load(AluOp.LANE)
    asm.keep(store=middle)
    asm.keep(do=Action.READ_ROW, plane=Plane.HIGH_DIGITS)
    asm.load(AluOp.LANE)
    asm.keep(store=high)
    # A digit's lowest bits are the highest of a half; two of the middle digit's one.
    tops = asm.array([bits << VALUE_WIDTH - 2 for bits in range(4)])
    asm.load(middle)
    asm.add(middle)
    asm.mask(2)
    asm.keep(do=Action.SET_X)
    asm.load(memory.low)
    asm.add(tops, do=Action.SET_LOW)
    asm.load(high)
    asm.mask(3)
    asm.keep(do=Action.SET_X)
    _shift_right(code, middle, 1)
    asm.add(tops, do=Action.SEND)
    _shift_right(code, high, 2)
    asm.keep(do=Action.REPLY)


def _shift_right(code: Code, word: Cell, places: int) -> None:
    asm = code.asm
    asm.load(word, do=Action.SET_NUMBER)
    asm.load(places, do=Action.SET_SHIFT)
    asm.load(AluOp.NARROW)
