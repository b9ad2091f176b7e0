# SPDX-License-Identifier: BSD-2-Clause

"""The instruction set of the compact engine.

An instruction names one 16-bit cell of the data memory and does three things: it computes a result
from the accumulator A and the cell or another source (`AluOp`), does something with the result
(`Action`), and chooses the next instruction (`Condition`). It takes two cycles: the cell is read in
the first, everything else happens in the second. The condition tests A as the instruction before
left it.

The descriptions below use these registers of the engine; each is set by the action of its name:

- *place*: position of an entry in the memory of lists; *index*: index of the next entry written
- *row* and *lane*: the row of the row memory and the lane that instructions read or write
- *shift*: how far the narrower shifts, and whether it rounds
- *scalar* and one *factor* a lane: operands of the multipliers
- *X* and *Y*: offsets joined to the addresses of arrays and of descriptor fields
- *link*: the instruction that `Condition.LINK` goes to
"""

from dataclasses import dataclass
from enum import IntEnum

from amaranth import unsigned
from amaranth.lib import data


class AluOp(IntEnum):
    """The result of an instruction.

    The result has 17 bits, so that a sum or a difference keeps its sign. Its lower 16 bits become
    A, except with `KEEP`. The operations up to `CLEAR` compute it from A and the cell; the others,
    from `NARROW` on, load one of the engine's registers (a *source*).
    """

    KEEP = 0
    """A; A and its sign stay as they are."""
    LOAD = 1
    """The cell."""
    ADD = 2
    """A plus the cell; sets the carry."""
    ADD_CARRY = 3
    """A plus the cell plus the carry; sets the carry."""
    SUBTRACT = 4
    """A minus the cell; sets the carry if there is no borrow."""
    SUBTRACT_BORROW = 5
    """A minus the cell, minus 1 if the carry is clear; sets the carry if there is no borrow."""
    SUBTRACT_FROM = 6
    """The cell minus A; sets the carry if there is no borrow."""
    MASK = 7
    """Bitwise AND of A and the cell."""
    INCREMENT = 8
    """The cell plus 1; the carry stays."""
    DECREMENT = 9
    """The cell minus 1; the carry stays."""
    CLEAR = 10
    """Zero."""
    NARROW = 16
    """The narrower's number, shifted, rounded if so set, and clipped to 16 bits. It is valid from
    the instruction after `SET_NUMBER` or `SET_SHIFT` on, and from the second instruction after
    `SET_LANE`, `MULTIPLY` or `READ_ROW`."""
    SIGMOID = 17
    """Entry A of the sigmoid table. The table takes two cycles, so A must have been set two or more
    instructions before."""
    EXP = 18
    """Entry A of the exponential table. The table takes two cycles, so A must have been set two or
    more instructions before."""
    INPUT_LOW = 19
    """Lower half of the command word at the input. It is valid from `PEEK` to `TAKE`, and in an
    instruction that does `TAKE` without a `PEEK` before."""
    INPUT_HIGH = 20
    """Upper half of the command word at the input. It is valid from `PEEK` to `TAKE`, and in an
    instruction that does `TAKE` without a `PEEK` before."""
    VALUE = 21
    """Value of the entry at *place*."""
    INDEX = 22
    """Index of the entry at *place*."""
    PLACE = 23
    """The register *place*."""
    LANE = 24
    """The 16 bits of *lane* in the row word that was read last."""
    HIGHEST = 25
    """Position of the highest bit set in any magnitude measured since `START_MEASURE`; bit 15 is
    set, which makes the result negative, if any of the numbers was not zero. The magnitude of a
    negative number is its ones' complement. It is valid from the second instruction after the last
    measured number on."""
    CLIPPED = 26
    """1 if the narrower's number was clipped to 16 bits, else 0; valid as `NARROW` is."""
    CLIPS = 27
    """Number of weights and velocities clipped by the last `STEP_ROW`."""
    ROW_NONZERO = 28
    """1 if the row word that was read last is not zero, else 0."""
    CYCLES_LOW = 29
    """Lower half of the 32-bit cycle counter."""
    CYCLES_HIGH = 30
    """Upper half of the 32-bit cycle counter."""


