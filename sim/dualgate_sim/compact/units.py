# SPDX-License-Identifier: BSD-2-Clause

"""The units around the sequencer: lists, multipliers, narrower, tables, and loops over rows.

An action takes effect at once. The three loops return the cycles from their start to the first
cycle in which they are not busy.
"""

import numpy as np

from dualgate.contract.activations import EXP_TABLE, SIGMOID_TABLE, TABLE_BITS
from dualgate.contract.formats import VALUE_WIDTH
from dualgate_hw.compact.instructions import Action, AluOp
from dualgate_hw.compact.parts import SHIFT_BITS, Places, Plane

from .numbers import MASK, Acts, Sources, clip, signed
from .rows import Ints, Rows

DOT_PRODUCT_END = 4
"""Cycles of a dot product besides one for each entry."""

OUTER_PRODUCT_CYCLES, OUTER_PRODUCT_END = 7, 1
"""Cycles of an outer product for each entry, and besides those of all entries."""

LANE_CYCLES, STEP_ROW_END = 35, 1
"""Cycles of a row's step for each lane, and besides those of all lanes.

A lane takes one cycle more for each digit by which its step is shifted down.
"""


class Units:
    """The state of the units, and the operations and actions of instructions on them.

    Parameters
    ----------
    places : Places
    """

    def __init__(self, places: Places) -> None:
        self._neurons = places.shapes.neurons
        self._rows = Rows(places)
        self._values = np.zeros(places.entries, np.int64)
        self._indices = np.zeros(places.entries, np.int64)
        self._place = self._index = self._row = self._lane = 0
        self._scalar = 0
        self._factors = [0] * self._neurons
        self._sums = [0] * self._neurons
        # The narrower's number, the OR of all magnitudes measured, and whether any was nonzero.
        self._total = self._longest = 0
        self._some = False
        self._shift = self._rounds = 0
        self._read = [0] * self._neurons
        self._clips = 0

    def sources(self) -> Sources:
        """Operations that load a result of a unit."""
        return {
            AluOp.NARROW: lambda _: self._narrowed(),
            AluOp.CLIPPED: lambda _: int(self._narrowed() != self._shifted()),
            AluOp.HIGHEST: lambda _: signed(
                max(0, self._longest.bit_length() - 1) | self._some << VALUE_WIDTH - 1
            ),
            AluOp.VALUE: lambda _: int(self._values[self._place]),
            AluOp.INDEX: lambda _: int(self._indices[self._place]),
            AluOp.PLACE: lambda _: self._place,
            AluOp.LANE: lambda _: signed(self._read[self._lane]),
            AluOp.ROW_NONZERO: lambda _: int(any(self._read)),
            AluOp.CLIPS: lambda _: self._clips,
        }

    def actions(self) -> Acts:
        """Actions on registers of the units."""
        return {
            Action.SET_PLACE: self._set_place,
            Action.SET_INDEX: self._set_index,
            Action.PUT_ENTRY: self._put,
            Action.SET_ROW: self._set_row,
            Action.SET_SHIFT: self._set_shift,
            Action.SET_LANE: self._set_lane,
            Action.SET_NUMBER: self._set_number,
            Action.START_MEASURE: self._start_measure,
            Action.SET_SCALAR: self._set_scalar,
            Action.PUSH_FACTOR: self._push_factor,
            Action.MULTIPLY: self._multiply,
            Action.ACCUMULATE: self._accumulate,
        }

    @staticmethod
    def sigmoid(index: int) -> int:
        """Return an entry of the table of sigmoids."""
        return signed(SIGMOID_TABLE[index & (1 << TABLE_BITS) - 1])

    @staticmethod
    def exp(index: int) -> int:
        """Return an entry of the table of powers."""
        return signed(EXP_TABLE[index & (1 << TABLE_BITS) - 1])

    # Lists.

    def _set_place(self, result: int) -> None:
        self._place = result & MASK

    def _set_index(self, result: int) -> None:
        self._index = result & MASK

    def _put(self, result: int) -> None:
        self._values[self._place] = signed(result)
        self._indices[self._place] = self._index
        self._place += 1

    # Multipliers and narrower.

    def _set_scalar(self, result: int) -> None:
        self._scalar = signed(result)

    def _push_factor(self, result: int) -> None:
        self._factors = [signed(result), *self._factors[:-1]]

    def _multiply(self, result: int) -> None:
        self._push_factor(result)
        self._total = self._sums[0] = self._scalar * self._factors[0]

    def _accumulate(self, result: int) -> None:
        self._push_factor(result)
        self._sums[0] += self._scalar * self._factors[0]

    def _set_shift(self, result: int) -> None:
        self._shift = result & (1 << SHIFT_BITS) - 1
        self._rounds = result >> SHIFT_BITS & 1

    def _shifted(self) -> int:
        return (2 * self._total >> self._shift) + self._rounds >> 1

    def _narrowed(self) -> int:
        return clip(self._shifted(), VALUE_WIDTH)

    def _set_lane(self, result: int) -> None:
        self._lane = result & self._neurons - 1
        self._set_number(self._sums[self._lane])

    def _set_number(self, number: int) -> None:
        """Take a number to narrow, and measure it."""
        self._total = number
        self._longest |= ~number if number < 0 else number
        self._some |= number != 0

    def _start_measure(self, _: int) -> None:
        self._longest, self._some = 0, False

    # Rows.

    def _set_row(self, result: int) -> None:
        self._row = result & MASK

    def read(self, plane: int) -> None:
        """Read a word of the row, or a sum, which becomes the number to narrow."""
        if plane == Plane.SUMS:
            self._total = self._rows.sums[self._row]
        else:
            self._read = self._rows.read(plane, self._row)

    def write(self, plane: int, number: int) -> None:
        """Write a number to the row's lane, or the number to narrow as a sum."""
        if plane == Plane.SUMS:
            self._rows.sums[self._row] = self._total
        else:
            self._rows.write(plane, self._row, self._lane, number)

    def dot_product(self, count: int) -> int:
        """Add up the products of entries, from the place on, and rows; return the cycles."""
        self._sums = self._rows.sum_products(*self._entries(count))
        return count + DOT_PRODUCT_END if count else 0

    def outer_product(self, count: int) -> int:
        """Add the products of entries and factors to rows of velocities; return the cycles."""
        self._rows.add_products(*self._entries(count), self._factors)
        return OUTER_PRODUCT_CYCLES * count + OUTER_PRODUCT_END

    def step_row(self, drops: int, power: int, momentum: int) -> int:
        """Move the row's weights, and multiply its velocities by `momentum`; return the cycles."""
        self._clips = self._rows.step(self._row, drops, power, momentum)
        return self._neurons * (LANE_CYCLES + drops) + STEP_ROW_END

    def _entries(self, count: int) -> tuple[Ints, Ints]:
        """Return the values and rows of entries from the place on, and move the place past them."""
        found = slice(self._place, self._place + count)
        self._place += count
        return self._values[found], self._row + self._indices[found]
