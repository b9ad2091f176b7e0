# SPDX-License-Identifier: BSD-2-Clause

"""The cells of the program's data memory, by name."""

from amaranth.utils import ceil_log2

from dualgate.contract.activations import ACTIVATIONS
from dualgate.contract.commands import COUNTERS
from dualgate.contract.formats import UNIT_FRAC, VALUE_WIDTH
from dualgate.contract.layout import LAYER_FIELDS, LAYER_WORDS

from ..assembler import Assembler
from ..cells import Cells
from ..instructions import Cell
from ..parts import Places

COUNTER_CELLS = 4
"""Cells of a counter, 16 bits each, the lowest first."""

ROUNDS = 64
"""Added to a shift to make the narrower round, see `Action.SET_SHIFT`."""

BY_CODE = sorted(ACTIVATIONS.values(), key=lambda activation: activation.code)
"""Activations in the order of their codes."""

FIELDS = 16
"""Cells of a layer's descriptor, used or not."""


class Descriptor:
    """Cells of a layer's descriptor: fields as received (`LAYER_FIELDS`) and derived numbers.

    Y selects the layer.
    """

    inputs, outputs, groups, weight_base = (Cell(address) for address in range(4))
    rows = Cell(4)
    """Number of rows of a group: inputs and bias."""
    flags = Cell(5)
    """The flags `LAST`, `SLOPED` and `FROZEN`."""
    z_shift = Cell(6)
    """Shift of the pre-activations, with `ROUNDS` added."""
    apply_shift = Cell(7)
    activation_routine = Cell(8)
    """Position of the routine that computes the activation."""
    gain = Cell(9)
    """Fraction bits of the layer's slopes beyond `UNIT_FRAC`."""
    bias = Cell(10)
    """Value of the input that stands for the bias: 1 in the format of the inputs."""
    unit_base = Cell(11)
    """Place of the layer's first unit in the arrays of slopes and update scalars."""
    list = Cell(12)
    """Place of the first entry of the list of inputs."""
    next_list = Cell(13)
    """Place of the first entry of the list that the layer writes."""
    count = Cell(14)
    """Number of entries of the list of inputs."""


Fields = tuple[tuple[str, int], ...]
"""Names and widths of packed fields, the least significant first."""


def begins(fields: Fields, name: str) -> tuple[int, int]:
    """Locate a packed field.

    Parameters
    ----------
    fields : Fields
        All fields of the words.
    name : str
        One of them.

    Returns
    -------
    tuple of int
        Number of the half word in which the field begins, and its lowest bit there.
    """
    names = [field for field, _ in fields]
    return divmod(sum(bits for _, bits in fields[: names.index(name)]), VALUE_WIDTH)


def _flag(name: str) -> int:
    """Mask of a flag in the last half of a descriptor's words."""
    half, bit = begins(LAYER_FIELDS, name)
    assert half == 2 * LAYER_WORDS - 1
    return 1 << bit


LAST, SLOPED, FROZEN = (_flag(name) for name in ("last", "sloped", "frozen"))


class DataMemory:
    """Arrays, to which X is joined, and single cells.

    Parameters
    ----------
    cells : Cells
        The data memory in which the cells are reserved.
    places : Places
        Sizes of the engine's memories.

    Attributes
    ----------
    slopes, updates : Cell
        Arrays of slopes and of update scalars, one for each unit of all layers.
    targets, outputs : Cell
        Arrays with one number for each output; `outputs` are pre-activations or powers for
        softmax, and else values.
    powers : Cell
        Array of the powers of two from 1 to 2**15.
    activation_routines, gains : Cell
        Arrays over the activations: position of the routine, `Descriptor.gain`.
    masks : list of Cell
        First two cells of the array of a sample's masks, low half and high half of a word.
    counters : list of Cell
        Cells of the first counter; X selects another one.
    raw : list of Cell
        Halves of the payload of LAYER or SETTINGS, until their fields are extracted.
    """

    # Of a command: its opcode, with a status in bits 8 and up; words left of its payload.
    header: Cell
    left: Cell
    # Settings.
    rate: Cell
    rate_shift: Cell
    prune: Cell
    momentum: Cell
    masked: Cell
    # Of the network: Y of its last layer; halves of the words of a sample's masks.
    last_layer: Cell
    mask_halves: Cell
    # Of a sample, not zero if: it trains; it is dense; it has masks.
    train: Cell
    dense: Cell
    masking: Cell
    # Of a sample's masks: the current half of a word, and the current bit in it as a mask.
    mask: Cell
    bit: Cell
    # The current layer (its Y), unit, row, entry, lane, place of a unit, and end of a list.
    layer: Cell
    unit: Cell
    row: Cell
    entry: Cell
    lane: Cell
    place: Cell
    end: Cell
    # Of the current unit or output; `power` also of the current step of a layer's rows.
    value: Cell
    slope: Cell
    power: Cell
    # Of a tag: Y of its layer; its unit; its unit's place in the arrays; entries of its vector;
    # fraction bits of its mantissas; the last shift; its update scalar, and whether that was
    # clipped.
    tags: Cell
    tag: Cell
    tag_place: Cell
    count: Cell
    frac: Cell
    shift: Cell
    update: Cell
    clipped: Cell
    # Of softmax: the largest pre-activation; the sum of powers; the remainder of the division;
    # its quotient.
    largest: Cell
    low: Cell
    high: Cell
    rest_low: Cell
    rest_high: Cell
    reciprocal: Cell
    scratch: Cell

    def __init__(self, cells: Cells, places: Places) -> None:
        units, outputs = [0] * places.units, [0] * places.outputs
        # In this order few cells are lost between arrays, which begin at powers of two.
        self.slopes = cells.array(units)
        self.updates = cells.array(units)
        self.targets = cells.array(outputs)
        self.powers = cells.array([1 << place for place in range(VALUE_WIDTH)])
        self.outputs = cells.array(outputs)
        self.activation_routines = cells.array([activation.name for activation in BY_CODE])
        self.gains = cells.array(
            [max(0, activation.slope_frac - UNIT_FRAC) for activation in BY_CODE]
        )
        self.masks = _array_cells(cells, 2 * places.shapes.mask_words)[:2]
        self.counters = _array_cells(cells, COUNTER_CELLS * len(COUNTERS))[:COUNTER_CELLS]
        for name in type(self).__annotations__:
            setattr(self, name, cells.variable())
        self.raw = [cells.variable() for _ in range(2 * LAYER_WORDS)]


def _array_cells(cells: Cells, count: int) -> list[Cell]:
    """The cells of a new array; X may be joined to cell n where X has none of the bits of n."""
    first = cells.array([0] * count)
    return [Cell(first.address + n) for n in range(count)]


def new_assembler(places: Places) -> Assembler:
    """Make an assembler with room for the engine's descriptors.

    Parameters
    ----------
    places : Places
        Sizes of the engine's memories.
    """
    return Assembler(FIELDS, 1 << ceil_log2(places.shapes.engine.layers))
