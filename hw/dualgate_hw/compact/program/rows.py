# SPDX-License-Identifier: BSD-2-Clause

"""Commands that write and read rows of weights and velocities."""

from amaranth.utils import exact_log2

from dualgate.contract.formats import DIGIT_WIDTH, VALUE_WIDTH

from ..instructions import Action, AluOp, Cell, Condition
from ..parts import Plane
from .basics import Code, double

DIGIT = (1 << DIGIT_WIDTH) - 1
"""Mask of a digit below the highest."""


def write_rows(code: Code) -> None:
    """WRITE_WEIGHTS and WRITE_VELOCITY."""
    asm, memory = code.asm, code.memory
    for name, words, write_lane in (
        ("write_weights", 1, _write_weight),
        ("write_velocity", 2, _write_velocity),
    ):
        with asm.routine(name):
            asm.decrement(memory.left)
            asm.mask(words * code.neurons - 1)
            asm.go("length", Condition.NOT_ZERO)
            asm.decrement(memory.left, store=memory.left)
            asm.call("first_row")
            asm.label("next")
            asm.load(memory.left)
            asm.go("respond", Condition.ZERO)
            asm.subtract(words)
            asm.keep(store=memory.left)
            asm.load(memory.row, do=Action.SET_ROW)
            asm.load(memory.lane, do=Action.SET_LANE)
            write_lane(code)
            asm.call("next_lane")
            asm.go("next")


def read_rows(code: Code) -> None:
    """READ_WEIGHTS and READ_VELOCITY."""
    asm, memory = code.asm, code.memory
    for name, words, read_lane in (
        ("read_weights", 1, _read_weight),
        ("read_velocity", 2, _read_velocity),
    ):
        with asm.routine(name):
            asm.load(memory.left)
            asm.subtract(2)
            asm.go("length", Condition.NOT_ZERO)
            asm.call("first_row")
            asm.load(memory.header, do=Action.SET_LOW)
            asm.copy(AluOp.INPUT_LOW, memory.left, do=Action.TAKE)
            double(code, exact_log2(words * code.neurons))
            asm.keep(do=Action.SEND)
            asm.label("next")
            asm.load(memory.left)
            asm.go("command", Condition.ZERO)
            asm.load(memory.row, do=Action.SET_ROW)
            asm.load(memory.lane, do=Action.SET_LANE)
            read_lane(code)
            asm.call("next_lane")
            asm.go("next", Condition.NOT_ZERO)
            asm.decrement(memory.left, store=memory.left, go="next")


def row_routines(code: Code) -> None:
    """`first_row`: take the first row of the command. `next_lane`: move on to the next lane.

    After `next_lane` A is zero if the lane is the first one of a new row.
    """
    asm, memory = code.asm, code.memory
    with asm.routine("first_row"):
        asm.copy(AluOp.INPUT_LOW, memory.row, do=Action.TAKE)
        asm.clear(store=memory.lane)
        asm.go_back()
    with asm.routine("next_lane"):
        asm.increment(memory.lane, store=memory.lane)
        asm.subtract(code.neurons)
        asm.go("new_row", Condition.ZERO)
        asm.go_back()
        asm.label("new_row")
        asm.increment(memory.row, store=memory.row)
        asm.clear(store=memory.lane)
        asm.go_back()


def _write_weight(code: Code) -> None:
    """Take a weight and write its halves to the current lane."""
    asm = code.asm
    asm.load(AluOp.INPUT_LOW, do=Action.PEEK)
    asm.keep(do=Action.WRITE_ROW, plane=Plane.LOWER)
    asm.load(AluOp.INPUT_HIGH, do=Action.TAKE)
    asm.keep(do=Action.WRITE_ROW, plane=Plane.UPPER)


def _write_velocity(code: Code) -> None:
    """Take a velocity of three halves and write its three digits to the current lane.

    A digit has one bit less than a half, so the halves above are doubled after each digit.
    """
    asm, memory = code.asm, code.memory
    low, high, top = memory.low, memory.high, memory.value
    asm.copy(AluOp.INPUT_LOW, low, do=Action.PEEK)
    asm.copy(AluOp.INPUT_HIGH, high, do=Action.TAKE)
    asm.copy(AluOp.INPUT_LOW, top, do=Action.TAKE)
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
    """Send the weight of the current lane."""
    asm = code.asm
    asm.keep(do=Action.READ_ROW, plane=Plane.LOWER)
    asm.load(AluOp.LANE, do=Action.SET_LOW)
    asm.keep(do=Action.READ_ROW, plane=Plane.UPPER)
    asm.load(AluOp.LANE, do=Action.SEND)


def _read_velocity(code: Code) -> None:
    """Send the velocity of the current lane, its three digits joined."""
    asm, memory = code.asm, code.memory
    middle, high = memory.high, memory.value
    asm.keep(do=Action.READ_ROW, plane=Plane.LOW_DIGITS)
    asm.copy(AluOp.LANE, memory.low)
    asm.keep(do=Action.READ_ROW, plane=Plane.MIDDLE_DIGITS)
    asm.copy(AluOp.LANE, middle)
    asm.keep(do=Action.READ_ROW, plane=Plane.HIGH_DIGITS)
    asm.copy(AluOp.LANE, high)
    # The top bit of the low half is the lowest bit of the middle digit, and the two top bits of the
    # high half are the two lowest bits of the high digit.
    tops = asm.cells.array([bits << VALUE_WIDTH - 2 for bits in range(4)])
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


def _shift_right(code: Code, cell: Cell, places: int) -> None:
    """A = the cell, shifted right with its sign."""
    asm = code.asm
    asm.load(cell, do=Action.SET_NUMBER)
    asm.load(places, do=Action.SET_SHIFT)
    asm.load(AluOp.NARROW)