class Action(IntEnum):
    """The use that an instruction makes of its result."""

    NONE = 0
    """Nothing besides setting A."""
    STORE = 1
    """Write the result to the cell."""
    SET_X = 2
    """Set X, the offset joined to the addresses of arrays."""
    SET_Y = 3
    """Set Y, the offset joined to the addresses of descriptor fields."""
    SET_LINK = 4
    """Set *link* to the result, the position of an instruction."""
    CALL = 5
    """Set *link* to the next instruction, so that a routine can return there."""
    SET_PLACE = 6
    """Set *place*, the position in the memory of lists."""
    SET_INDEX = 7
    """Set *index*, the index that the next `PUT_ENTRY` writes."""
    PUT_ENTRY = 8
    """Write an entry, the result with *index*, at *place*, and move *place* on by one."""
    SET_ROW = 9
    """Set *row*, which `READ_ROW`, `WRITE_ROW` and the hardware loops use."""
    SET_SHIFT = 10
    """Set the narrower's shift to bits 0 to 5 of the result; it rounds if bit 6 is set, and else
    rounds down."""
    SET_LANE = 11
    """Set *lane*, and give the lane's sum to the narrower, which measures it."""
    SET_NUMBER = 12
    """Give all 17 bits of the result to the narrower, which measures them."""
    START_MEASURE = 13
    """Forget all measured numbers; `AluOp.HIGHEST` covers the numbers from here on."""
    SET_SCALAR = 14
    """Set the scalar, one operand of the multipliers of all lanes."""
    PUSH_FACTOR = 15
    """Move each lane's factor to the next lane, and make the result the first lane's factor."""
    MULTIPLY = 16
    """Push the factor as `PUSH_FACTOR` does, make its product with the scalar the first lane's
    sum, and give that to the narrower. The other lanes keep their sums."""
    ACCUMULATE = 17
    """Push the factor as `PUSH_FACTOR` does, and add its product with the scalar to the first
    lane's sum. The other lanes keep their sums."""
    DOT_PRODUCT = 18
    """Start `DotProductLoop`: clear the lanes' sums, then add up the products of the entries from
    *place* on with rows, counted from *row*. The result is the number of entries; zero only clears
    the sums."""
    OUTER_PRODUCT = 19
    """Start `OuterProductLoop`: add the products of the entries from *place* on with the lanes'
    factors to the velocities of rows, counted from *row*. The result is the number of entries, at
    least one."""
    STEP_ROW = 20
    """Start `RowStepLoop` on *row*: its weights take their step, its velocities keep their
    momentum. The result is the number of digits that the step is shifted down by."""
    WAIT = 21
    """Hold the sequencer until no hardware loop is busy."""
    READ_ROW = 22
    """Read a word of *row*; the address of the instruction is the `Plane`. A sum, from
    `Plane.SUMS`, is also given to the narrower, which does not measure it."""
    WRITE_ROW = 23
    """Write A to *lane* of a word of *row*; the address of the instruction is the `Plane`. In
    `Plane.SUMS` the whole word is written, with the narrower's number at its full width."""
    PEEK = 24
    """Hold the sequencer until there is a command word at the input; leave it there."""
    TAKE = 25
    """Hold the sequencer until there is a command word at the input, and take it."""
    SET_LOW = 26
    """Set the lower half of the next response word."""
    SEND = 27
    """Send a response word whose upper half is the result, and whose lower half was set by
    `SET_LOW`. Hold the sequencer until the word is taken."""
    REPLY = 28
    """Send the result, sign-extended from 16 to 32 bits, as a response word. Hold the sequencer
    until the word is taken."""
    START_CYCLES = 29
    """Start the cycle counter from the result. It does not count cycles in which the sequencer
    waits for a command word."""
    STOP_CYCLES = 30
    """Stop the cycle counter, which keeps its count."""


class Condition(IntEnum):
    """When an instruction goes to its target instead of to the next instruction.

    A is the accumulator before the instruction, and the sign and the carry are those of earlier
    instructions.
    """

    NEVER = 0
    """Always go on with the next instruction."""
    ALWAYS = 1
    """Always go to the target."""
    ZERO = 2
    """Go to the target if A is zero."""
    NOT_ZERO = 3
    """Go to the target if A is not zero."""
    NEGATIVE = 4
    """Go to the target if the 17-bit result that became A was negative, so that a difference is
    tested by its true sign."""
    NOT_NEGATIVE = 5
    """Go to the target if the 17-bit result that became A was not negative."""
    CARRY = 6
    """Go to the target if the last sum had a carry, or the last difference had no borrow."""
    LINK = 7
    """Always go to *link*; the instruction's own target is not used."""


@dataclass(frozen=True)
class Cell:
    """A 16-bit cell of the data memory, or the first cell of an array.

    X is joined (ORed) to the address of a cell in an array, and Y to that of a descriptor field.
    The address of a cell that is neither, a *single* cell, is used as it is.

    Parameters
    ----------
    address : int
        Address as the assembler counts; `Assembler.address` gives the final one.
    """

    address: int


def instruction_layout(address_bits: int, target_bits: int) -> data.StructLayout:
    """Layout of an instruction.

    Parameters
    ----------
    address_bits : int
        Width of the address of a cell.
    target_bits : int
        Width of the position of an instruction.
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
