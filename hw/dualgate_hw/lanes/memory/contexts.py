# SPDX-License-Identifier: BSD-2-Clause

"""The memories of samples in flight, with a bank for each context."""

from amaranth import Module
from amaranth.lib import memory, wiring

from ...common.shapes import ENTRY, OUTPUT, VALUE, WORD, Shapes


class ContextMemories:
    """The data of samples that one lane leaves for another, in memories of `contexts` banks.

    Only the lists of inputs are elsewhere, in a ring that all contexts share: see
    `input_ring.InputRing`.

    ======== ==================================== ============= ============================
    memory   holds                                written by    read by
    ======== ==================================== ============= ============================
    masks    masks of the hidden units            loader        value
    hidden   lists of nonzero hidden values       value         value, update
    counts   number of entries of each list       value         update
    slopes   words of slopes                      value         seeds, scaler
    outputs  values and slopes of the last layer  value         error unit
    targets  one for each output                  loader        error unit
    errors   words of outputs' update scalars     error unit    scaler, update
    deltas   words of hidden units' scalars       tangent       update
    ======== ==================================== ============= ============================

    Parameters
    ----------
    shapes : Shapes
        Shapes of the engine.
    """

    def __init__(self, shapes: Shapes) -> None:
        engine = shapes.engine
        width = engine.groups * engine.neurons
        self._stores = {
            name: memory.Memory(
                shape=shape, depth=shapes.contexts << (depth - 1).bit_length(), init=[]
            )
            for name, depth, shape in (
                ("masks", shapes.mask_words, WORD),
                ("hidden", engine.activations, ENTRY),
                ("counts", engine.layers, shapes.unit),
                ("slopes", engine.vectors, shapes.vector),
                ("outputs", width, OUTPUT),
                ("targets", width, VALUE),
                ("errors", engine.groups, shapes.vector),
                ("deltas", engine.vectors, shapes.vector),
            )
        }

    def add_to(self, m: Module) -> None:
        """Make the memories submodules of a module."""
        for name, store in self._stores.items():
            m.submodules[name] = store

    def write(self, m: Module, name: str, port: wiring.PureInterface) -> None:
        """Connect the writer of a memory.

        A word of N numbers is written a cycle later: its readers are further behind than that.
        """
        lanes = 1 if port.signature.granularity else None
        write = self._stores[name].write_port(granularity=lanes)
        domain = m.d.sync if lanes else m.d.comb
        domain += [write.addr.eq(port.addr), write.data.eq(port.data), write.en.eq(port.en)]

    def read(self, m: Module, name: str, *ports: wiring.PureInterface) -> None:
        """Connect the readers of a memory."""
        for port in ports:
            wiring.connect(m, port, self._stores[name].read_port())
