# SPDX-License-Identifier: BSD-2-Clause

"""What the program keeps in its memory of words."""

from amaranth.utils import ceil_log2

from dualgate.contract.commands import COUNTERS
from dualgate.contract.formats import UNIT_FRAC, VALUE_WIDTH
from dualgate.contract.layout import LAYER_FIELDS, LAYER_WORDS
from dualgate.contract.rules import ACTIVATIONS

from ..assembler import Assembler
from ..instructions import Cell
from ..parts import Places

COUNTER_WORDS = 4
"""Of 16 bits, the lowest first."""

ROUNDS = 64
"""Added to a shift, see `Action.SET_SHIFT`."""

BY_CODE = sorted(ACTIVATIONS.values(), key=lambda activation: activation.code)
"""Activations in the order of their numbers."""

FIELDS = 16
"""Places of a layer's descriptor."""


class Descriptor:
    """Fields of a layer's descriptor: what came, see `LAYER_FIELDS`, and what follows from that."""

    inputs, outputs, groups, weight_base = (Cell(address) for address in range(4))
    rows = Cell(4)
    """Inputs and bias."""
    flags = Cell(5)
    """`LAST`, `SLOPED` and `FROZEN`."""
    z_shift = Cell(6)
    """With `ROUNDS`."""
    apply_shift = Cell(7)
    activation_routine = Cell(8)
    """Where the activation is computed."""
    gain = Cell(9)
    """Fraction bits of its slopes beyond `UNIT_FRAC`."""
    bias = Cell(10)
    """Value of the input that is always there."""
    unit_base = Cell(11)
    """Place of the first unit's slope, and update scalar."""
    list = Cell(12)
    """First entry of the list of inputs."""
    next_list = Cell(13)
    """First entry of the list that the layer writes."""
    count = Cell(14)
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


class DataMemory:
    """Arrays, to which X is joined, and single words.

    Parameters
    ----------
    code : Assembler
        Whose memory it is.
    places : Places
    """

    # Of a command: its header's lower half, its words that are left, and what was set.
    header: Cell
    left: Cell
    rate: Cell
    rate_shift: Cell
    prune: Cell
    momentum: Cell
    masked: Cell
    # Of the network: its last layer, and halves of words of a sample's masks.
    last_layer: Cell
    mask_halves: Cell
    # Of a sample: whether it trains, all inputs come, and masks count; which half of a word of
    # masks is next, and which bit of it.
    train: Cell
    dense: Cell
    masking: Cell
    mask: Cell
    bit: Cell
    # What is in work: a layer, a unit, a row, an entry, a lane, a unit's place, a list's end.
    layer: Cell
    unit: Cell
    row: Cell
    entry: Cell
    lane: Cell
    place: Cell
    end: Cell
    # Of a unit, or of an output.
    value: Cell
    slope: Cell
    power: Cell
    # Of a tag: its layer, unit, place; its list's entries, its binary point, the last shift, what
    # it adds up to, and whether that was clipped.
    tags: Cell
    tag: Cell
    tag_place: Cell
    count: Cell
    frac: Cell
    shift: Cell
    update: Cell
    clipped: Cell
    # Of a sum of powers and its reciprocal.
    largest: Cell
    low: Cell
    high: Cell
    rest_low: Cell
    rest_high: Cell
    reciprocal: Cell
    scratch: Cell

    def __init__(self, code: Assembler, places: Places) -> None:
        units, outputs = [0] * places.units, [0] * places.outputs
        # In this order few words are lost between arrays that begin at powers of two.
        self.slopes = code.array(units)
        self.updates = code.array(units)
        self.targets = code.array(outputs)
        self.powers = code.array([1 << place for place in range(VALUE_WIDTH)])
        self.outputs = code.array(outputs)
        self.activation_routines = code.array([activation.name for activation in BY_CODE])
        self.gains = code.array(
            [max(0, activation.slope_frac - UNIT_FRAC) for activation in BY_CODE]
        )
        self.masks = _words(code, 2 * places.shapes.mask_words)[:2]
        self.counters = _words(code, COUNTER_WORDS * len(COUNTERS))[:COUNTER_WORDS]
        for name in type(self).__annotations__:
            setattr(self, name, code.variable())
        self.raw = [code.variable() for _ in range(2 * LAYER_WORDS)]


def _words(code: Assembler, count: int) -> list[Cell]:
    """An array's words, each of which X can be joined to if it leaves its lowest bits alone."""
    first = code.array([0] * count)
    return [Cell(first.address + n) for n in range(count)]


def new_assembler(places: Places) -> Assembler:
    """With room for the engine's descriptors."""
    return Assembler(FIELDS, 1 << ceil_log2(places.shapes.engine.layers))
