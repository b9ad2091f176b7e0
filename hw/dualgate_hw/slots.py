"""Shapes of the tangent lane: tags in flight, and the notes its parts hand each other."""

from amaranth import signed, unsigned
from amaranth.lib import data

from dualgate.formats import VALUE_WIDTH

from .layouts import INDEX, Shapes

FRAC = signed(12)
"""Binary point of a vector: 16 at birth at most, and at most 14 more a layer."""

NORM_BITS = 6
"""A normalising shift, 0 to 33."""

MAGNITUDE_BITS = VALUE_WIDTH.bit_length()
"""Bit length of a mantissa's magnitude, 0 to 16."""


def tag(shapes: Shapes) -> data.StructLayout:
    """What a slot remembers of its tag.

    Fields
    ------
    context : whose tag it is
    layer : index of the layer its vector enters next
    frac : binary point of that vector
    word, lane : where its update scalar goes
    """
    return data.StructLayout(
        {
            "context": unsigned(shapes.context),
            "layer": range(shapes.engine.layers),
            "frac": FRAC,
            "word": INDEX,
            "lane": range(shapes.neurons),
        }
    )


def sum_note(shapes: Shapes) -> data.StructLayout:
    """What travels with a sum: whose it is, of which group, and whether that is the last."""
    return data.StructLayout({"slot": unsigned(shapes.slot), "group": INDEX, "final": unsigned(1)})


def scale_job(shapes: Shapes) -> data.StructLayout:
    """A slot whose sums are complete, with their normalising shift; not alive: all are zero."""
    return data.StructLayout(
        {"slot": unsigned(shapes.slot), "shift": unsigned(NORM_BITS), "alive": unsigned(1)}
    )


def vector_job(shapes: Shapes) -> data.StructLayout:
    """A slot whose vector is stored, with the bit length of its largest magnitude."""
    return data.StructLayout({"slot": unsigned(shapes.slot), "bits": unsigned(MAGNITUDE_BITS)})
