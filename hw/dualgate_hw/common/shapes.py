# SPDX-License-Identifier: BSD-2-Clause

"""Shapes that components of the gateware share, derived from the definitions in the contract."""

from dataclasses import dataclass

from amaranth import Cat, signed, unsigned
from amaranth.hdl import Shape, ShapeLike, Value, ValueLike
from amaranth.lib import data, memory
from amaranth.utils import ceil_log2

from dualgate.contract.commands import SETTINGS_FIELDS
from dualgate.contract.engine import WORD_BITS, EngineParameters
from dualgate.contract.formats import MASTER_WIDTH, VALUE_WIDTH, VELOCITY_WIDTH, sum_width
from dualgate.contract.layout import LAYER_FIELDS

VALUE = signed(VALUE_WIDTH)
PRODUCT = signed(2 * VALUE_WIDTH)
MASTER = signed(MASTER_WIDTH)
VELOCITY = signed(VELOCITY_WIDTH)
WORD = unsigned(WORD_BITS)
"""A word of a command or a response."""

INDEX = unsigned(16)
"""Index of a unit, a row or a list position, as wide as in a descriptor.

`Shapes` has the narrower shapes that suffice for an engine of given size.
"""


def _struct(fields: tuple[tuple[str, int], ...]) -> data.StructLayout:
    return data.StructLayout({name: unsigned(bits) for name, bits in fields})


LAYER = _struct(LAYER_FIELDS)
"""A layer descriptor, see `dualgate.contract.layout.LAYER_FIELDS`."""

SETTINGS = _struct(SETTINGS_FIELDS)
"""Settings, which may change from batch to batch, see `dualgate.contract.settings.Settings`."""

ENTRY = data.StructLayout({"value": VALUE, "index": INDEX})
"""An entry of a list of nonzeros; its bits are those of the word that carries it in a command."""

OUTPUT = data.StructLayout({"value": VALUE, "slope": VALUE})
"""Value and slope of an output unit; for softmax the value is the pre-activation."""


def vector(neurons: int, shape: ShapeLike = VALUE) -> data.ArrayLayout:
    """Return the layout of a memory word of `neurons` numbers."""
    return data.ArrayLayout(shape, neurons)


