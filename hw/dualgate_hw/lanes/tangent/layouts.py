# SPDX-License-Identifier: BSD-2-Clause

"""Shapes of the tangent lanes: tags in flight, and the notes their parts hand each other."""

from amaranth import signed, unsigned
from amaranth.lib import data

from dualgate.contract.formats import VALUE_WIDTH

from ...common.shapes import Shapes

FRAC = signed(12)
"""Binary point of a vector: 16 at most when seeded, and at most 14 more a layer."""

MAGNITUDE_BITS = VALUE_WIDTH.bit_length()
"""Bit length of a mantissa's magnitude, 0 to 16."""


def chunk(shapes: Shapes) -> data.StructLayout:
    """What a slot remembers of its chunk: up to K tags, seeded of one word of slopes.

    Fields
    ------
    context : whose tags they are
    layer : index of the layer their vectors enter next
    word : where their update scalars go
    present : which of the K tags there are
    unit : for each tag, which entry of the word is its own
    frac : for each tag, the binary point of its vector
    """
    lanes = shapes.lanes
    return data.StructLayout(
        {
            "context": unsigned(shapes.context),
            "layer": range(shapes.engine.layers),
            "word": shapes.word,
            "present": unsigned(lanes),
            "unit": data.ArrayLayout(range(shapes.neurons), lanes),
            "frac": data.ArrayLayout(FRAC, lanes),
        }
    )


def sum_note(shapes: Shapes) -> data.StructLayout:
    """What travels with a sum: whose it is, of which group, and whether that is the last."""
    return data.StructLayout(
        {"slot": unsigned(shapes.slot), "group": shapes.group, "final": unsigned(1)}
    )


def scale_job(shapes: Shapes) -> data.StructLayout:
    """A slot whose sums are complete, with each tag's normalising shift; not alive: all zero."""
    return data.StructLayout(
        {
            "slot": unsigned(shapes.slot),
            "shift": data.ArrayLayout(shapes.norm, shapes.lanes),
            "alive": unsigned(1),
        }
    )


def vector_job(shapes: Shapes) -> data.StructLayout:
    """A slot whose vectors are stored, with the bit length of each one's largest magnitude."""
    bits = data.ArrayLayout(MAGNITUDE_BITS, shapes.lanes)
    return data.StructLayout({"slot": unsigned(shapes.slot), "bits": bits})
