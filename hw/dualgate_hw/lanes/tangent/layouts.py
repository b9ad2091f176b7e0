# SPDX-License-Identifier: BSD-2-Clause

"""Layouts of the tangent lanes: a slot's chunk, and the notes and jobs that parts exchange."""

from amaranth import signed, unsigned
from amaranth.hdl import Shape
from amaranth.lib import data

from dualgate.contract.formats import VALUE_WIDTH

from ...common.shapes import PRODUCT, Shapes

FRAC = signed(12)
"""Binary point of a vector: at most 16 in a seed, and at most 14 more for each layer crossed."""

MAGNITUDE_BITS = VALUE_WIDTH.bit_length()
"""Width of a bit length of a mantissa's magnitude, which is 0 to 16."""


def chunk(shapes: Shapes) -> data.StructLayout:
    """A slot's chunk: up to K tags that were seeded from one row of slopes and step together.

    Fields
    ------
    context
        Context of the sample that the tags belong to.
    layer
        Index of the layer that their vectors enter next.
    origin
        Index of the layer that seeded them.
    address
        Address, within the context, of the row of slopes that seeded the tags. Their update scalars
        are written to the same address of the memory of update scalars.
    present
        One bit for each of K tags: whether the chunk has that tag.
    unit
        For each tag, the entry of the row that belongs to the tag's unit.
    frac
        For each tag, the binary point of its vector.
    """
    lanes = shapes.lanes
    return data.StructLayout(
        {
            "context": unsigned(shapes.context),
            "layer": range(shapes.engine.layers),
            "origin": range(shapes.engine.layers),
            "address": shapes.word,
            "present": unsigned(lanes),
            "unit": data.ArrayLayout(range(shapes.neurons), lanes),
            "frac": data.ArrayLayout(FRAC, lanes),
        }
    )


def delta_sum(shapes: Shapes) -> Shape:
    """Shape of a tag's contracted sum: a product for each of the N entries of each group."""
    engine = shapes.engine
    levels = (shapes.neurons - 1).bit_length() + (engine.groups - 1).bit_length()
    return signed(PRODUCT.width + levels)


def slot_event(shapes: Shapes) -> data.StructLayout:
    """An event of one slot: `slot` is meaningful only in cycles in which `valid` is high."""
    return data.StructLayout({"valid": unsigned(1), "slot": unsigned(shapes.slot)})


def sum_note(shapes: Shapes) -> data.StructLayout:
    """A note that travels with a sum: its slot, its group, and whether that group is the last."""
    return data.StructLayout(
        {"slot": unsigned(shapes.slot), "group": shapes.group, "final": unsigned(1)}
    )


def scale_note(shapes: Shapes) -> data.StructLayout:
    """A note that travels with a product of the scaler.

    Fields
    ------
    note
        Slot and group of the product, see `sum_note`.
    output
        High at the output layer, where products are added up instead of stored.
    gain
        For each tag, the amount that its vector's binary point gains by this layer.
    """
    gain = data.ArrayLayout(FRAC, shapes.lanes)
    return data.StructLayout({"note": sum_note(shapes), "output": unsigned(1), "gain": gain})


def scale_job(shapes: Shapes) -> data.StructLayout:
    """A job of the scaler: a slot whose sums are complete.

    Fields
    ------
    slot
        The slot.
    shift
        For each tag, the shift that normalises its sums.
    alive
        Whether any sum of the slot is not zero.
    """
    return data.StructLayout(
        {
            "slot": unsigned(shapes.slot),
            "shift": data.ArrayLayout(shapes.norm, shapes.lanes),
            "alive": unsigned(1),
        }
    )


def vector_job(shapes: Shapes) -> data.StructLayout:
    """A job of the pruner: a slot whose vectors are stored.

    Fields
    ------
    slot
        The slot.
    bits
        For each tag, the bit length of the largest magnitude of its vector.
    """
    bits = data.ArrayLayout(MAGNITUDE_BITS, shapes.lanes)
    return data.StructLayout({"slot": unsigned(shapes.slot), "bits": bits})