@dataclass(frozen=True)
class Shapes:
    """Shapes and widths that follow from the parameters of an engine.

    Parameters
    ----------
    engine : EngineParameters
        Parameters of the engine.
    contexts : int
        Number of samples in flight; each has its own bank in every memory of samples. At least 2,
        except in the compact engine, which has 1.
    slots : int
        Number of tags in flight in the tangent lane. At least 2.
    threads : int
        Number of samples in flight in the value lane. At least 2.
    listed : int
        Entries of the ring that holds the input lists of all samples in flight, a power of two;
        0 stands for the largest number that all contexts together can use.

    Raises
    ------
    ValueError
        If the ring of `listed` entries is smaller than one list, or its size no power of two.
    """

    engine: EngineParameters
    contexts: int = 8
    slots: int = 8
    threads: int = 3
    listed: int = 0

    def __post_init__(self) -> None:
        if self.listed and not self.engine.inputs <= self.listed == 1 << ceil_log2(self.listed):
            raise ValueError(f"a ring of {self.listed} entries for lists of {self.engine.inputs}")

    @property
    def neurons(self) -> int:
        """N, the number of neurons computed side by side."""
        return self.engine.neurons

    @property
    def lanes(self) -> int:
        """K, the number of tangents of a slot."""
        return self.engine.tangent_lanes

    @property
    def unit(self) -> Shape:
        """Index of a unit, and position in or length of a list."""
        engine = self.engine
        most = max(engine.inputs, engine.activations, engine.groups * engine.neurons)
        return unsigned(most.bit_length())

    @property
    def entry(self) -> data.StructLayout:
        """`ENTRY` with an index of only the bits that the engine needs."""
        return data.StructLayout({"value": VALUE, "index": self.unit})

    @property
    def pair(self) -> data.ArrayLayout:
        """A memory word of two entries of an input list."""
        return data.ArrayLayout(self.entry, 2)

    @property
    def pairs(self) -> int:
        """Number of pairs in the ring of input lists."""
        every = 1 << ceil_log2(self.contexts) + ceil_log2(self.engine.inputs)
        return max(2, self.listed or every) // 2

    @property
    def place(self) -> Shape:
        """Position of a pair in that ring, with one more bit to tell full from empty."""
        return unsigned(ceil_log2(self.pairs) + 1)

    @property
    def row(self) -> Shape:
        """Index of a row of the weight memory."""
        return unsigned(self.engine.rows.bit_length())

    @property
    def strip(self) -> int:
        """Number of lanes of a strip, see `EngineParameters.strip`."""
        return self.engine.strip

    @property
    def strip_bits(self) -> int:
        """Bits of the index of a strip in its row."""
        return (self.engine.strips - 1).bit_length()

    @property
    def strip_index(self) -> Shape:
        """Index of a strip among those of all rows, row after row."""
        return unsigned(self.row.width + self.strip_bits)

    @property
    def group(self) -> Shape:
        """Index or number of the groups of a layer."""
        return unsigned(self.engine.groups.bit_length())

    @property
    def word(self) -> Shape:
        """Index of a memory word of slopes or update scalars."""
        return unsigned(self.engine.vectors.bit_length())

    @property
    def value_sum(self) -> Shape:
        """Sum of one product for each entry of the longest list."""
        return signed(sum_width(max(self.engine.inputs, self.engine.activations)))

    @property
    def tangent_sum(self) -> Shape:
        """Sum of one product for each unit of a hidden layer; its bias has no tangent."""
        return signed(sum_width(max(1, self.engine.activations - 1)))

    @property
    def norm(self) -> Shape:
        """Shift that brings the sums of a tangent into 16 bits."""
        return unsigned((self.tangent_sum.width - VALUE_WIDTH).bit_length())

    def narrow(self, layer: data.View) -> dict[str, Value]:
        """Cut the fields of a descriptor to the bits that a network which fits can use."""
        units = dict.fromkeys(("inputs", "outputs", "list_base"), self.unit)
        widths = {**units, "groups": self.group, "weight_base": self.row, "vector_base": self.word}
        return {
            name: layer[name][: widths[name].width] if name in widths else layer[name]
            for name, _ in LAYER_FIELDS
        }

    @property
    def context(self) -> int:
        """Bits of the index of a context."""
        return (self.contexts - 1).bit_length()

    @property
    def slot(self) -> int:
        """Bits of the index of a slot."""
        return (self.slots - 1).bit_length()

    @property
    def vector(self) -> data.ArrayLayout:
        """A memory word of N values."""
        return vector(self.neurons)

    @property
    def vectors(self) -> data.ArrayLayout:
        """A memory word of N values for each tangent of a slot."""
        return data.ArrayLayout(self.vector, self.lanes)

    @property
    def mask_words(self) -> int:
        """Number of mask words of a sample: one bit for each entry of its lists of values."""
        return -(-self.engine.activations // WORD_BITS)

    @property
    def token(self) -> data.StructLayout:
        """A sample on its way from lane to lane: its context, and whether it is to train."""
        return data.StructLayout({"context": unsigned(self.context), "train": unsigned(1)})

    def read(self, depth: int, shape: ShapeLike, owners: int = 1) -> memory.ReadPort.Signature:
        """Return the signature of a read port of a memory with `depth` words per owner.

        For the component that reads, the member is ``In``.
        """
        return memory.ReadPort.Signature(
            addr_width=ceil_log2(depth) + ceil_log2(owners), shape=shape
        )

    def write(
        self, depth: int, shape: ShapeLike, owners: int = 1, granularity: int | None = None
    ) -> memory.WritePort.Signature:
        """Return the signature of a write port of such a memory.

        For the component that writes, the member is ``In``.
        """
        return memory.WritePort.Signature(
            addr_width=ceil_log2(depth) + ceil_log2(owners), shape=shape, granularity=granularity
        )


def banked_address(owner: ValueLike, address: ValueLike, depth: int) -> Value:
    """Return the address of a word in the bank of `owner`.

    The owner is a context or a slot, and a bank has `depth` words.
    """
    return Cat(Value.cast(address)[: ceil_log2(depth)], owner)
