# SPDX-License-Identifier: BSD-2-Clause

"""Allocation of the data memory of the compact engine's program.

The memory has three parts, and the part of an address decides what the sequencer joins to it: first
the fields of the layers' descriptors (Y is joined), then arrays (X), then single cells (nothing).
"""

from collections.abc import Callable, Sequence

from amaranth import Const
from amaranth.utils import ceil_log2

from ..common.shapes import VALUE
from .instructions import Cell

_SINGLES = 1 << 20
"""Provisional address of the first single cell, used until the number of cells before it is known.
"""


class Cells:
    """Reserves cells and gives them initial values.

    A value is a number, or the name of an entry of the program, which stands for its position.

    Parameters
    ----------
    descriptors : int
        Number of cells of all descriptors.
    """

    def __init__(self, descriptors: int) -> None:
        self._arrays: list[int | str] = [0] * descriptors
        self._singles: list[int | str] = []
        self._constants: dict[int | str, Cell] = {}

    def array(self, values: Sequence[int | str]) -> Cell:
        """Reserve an array at a multiple of a power of two that holds it, so that X can be ORed.

        Parameters
        ----------
        values : sequence of int or str
        """
        size = 1 << ceil_log2(len(values))
        self._arrays += [0] * (-len(self._arrays) % size)
        first = Cell(len(self._arrays))
        self._arrays += values
        return first

    def variable(self) -> Cell:
        """Reserve a single cell, initially zero."""
        self._singles.append(0)
        return Cell(_SINGLES + len(self._singles) - 1)

    def constant(self, value: int | str) -> Cell:
        """Return the single cell of a constant; equal constants share one.

        Parameters
        ----------
        value : int or str
        """
        value = value & 0xFFFF if isinstance(value, int) else value
        if value not in self._constants:
            self._constants[value] = self.variable()
            self._singles[-1] = value
        return self._constants[value]

    @property
    def first_single(self) -> int:
        """Address of the first single cell; descriptors and arrays come before."""
        return len(self._arrays)

    @property
    def depth(self) -> int:
        """Number of cells."""
        return len(self._arrays) + len(self._singles)

    def address(self, cell: Cell) -> int:
        """Address of a cell in the memory, once everything is reserved."""
        number = cell.address
        return number if number < _SINGLES else number - _SINGLES + self.first_single

    def contents(self, position: Callable[[str], int]) -> list[int]:
        """Initial contents of the memory, as signed numbers.

        Parameters
        ----------
        position : callable
            Position of an entry of the program, by its name.
        """
        values = (*self._arrays, *self._singles)
        numbers = [position(value) if isinstance(value, str) else value for value in values]
        return [Const(number, VALUE).value for number in numbers]
