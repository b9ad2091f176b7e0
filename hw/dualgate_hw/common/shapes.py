# SPDX-License-Identifier: BSD-2-Clause

"""Shapes shared by the gateware's components, made from the host's definitions."""

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
"""A word of commands and responses."""

INDEX = unsigned(16)
"""Units, rows and list positions, as descriptors give them.

What an engine of its size needs of them is in `Shapes`.
"""


def _struct(fields: tuple[tuple[str, int], ...]) -> data.StructLayout:
    return data.StructLayout({name: unsigned(bits) for name, bits in fields})


LAYER = _struct(LAYER_FIELDS)
"""A layer descriptor, see `dualgate.contract.engine.LAYER_FIELDS`."""

SETTINGS = _struct(SETTINGS_FIELDS)
"""What may change from batch to batch, see `dualgate.contract.settings.Settings`."""

ENTRY = data.StructLayout({"value": VALUE, "index": INDEX})
"""One nonzero of a list; its bits are the word that carries it in a command."""

OUTPUT = data.StructLayout({"value": VALUE, "slope": VALUE})
"""What the value lane leaves of an output unit; for softmax the value is the pre-activation."""


def vector(neurons: int, shape: ShapeLike = VALUE) -> data.ArrayLayout:
    """One word of `neurons` entries."""
    return data.ArrayLayout(shape, neurons)


@dataclass(frozen=True)
class Shapes:
    """Widths that follow from an engine's parameters.

    Parameters
    ----------
    engine : EngineParameters
    contexts : int
        Samples in flight; each has its own place in every memory of a sample. At least 2, but for
        the compact engine's one.
    slots : int
        Tags in flight in the tangent lane. At least 2.
    threads : int
        Samples in flight in the value lane. At least 2.
    listed : int
        Entries of the lists of inputs of all samples in flight, a power of two; 0 is as many as
        the contexts can have.
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
        """N."""
        return self.engine.neurons

    @property
    def lanes(self) -> int:
        """K, the tangents of a slot."""
        return self.engine.tangent_lanes

    @property
    def unit(self) -> Shape:
        """Units, and list positions and lengths."""
        engine = self.engine
        most = max(engine.inputs, engine.activations, engine.groups * engine.neurons)
        return unsigned(most.bit_length())

    @property
    def entry(self) -> data.StructLayout:
        """`ENTRY` with an index of so many bits as the engine needs."""
        return data.StructLayout({"value": VALUE, "index": self.unit})

    @property
    def pair(self) -> data.ArrayLayout:
        """Two entries of a list of inputs."""
        return data.ArrayLayout(self.entry, 2)

    @property
    def pairs(self) -> int:
        """Pairs of entries in the ring of lists of inputs."""
        every = 1 << ceil_log2(self.contexts) + ceil_log2(self.engine.inputs)
        return max(2, self.listed or every) // 2

    @property
    def place(self) -> Shape:
        """A pair's position in that ring, and a bit to tell full from empty."""
        return unsigned(ceil_log2(self.pairs) + 1)

    @property
    def row(self) -> Shape:
        """Rows of the weight memory."""
        return unsigned(self.engine.rows.bit_length())

    @property
    def strip(self) -> int:
        """Entries of a strip, see `EngineParameters.strip`."""
        return self.engine.strip

    @property
    def strip_bits(self) -> int:
        """Bits that tell the strips of a row apart."""
        return (self.engine.strips - 1).bit_length()

    @property
    def strip_index(self) -> Shape:
        """Strips of all rows, one row's after the other's."""
        return unsigned(self.row.width + self.strip_bits)

    @property
    def group(self) -> Shape:
        """Groups of a layer."""
        return unsigned(self.engine.groups.bit_length())

    @property
    def word(self) -> Shape:
        """Words of slopes and update scalars."""
        return unsigned(self.engine.vectors.bit_length())

    @property
    def value_sum(self) -> Shape:
        """A product for each entry of the longest list."""
        return signed(sum_width(max(self.engine.inputs, self.engine.activations)))

    @property
    def tangent_sum(self) -> Shape:
        """A product for each unit of a hidden layer; its bias has a place, but no tangent."""
        return signed(sum_width(max(1, self.engine.activations - 1)))

    @property
    def norm(self) -> Shape:
        """Shifts that bring a tangent's sums into 16 bits."""
        return unsigned((self.tangent_sum.width - VALUE_WIDTH).bit_length())

    def narrow(self, layer: data.View) -> dict[str, Value]:
        """The fields of a descriptor, cut to the bits that a network which fits can use."""
        units = dict.fromkeys(("inputs", "outputs", "list_base"), self.unit)
        widths = {**units, "groups": self.group, "weight_base": self.row, "vector_base": self.word}
        return {
            name: layer[name][: widths[name].width] if name in widths else layer[name]
            for name, _ in LAYER_FIELDS
        }

    @property
    def context(self) -> int:
        """Bits of a context's number."""
        return (self.contexts - 1).bit_length()

    @property
    def slot(self) -> int:
        """Bits of a slot's number."""
        return (self.slots - 1).bit_length()

    @property
    def vector(self) -> data.ArrayLayout:
        """One word of N values."""
        return vector(self.neurons)

    @property
    def vectors(self) -> data.ArrayLayout:
        """One word for each tangent of a slot."""
        return data.ArrayLayout(self.vector, self.lanes)

    @property
    def mask_words(self) -> int:
        """Words of masks of a sample: a bit for each entry that the lists of values can have."""
        return -(-self.engine.activations // WORD_BITS)

    @property
    def token(self) -> data.StructLayout:
        """What lanes hand on for a sample: its context, and whether it trains."""
        return data.StructLayout({"context": unsigned(self.context), "train": unsigned(1)})

    def read(self, depth: int, shape: ShapeLike, owners: int = 1) -> memory.ReadPort.Signature:
        """Read port of a memory of `depth` words for each of `owners`; use as ``In``."""
        return memory.ReadPort.Signature(
            addr_width=ceil_log2(depth) + ceil_log2(owners), shape=shape
        )

    def write(
        self, depth: int, shape: ShapeLike, owners: int = 1, granularity: int | None = None
    ) -> memory.WritePort.Signature:
        """Write port of such a memory; use as ``In``."""
        return memory.WritePort.Signature(
            addr_width=ceil_log2(depth) + ceil_log2(owners), shape=shape, granularity=granularity
        )


def banked_address(owner: ValueLike, address: ValueLike, depth: int) -> Value:
    """Address of a word of `owner`, a context or slot, in a memory of `depth` words for each."""
    return Cat(Value.cast(address)[: ceil_log2(depth)], owner)
