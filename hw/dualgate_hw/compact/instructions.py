# SPDX-License-Identifier: BSD-2-Clause

"""The compact engine's instructions.

An instruction takes two cycles: in the first its word of memory is read, in the second a result is
made of that word and the accumulator A, something is done with it, and the next instruction is
chosen. What it is chosen by is A as it was before.
"""

from dataclasses import dataclass
from enum import IntEnum

from amaranth import unsigned
from amaranth.lib import data


class AluOp(IntEnum):
    """What the result is, of the accumulator and the word or another source.

    All but `KEEP` make it the accumulator.
    """

    KEEP = 0
    LOAD = 1
    ADD = 2
    ADD_CARRY = 3
    SUBTRACT = 4
    SUBTRACT_BORROW = 5
    SUBTRACT_FROM = 6
    """The word less A."""
    MASK = 7
    INCREMENT = 8
    """The word and one."""
    DECREMENT = 9
    CLEAR = 10
    NARROW = 16
    SIGMOID = 17
    """The table of sigmoids at A."""
    EXP = 18
    INPUT_LOW = 19
    """Half of the word of a command that is there."""
    INPUT_HIGH = 20
    VALUE = 21
    """Of the entry at the place that was set."""
    INDEX = 22
    PLACE = 23
    """That place."""
    LANE = 24
    """The number of the lane that was set, of the word of a row that was read."""
    HIGHEST = 25
    """Place of the highest bit of all that was measured; bit 15 if anything is not zero."""
    CLIPPED = 26
    """Whether the number that was narrowed was clipped."""
    CLIPS = 27
    """How many numbers of a row were."""
    ROW_NONZERO = 28
    """Whether the word of a row that was read is not zero."""
    CYCLES_LOW = 29
    CYCLES_HIGH = 30


class Action(IntEnum):
    """What is done with the result."""

    NONE = 0
    STORE = 1
    """It becomes the word."""
    SET_X = 2
    SET_Y = 3
    SET_LINK = 4
    CALL = 5
    """Where the instruction is becomes the link, to come back behind it."""
    SET_PLACE = 6
    """Of an entry."""
    SET_INDEX = 7
    PUT_ENTRY = 8
    """It is the value, with the index that was set, of the entry at the place, which goes on."""
    SET_ROW = 9
    SET_SHIFT = 10
    """Of the narrower: places in bits 0 to 5; whether it rounds in bit 6."""
    SET_LANE = 11
    """The lane's sum is the number to narrow, and is measured."""
    SET_NUMBER = 12
    """It is, in 17 bits, the number to narrow, and is measured."""
    START_MEASURE = 13
    """From now on."""
    SET_SCALAR = 14
    """The operand of all lanes."""
    PUSH_FACTOR = 15
    """The operand of the first lane; those of the others move up."""
    MULTIPLY = 16
    """That, and its product with the scalar is the number to narrow; other lanes keep theirs."""
    ACCUMULATE = 17
    """That, and its product with the scalar is added to the lane's sum."""
    DOT_PRODUCT = 18
    """Sums of so many entries, from the place on, times rows."""
    OUTER_PRODUCT = 19
    """Products of so many entries and the factors are added to rows of velocities."""
    STEP_ROW = 20
    """A row takes its step, see `RowStepLoop`."""
    WAIT = 21
    """Until that is done."""
    READ_ROW = 22
    """A word of the row; of the plane of sums it is the number to narrow."""
    WRITE_ROW = 23
    """A is written to the lane of a word of the row; to the plane of sums the number to narrow."""
    PEEK = 24
    """Wait for a word of a command."""
    TAKE = 25
    """That, and take it."""
    SET_LOW = 26
    """The lower half of a word to send."""
    SEND = 27
    """The upper half: send it."""
    REPLY = 28
    """Send it, sign-extended."""
    START_CYCLES = 29
    """Count cycles, from it on."""
    STOP_CYCLES = 30
    """No longer."""


class Condition(IntEnum):
    """When the instruction goes to its target; of the accumulator as it was before."""

    NEVER = 0
    ALWAYS = 1
    ZERO = 2
    NOT_ZERO = 3
    NEGATIVE = 4
    """In 17 bits, so that a difference has its true sign."""
    NOT_NEGATIVE = 5
    CARRY = 6
    """Of the last sum or difference; of the latter it means that there was no borrow."""
    LINK = 7
    """Always, and to the link."""


@dataclass(frozen=True)
class Cell:
    """A word of memory, or the first of an array: X, or Y, is joined to an array's address."""

    address: int


def layout(address_bits: int, target_bits: int) -> data.StructLayout:
    """An instruction.

    Parameters
    ----------
    address_bits, target_bits : int
        Of addresses of words, and of instructions.
    """
    return data.StructLayout(
        {
            "op": unsigned(5),
            "action": unsigned(5),
            "address": address_bits,
            "condition": unsigned(3),
            "target": target_bits,
        }
    )
