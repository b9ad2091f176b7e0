# SPDX-License-Identifier: BSD-2-Clause

"""The memories of samples in flight, each context with a place of its own."""

from amaranth import Module
from amaranth.lib import memory

from ...common.shapes import ENTRY, OUTPUT, VALUE, WORD, Shapes


def sample_memories(m: Module, shapes: Shapes) -> dict[str, memory.Memory]:
    """Everything a sample leaves for the lanes that follow, as memories of `contexts` places.

    But for the lists of inputs, which share a ring, see `lists.InputLists`.

    ======== ==================================== ============= ============================
    memory   holds                                written by    read by
    ======== ==================================== ============= ============================
    masks    which hidden units take part         commands      value
    hidden   lists of nonzero hidden values       value         value, update
    counts   entries of each layer's list         value         update
    slopes   words of slopes                      value         seeds, scaler
    outputs  values and slopes of the last layer  value         error unit
    targets  one for each output                  commands      error unit
    errors   words of outputs' update scalars     error unit    scaler, update
    deltas   words of hidden units' scalars       tangent       update
    ======== ==================================== ============= ============================
    """
    engine = shapes.engine
    width = engine.groups * engine.neurons
    memories = {}
    for name, depth, shape in (
        ("masks", shapes.mask_words, WORD),
        ("hidden", engine.activations, ENTRY),
        ("counts", engine.layers, shapes.unit),
        ("slopes", engine.vectors, shapes.vector),
        ("outputs", width, OUTPUT),
        ("targets", width, VALUE),
        ("errors", engine.groups, shapes.vector),
        ("deltas", engine.vectors, shapes.vector),
    ):
        words = shapes.contexts << (depth - 1).bit_length()
        memories[name] = memory.Memory(shape=shape, depth=words, init=[])
        m.submodules[name] = memories[name]
    return memories
