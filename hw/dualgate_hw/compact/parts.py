# SPDX-License-Identifier: BSD-2-Clause

"""What the parts of the compact engine share, and where things are in its memories."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from operator import or_

from amaranth import Module, signed, unsigned
from amaranth.hdl import Shape, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out
from amaranth.utils import ceil_log2

from dualgate.contract.formats import VALUE_WIDTH

from ..common.shapes import PRODUCT, VALUE, Shapes

BYTE = 8

SHIFT_BITS = 6
"""Of a narrowing shift; the next bit of its register says whether it rounds."""


class Plane(IntEnum):
    """What a word of the row memory holds of a row: one half or digit of each lane, or a sum."""

    LOW_DIGITS = 0
    MIDDLE_DIGITS = 1
    HIGH_DIGITS = 2
    LOWER = 3
    UPPER = 4
    SUMS = 5


DIGIT_PLANES = (Plane.LOW_DIGITS, Plane.MIDDLE_DIGITS, Plane.HIGH_DIGITS)
"""Of a velocity."""


@dataclass(frozen=True)
class Places:
    """Sizes and addresses of the compact engine's memories.

    Parameters
    ----------
    shapes : Shapes
    """

    shapes: Shapes

    @property
    def terms(self) -> int:
        """Most products in a sum."""
        return max(self.shapes.engine.inputs, self.shapes.engine.activations)

    @property
    def accumulator(self) -> Shape:
        """Of products of a byte, its sign included, and a weight; 32 bits hold 256 of them."""
        return signed(max(PRODUCT.width, BYTE + VALUE_WIDTH + ceil_log2(self.terms)))

    @property
    def total(self) -> Shape:
        """A sum of products of two 16-bit numbers."""
        return signed(self.accumulator.width + BYTE)

    @property
    def rows(self) -> int:
        """Places of a plane of the row memory: rows, or sums, one for each unit of a layer."""
        return max(self.shapes.engine.rows, self.units)

    # Lists of entries, one after the other.

    @property
    def hidden(self) -> int:
        """First entry of the hidden layers' lists; inputs come before."""
        return self.shapes.engine.inputs

    @property
    def vector(self) -> int:
        """First entry of a tag's vector."""
        return self.hidden + self.shapes.engine.activations

    @property
    def entries(self) -> int:
        """Entries of all lists."""
        return self.vector + self.shapes.engine.activations

    @property
    def units(self) -> int:
        """Places for a number of each unit of all layers."""
        return self.shapes.engine.vectors * self.shapes.neurons

    @property
    def outputs(self) -> int:
        """Places for a number of each output."""
        return self.shapes.engine.groups * self.shapes.neurons


class Use(wiring.Signature):
    """What is asked of the parts that are shared. Everything is low while nothing is.

    Members
    -------
    next : the place of an entry goes on
    indexed : the row is not the one set, but so many further as the entry's index says
    plane, read : a word of the row to read, there a cycle later
    row_write, row_data : lanes of it to write, and what
    clear : sums begin at zero; not along with `step`
    step : add the operands' products
    alone : either concerns the first lane only
    whole : each lane's product in its first sum alone, see `Multipliers`
    load_scalar, scalar : operand of all lanes
    load_row : operands of the lanes are the row that was read
    load_factor, factor : or move a lane up, and a number into the first
    """

    def __init__(self, places: Places) -> None:
        neurons = places.shapes.neurons
        super().__init__(
            {
                "next": Out(1),
                "indexed": Out(1),
                "plane": Out(Plane),
                "read": Out(1),
                "row_write": Out(neurons),
                "row_data": Out(unsigned(neurons * VALUE_WIDTH)),
                "clear": Out(1),
                "step": Out(1),
                "alone": Out(1),
                "whole": Out(1),
                "load_scalar": Out(1),
                "scalar": Out(VALUE),
                "load_row": Out(1),
                "load_factor": Out(1),
                "factor": Out(VALUE),
            }
        )


def row_layout(neurons: int) -> data.ArrayLayout:
    """A word of the row memory."""
    return data.ArrayLayout(unsigned(VALUE_WIDTH), neurons)


def merge(m: Module, uses: Sequence[wiring.PureInterface], into: wiring.PureInterface) -> None:
    """One asks at a time, and the others are low: so what is asked is the OR of all."""
    for name in into.signature.members:
        asked = [Value.cast(getattr(use, name)) for use in uses]
        m.d.comb += Value.cast(getattr(into, name)).eq(
            reduce(or_, (v.as_unsigned() for v in asked))
        )
