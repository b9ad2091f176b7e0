"""What the steps of the compact engine share, and where things are in its memories."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import reduce
from operator import or_

from amaranth import Cat, Const, Module, signed, unsigned
from amaranth.hdl import Shape, Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2, exact_log2

from dualgate.engine import LAYER_WORDS
from dualgate.formats import VALUE_WIDTH

from ..layouts import ENTRY, LAYER, PRODUCT, VALUE, Shapes

BYTE = 8

UNINITIALISED = "uninitialised"
"""Attribute of a memory that nothing reads before it was written, see `bitstream.contents`."""

SHIFT_BITS = 6
"""Of a narrowing shift."""


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
    def bits(self) -> int:
        """Width of a bit length of a total."""
        return int(self.total.width).bit_length()

    @property
    def rows(self) -> int:
        """Places of a plane of the row memory: rows, or sums, one for each unit of a layer."""
        return max(self.shapes.engine.rows, self.units)

    # Lists, and what else has words of 32 bits. Inputs come first, where the loader puts them.
    # All begin at multiples of a power of two that holds them, so that a place within one is joined
    # to its beginning and not added.

    @property
    def _inputs(self) -> int:
        """Words of the first part."""
        engine = self.shapes.engine
        return max(_power(engine.inputs + 2 * self._beside), 2 * _power(engine.activations))

    @property
    def _beside(self) -> int:
        """Room for the descriptors, and for the masks: as much for either as the larger takes."""
        return max(LAYER_WORDS * _power(self.shapes.engine.layers), _power(self.shapes.mask_words))

    @property
    def descriptors(self) -> int:
        """First word of the descriptors, at the end of the first part."""
        return self._inputs - self._beside

    @property
    def masks(self) -> int:
        """First word of masks."""
        return self.descriptors - self._beside

    @property
    def hidden(self) -> int:
        """First entry of the hidden layers' lists."""
        return self._inputs

    @property
    def vector(self) -> int:
        """First entry of a tag's vector."""
        return self.hidden + _power(self.shapes.engine.activations)

    @property
    def entries(self) -> int:
        """Words of that memory."""
        return 2 * self._inputs

    # Words of 16 bits: four parts of a power of two of places, targets first.

    @property
    def units(self) -> int:
        """Places for a number of each unit of all layers."""
        return self.shapes.engine.vectors * self.shapes.neurons

    @property
    def _part(self) -> int:
        engine = self.shapes.engine
        targets = engine.groups * engine.neurons + engine.layers
        return _power(max(self.units, targets))

    def count(self, index: Value) -> Value:
        """Place of the number of entries of a layer's list: from the end of the targets back."""
        bits = exact_log2(self._part)
        return ~Cat(index, Const(0, bits - len(index)))

    @property
    def outputs(self) -> int:
        """First value of the output layer."""
        return self._part

    @property
    def slopes(self) -> int:
        """First slope."""
        return 2 * self._part

    @property
    def updates(self) -> int:
        """First update scalar."""
        return 3 * self._part

    @property
    def words(self) -> int:
        """Words of that memory."""
        return 4 * self._part

    def unit(self, layer: data.View, index: Value) -> Value:
        """Which of `units` is a layer's unit."""
        return (layer.vector_base << ceil_log2(self.shapes.neurons)) + index


def _power(count: int) -> int:
    """The least power of two that is not below `count`."""
    return 1 << (count - 1).bit_length()


class Use(wiring.Signature):
    """What a step asks of the shared parts. Everything is low while it asks for nothing.

    Members
    -------
    fetch, index : which descriptor is wanted
    entry_at : entry to read, there a cycle later
    entry_write, entry : or to write
    word_at, word_write, word : the same of words of 16 bits
    plane, row : word of the row memory to read, there a cycle later, or to write
    row_write, row_data : lanes to write, and what
    walk, first, count, base : adds up the products of a list's entries with rows
    clear : sums begin at zero; not along with `step`
    step : add the operands' products
    whole : each lane's product in its first sum alone, see `Multipliers`
    load_scalar, scalar : operand of all lanes
    load_row : operands of the lanes are the row that was read
    load_factor, factor : or move a lane down, and a number into the last
    take, lane : a lane's sum is the number to narrow
    hold, direct : or a number of the step's own
    shift, rounds : by how much it is shifted right, and whether rounded
    """

    def __init__(self, places: Places) -> None:
        shapes = places.shapes
        entries, words = range(places.entries), range(places.words)
        super().__init__(
            {
                "fetch": Out(1),
                "index": Out(range(shapes.engine.layers)),
                "entry_at": Out(entries),
                "entry_write": Out(1),
                "entry": Out(ENTRY),
                "word_at": Out(words),
                "word_write": Out(1),
                "word": Out(VALUE),
                "plane": Out(Plane),
                "row": Out(range(places.rows)),
                "row_write": Out(shapes.neurons),
                "row_data": Out(unsigned(shapes.neurons * VALUE_WIDTH)),
                "walk": Out(1),
                "first": Out(entries),
                "count": Out(shapes.unit),
                "base": Out(range(places.rows)),
                "clear": Out(1),
                "step": Out(1),
                "whole": Out(1),
                "load_scalar": Out(1),
                "scalar": Out(VALUE),
                "load_row": Out(1),
                "load_factor": Out(1),
                "factor": Out(VALUE),
                "take": Out(1),
                "lane": Out(range(shapes.neurons)),
                "hold": Out(1),
                "direct": Out(places.total),
                "shift": Out(SHIFT_BITS),
                "rounds": Out(1),
            }
        )


class Seen(wiring.Signature):
    """What every step sees of the shared parts.

    Members
    -------
    fetched : `layer` is the descriptor wanted
    layer : the descriptor that was fetched last
    entry, word, row : what was read
    walking : sums are not complete
    products : the lanes' products, where they are `whole`
    total : number to narrow, a cycle after it was taken
    nonzero : whether it is not zero
    bits : bit length of its magnitude, of the one's complement if negative
    narrow, clipped : `total` of the cycle before, shifted and clipped to 16 bits; if it was
    """

    def __init__(self, places: Places) -> None:
        neurons = places.shapes.neurons
        super().__init__(
            {
                "fetched": In(1),
                "layer": In(LAYER),
                "entry": In(ENTRY),
                "word": In(VALUE),
                "row": In(data.ArrayLayout(unsigned(VALUE_WIDTH), neurons)),
                "walking": In(1),
                "products": In(data.ArrayLayout(PRODUCT, neurons)),
                "total": In(places.total),
                "nonzero": In(1),
                "bits": In(places.bits),
                "narrow": In(VALUE),
                "clipped": In(1),
            }
        )


def load_numbers(m: Module, use: wiring.PureInterface, scalar: Value, factor: Value) -> None:
    """Two numbers are the operands of the last lane."""
    m.d.comb += [
        use.load_scalar.eq(1),
        use.scalar.eq(scalar),
        use.load_factor.eq(1),
        use.factor.eq(factor),
    ]


def take_last(m: Module, use: wiring.PureInterface) -> None:
    """The last lane's sum is the number to narrow."""
    m.d.comb += [use.take.eq(1), use.lane.eq(~0)]


def merge(m: Module, uses: Sequence[wiring.PureInterface], into: wiring.PureInterface) -> None:
    """One step asks at a time, and the others are low: so what is asked is the OR of all."""
    for name in into.signature.members:
        asked = [Value.cast(getattr(use, name)) for use in uses]
        m.d.comb += Value.cast(getattr(into, name)).eq(
            reduce(or_, (v.as_unsigned() for v in asked))
        )
