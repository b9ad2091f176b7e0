# SPDX-License-Identifier: BSD-2-Clause

"""The delta writer: it writes update scalars of hidden units where their tags end."""

from amaranth import Const, Module, Mux
from amaranth.hdl import Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...common.shapes import Shapes, banked_address
from .delta import DeltaUnit
from .layouts import delta_sum, scale_note, slot_event
from .slot_table import ChunkLookup


class DeltaWriter(wiring.Component):
    """Narrows the contracted sums of a chunk's tags and writes them to their units' places.

    A chunk whose sums arrive with `contracted` is written `DELTA_LATENCY` cycles later, in a single
    write: all its units are entries of one row. In the other cycles a row can be cleared.

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.

    Members
    -------
    `contracted` : In(1)
        Pulse: the sums of a chunk are complete.
    `delta` : In(ArrayLayout(delta_sum(shapes), K))
        For each tag, its sum, with `contracted`.
    `note` : In(scale_note(shapes))
        Slot of the chunk, with `contracted`.
    `next_note` : In(scale_note(shapes))
        The `note` of the next cycle.
    `contracting` : Out(ChunkLookup(shapes))
        Looks up the chunk of `next_note`, for its binary points.
    `ending` : Out(ChunkLookup(shapes))
        Looks up the chunk that is written, for its units and their address.
    `ended` : Out(slot_event(shapes))
        The slot whose update scalars are written in this cycle.
    `clear` : In(1)
        Request to clear a row; held until `clear_ready`.
    `clear_ready` : Out(1)
        Whether the row is cleared in this cycle: in all cycles but those of `ended`.
    `clear_context` : In(shapes.context)
        Context of the row to clear.
    `clear_address` : In(shapes.word)
        Address of the row within its context.
    `deltas` : In(memory write port of rows of N values, with an enable for each)
        Update scalars of hidden units.
    `saturated` : Out(range(K + 1))
        Number of update scalars that saturated in this cycle's write.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        vectors = shapes.engine.vectors
        super().__init__(
            {
                "contracted": In(1),
                "delta": In(data.ArrayLayout(delta_sum(shapes), shapes.lanes)),
                "note": In(scale_note(shapes)),
                "next_note": In(scale_note(shapes)),
                "contracting": Out(ChunkLookup(shapes)),
                "ending": Out(ChunkLookup(shapes)),
                "ended": Out(slot_event(shapes)),
                "clear": In(1),
                "clear_ready": Out(1),
                "clear_context": In(shapes.context),
                "clear_address": In(shapes.word),
                "deltas": In(shapes.write(vectors, shapes.vector, shapes.contexts, granularity=1)),
                "saturated": Out(range(shapes.lanes + 1)),
            }
        )
        self._units = [DeltaUnit(shapes) for _ in range(shapes.lanes)]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.comb += self.contracting.slot.eq(self.next_note.note.slot)
        for lane, unit in enumerate(self._units):
            m.submodules[f"unit_{lane}"] = unit
            # Registered, because a lookup takes most of a cycle. A chunk's binary points last
            # changed when its vectors were stored, long before.
            m.d.sync += unit.frac.eq(self.contracting.chunk.frac[lane] + self.next_note.gain[lane])
            m.d.comb += [
                unit.start.eq(self.contracted),
                unit.delta.eq(self.delta[lane]),
                unit.slot.eq(self.note.note.slot),
            ]
        self._write(m)
        return m

    def _write(self, m: Module) -> None:
        """Write the update scalars of the chunk that ends, or else clear a row."""
        units = self._units
        # The units of all lanes are in step.
        done, chunk = units[0].done, self.ending.chunk
        m.d.comb += [
            self.ending.slot.eq(units[0].done_slot),
            self.ended.valid.eq(done),
            self.ended.slot.eq(units[0].done_slot),
            self.clear_ready.eq(~done),
            self.deltas.addr.eq(
                banked_address(
                    Mux(done, chunk.context, self.clear_context),
                    Mux(done, chunk.address, self.clear_address),
                    self.shapes.engine.vectors,
                )
            ),
            self.saturated.eq(sum((unit.done & unit.clipped for unit in units), Const(0))),
        ]
        for entry in range(self.shapes.neurons):
            m.d.comb += self.deltas.en[entry].eq(self.clear & ~done)
            update: Value = units[0].update
            for lane, unit in enumerate(units):
                mine = chunk.present[lane] & (chunk.unit[lane] == entry)
                if lane:
                    update = Mux(mine, unit.update, update)
                with m.If(done & mine):
                    m.d.comb += self.deltas.en[entry].eq(1)
            m.d.comb += self.deltas.data[entry].eq(Mux(done, update, 0))
