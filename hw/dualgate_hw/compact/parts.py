# SPDX-License-Identifier: BSD-2-Clause

"""Definitions that the compact engine's components share: memory sizes and datapath control."""

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
"""Bits of a byte, by which the multipliers split a scalar."""

SHIFT_BITS = 6
"""Bits of the narrower's shift; the next bit of its register says whether it rounds."""


class Plane(IntEnum):
    """Part of a row that one word of the row memory holds.

    A word has, for each lane, a half of its weight or a digit of its velocity; or it is one sum.
    """

    LOW_DIGITS = 0
    MIDDLE_DIGITS = 1
    HIGH_DIGITS = 2
    LOWER = 3
    UPPER = 4
    SUMS = 5


DIGIT_PLANES = (Plane.LOW_DIGITS, Plane.MIDDLE_DIGITS, Plane.HIGH_DIGITS)
"""The planes of a velocity's digits, the lowest first."""


@dataclass(frozen=True)
class Places:
    """Sizes and addresses of the compact engine's memories.

    The memory of lists holds three kinds of list, one behind the other: inputs, values of hidden
    layers, and the vector of a tag.

    Parameters
    ----------
    shapes : Shapes
        Widths that follow from the engine's parameters.
    """

    shapes: Shapes

    @property
    def terms(self) -> int:
        """Largest number of products in a sum."""
        return max(self.shapes.engine.inputs, self.shapes.engine.activations)

    @property
    def accumulator(self) -> Shape:
        """Shape of a sum of products of a signed byte and a weight; 32 bits hold 256 of them."""
        return signed(max(PRODUCT.width, BYTE + VALUE_WIDTH + ceil_log2(self.terms)))

    @property
    def total(self) -> Shape:
        """Shape of a sum of products of two 16-bit numbers."""
        return signed(self.accumulator.width + BYTE)

    @property
    def rows(self) -> int:
        """Words of a plane of the row memory: rows, or sums, one for each unit of a layer."""
        return max(self.shapes.engine.rows, self.units)

    @property
    def hidden(self) -> int:
        """Place of the first entry of the hidden layers' lists, behind the inputs."""
        return self.shapes.engine.inputs

    @property
    def vector(self) -> int:
        """Place of the first entry of a tag's vector, behind the hidden layers' lists."""
        return self.hidden + self.shapes.engine.activations

    @property
    def entries(self) -> int:
        """Number of entries of all lists."""
        return self.vector + self.shapes.engine.activations

    @property
    def units(self) -> int:
        """Length of an array with a number for each unit of all layers."""
        return self.shapes.engine.vectors * self.shapes.neurons

    @property
    def outputs(self) -> int:
        """Length of an array with a number for each output."""
        return self.shapes.engine.groups * self.shapes.neurons


class Control(wiring.Signature):
    """Control signals of the shared datapath: list entries, row memory and multipliers.

    The program and each hardware loop drive a set of their own, of which only one is active at a
    time. A set that is not active is all zero, so that `merge` can OR them.

    Parameters
    ----------
    places : Places
        Sizes of the engine's memories.

    Members
    -------
    `next` : Out(1)
        Moves the current place on to the next entry.
    `indexed` : Out(1)
        Adds the current entry's index to the row that the program set.
    `plane` : Out(Plane)
        Plane of the row memory to read or write.
    `read` : Out(1)
        Reads a row word, which is valid a cycle later.
    `row_write` : Out(neurons)
        Lanes of the row word to write.
    `row_data` : Out(neurons * 16)
        Row word to write.
    `clear` : Out(1)
        Clears the lanes' sums. Must be low while `step` is high.
    `step` : Out(1)
        Adds the product of the operands to each lane's sum.
    `alone` : Out(1)
        Restricts `clear` and `step` to the first lane.
    `whole` : Out(1)
        Puts each lane's whole product into its first sum, see `Multipliers`.
    `load_scalar` : Out(1)
        Loads `scalar`.
    `scalar` : Out(VALUE)
        The operand that all lanes share.
    `load_row` : Out(1)
        Makes the row word that was read last the lanes' factors.
    `load_factor` : Out(1)
        Moves each factor to the next lane and loads `factor` into the first one.
    `factor` : Out(VALUE)
        Factor of the first lane.
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
    """Layout of a word of the row memory: 16 bits for each of N lanes."""
    return data.ArrayLayout(unsigned(VALUE_WIDTH), neurons)


def merge(m: Module, controls: Sequence[wiring.PureInterface], into: wiring.PureInterface) -> None:
    """Drive `into` with the OR of sets of control signals, of which at most one is not zero.

    Parameters
    ----------
    m : Module
        Takes the assignments.
    controls : sequence of interfaces
        Sets of control signals.
    into : interface
        The merged set.
    """
    for name in into.signature.members:
        driven = [Value.cast(getattr(control, name)) for control in controls]
        m.d.comb += Value.cast(getattr(into, name)).eq(
            reduce(or_, (v.as_unsigned() for v in driven))
        )
