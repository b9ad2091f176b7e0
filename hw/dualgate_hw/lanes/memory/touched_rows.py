# SPDX-License-Identifier: BSD-2-Clause

"""The list of touched rows: those whose velocity may not be zero, which the weight step visits."""

from amaranth import Module, Mux, Signal, unsigned
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ...common.shapes import LAYER, Shapes


def touched_row(shapes: Shapes) -> data.StructLayout:
    """A row that is listed, and the shift from its velocities to master weights."""
    return data.StructLayout(
        {"row": range(shapes.engine.rows), "shift": LAYER["apply_shift"].shape}
    )


def touch(shapes: Shapes) -> data.StructLayout:
    """The event that a row enters the list: whether it does, and the row."""
    return data.StructLayout({"valid": unsigned(1), "entry": touched_row(shapes)})


class TouchedRows(wiring.Component):
    """Lists each touched row once, in any order.

    A flag beside each row of velocities says whether the row is listed. The update lane lists a row
    when it writes one whose flag is not set, and sets the flag. The weight step takes the list,
    and lists the rows anew whose velocity it does not leave at zero. Its writes of velocities set
    the flags of these rows and clear those of all other rows.

    The list is complete, which means that the velocity of every row that is not listed is zero,
    from one weight step until the host writes velocities or a layer descriptor, which may change
    the rows of the network. A weight step that finds the list incomplete visits all rows.

    Parameters
    ----------
    shapes : Shapes
        Shapes of the engine.

    Members
    -------
    `updated` : In(touch(shapes))
        A row that the update lane lists.
    `kept` : In(touch(shapes))
        A row that the weight step lists, behind those that it has taken; never with `updated`.
    `forget` : In(1)
        The list is incomplete from the next cycle on.
    `begin` : In(1)
        Pulse: a weight step begins, and the list with it. The list is complete from the next cycle
        on.
    `complete` : Out(1)
        Every row with a velocity that is not zero is listed.
    `taken` : Out(stream of touched_row(shapes))
        The rows that were listed when the weight step began; the first one, a cycle after `begin`.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        super().__init__(
            {
                "updated": In(touch(shapes)),
                "kept": In(touch(shapes)),
                "forget": In(1),
                "begin": In(1),
                "complete": Out(1),
                "taken": Out(stream.Signature(touched_row(shapes))),
            }
        )
        self._list = memory.Memory(shape=touched_row(shapes), depth=shapes.engine.rows, init=[])

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.list = rows = self._list
        read, write = rows.read_port(), rows.write_port()
        listed = Signal(range(self.shapes.engine.rows + 1))
        size = Signal.like(listed)
        position = Signal.like(listed)
        following = Signal.like(listed)
        m.d.comb += [
            following.eq(position + (self.taken.valid & self.taken.ready)),
            read.addr.eq(Mux(self.begin, 0, following)),
            self.taken.valid.eq(position != size),
            self.taken.payload.eq(read.data),
            write.addr.eq(listed),
            write.data.eq(Mux(self.kept.valid, self.kept.entry, self.updated.entry)),
            write.en.eq(self.kept.valid | self.updated.valid),
        ]
        m.d.sync += [position.eq(following), listed.eq(listed + write.en)]
        with m.If(self.begin):
            m.d.sync += [position.eq(0), size.eq(listed), listed.eq(0), self.complete.eq(1)]
        with m.If(self.forget):
            m.d.sync += self.complete.eq(0)
        return m
