# SPDX-License-Identifier: BSD-2-Clause

"""What the program keeps in its memory of words."""

from amaranth.utils import ceil_log2

from dualgate.contract.activations import ACTIVATIONS
from dualgate.contract.commands import COUNTERS
from dualgate.contract.formats import UNIT_FRAC, VALUE_WIDTH
from dualgate.contract.layout import LAYER_FIELDS, LAYER_WORDS

from ..assembler import Assembler
from ..instructions import Word
from ..parts import Places

COUNTER_WORDS = 4
"""Of 16 bits, the lowest first."""

ROUNDS = 64
"""Added to a shift, see `Action.SET_SHIFT`."""

BY_CODE = sorted(ACTIVATIONS.values(), key=lambda activation: activation.code)
"""Activations in the order of their numbers."""

FIELDS = 16
"""Places of a layer's descriptor."""


class Layer:
    """Fields of a layer's descriptor: what came, see `LAYER_FIELDS`, and what follows from that."""

    inputs, outputs, groups, weight_base = (Word(address) for address in range(4))
    rows = Word(4)
    """Inputs and bias."""
    flags = Word(5)
    """`LAST`, `SLOPED` and `FROZEN`."""
    z_shift = Word(6)
    """With `ROUNDS`."""
    apply_shift = Word(7)
    curve = Word(8)
    """Where the activation is computed."""
    gain = Word(9)
    """Fraction bits of its slopes beyond `UNIT_FRAC`."""
    bias = Word(10)
    """Value of the input that is always there."""
    unit_base = Word(11)
    """Place of the first unit's slope, and update scalar."""
    list = Word(12)
    """First entry of the list of inputs."""
    next_list = Word(13)
    """First entry of the list that the layer writes."""
    count = Word(14)
    """Entries of the list of inputs."""


Fields = tuple[tuple[str, int], ...]
"""Names and widths, least significant first."""


def begins(fields: Fields, name: str) -> tuple[int, int]:
    """The half of a word in which a field begins, and its lowest bit there.

    Parameters
    ----------
    fields : Fields
    name : str
    """
    names = [field for field, _ in fields]
    return divmod(sum(bits for _, bits in fields[: names.index(name)]), VALUE_WIDTH)


def _flag(name: str) -> int:
    """A flag's bit in the last half of a descriptor's words."""
    half, bit = begins(LAYER_FIELDS, name)
    assert half == 2 * LAYER_WORDS - 1
    return 1 << bit


LAST, SLOPED, FROZEN = (_flag(name) for name in ("last", "sloped", "frozen"))


class Memory:
    """Arrays, to which X is joined, and single words.

    Parameters
    ----------
    code : Assembler
        Whose memory it is.
    places : Places
    """

    # Of a command: its header's lower half, its words that are left, and what was set.
    header: Word
    left: Word
    rate: Word
    rate_shift: Word
    prune: Word
    momentum: Word
    masked: Word
    # Of the network: its last layer, and halves of words of a sample's masks.
    last_layer: Word
    mask_halves: Word
    # Of a sample: whether it trains, all inputs come, and masks count; which half of a word of
    # masks is next, and which bit of it.
    train: Word
    dense: Word
    masking: Word
    mask: Word
    bit: Word
    # What is in work: a layer, a unit, a row, an entry, a lane, a unit's place, a list's end.
    layer: Word
    unit: Word
    row: Word
    entry: Word
    lane: Word
    place: Word
    end: Word
    # Of a unit, or of an output.
    value: Word
    slope: Word
    power: Word
    # Of a tag: its layer, unit, place; its list's entries, its binary point, the last shift, what
    # it adds up to, and whether that was clipped.
    tags: Word
    tag: Word
    tag_place: Word
    count: Word
    frac: Word
    shift: Word
    update: Word
    clipped: Word
    # Of a sum of powers and its reciprocal.
    largest: Word
    low: Word
    high: Word
    rest_low: Word
    rest_high: Word
    reciprocal: Word
    scratch: Word

    def __init__(self, code: Assembler, places: Places) -> None:
        units, outputs = [0] * places.units, [0] * places.outputs
        # In this order few words are lost between arrays that begin at powers of two.
        self.slopes = code.array(units)
        self.updates = code.array(units)
        self.targets = code.array(outputs)
        self.powers = code.array([1 << place for place in range(VALUE_WIDTH)])
        self.outputs = code.array(outputs)
        self.curves = code.array([activation.name for activation in BY_CODE])
        self.gains = code.array(
            [max(0, activation.slope_frac - UNIT_FRAC) for activation in BY_CODE]
        )
        self.masks = _words(code, 2 * places.shapes.mask_words)[:2]
        self.counters = _words(code, COUNTER_WORDS * len(COUNTERS))[:COUNTER_WORDS]
        for name in type(self).__annotations__:
            setattr(self, name, code.variable())
        self.raw = [code.variable() for _ in range(2 * LAYER_WORDS)]


def _words(code: Assembler, count: int) -> list[Word]:
    """An array's words, each of which X can be joined to if it leaves its lowest bits alone."""
    first = code.array([0] * count)
    return [Word(first.address + n) for n in range(count)]


def new_assembler(places: Places) -> Assembler:
    """With room for the engine's descriptors."""
    return Assembler(FIELDS, 1 << ceil_log2(places.shapes.engine.layers))
