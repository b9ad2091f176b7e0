# SPDX-License-Identifier: BSD-2-Clause

"""The slot table: the chunk in each slot, which slots are busy, and the slot on offer."""

from amaranth import Array, Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from ...common.shapes import Shapes
from .layouts import FRAC, chunk, slot_event

ENDINGS = 3
"""Places where a chunk's last tag can end: its sums, its vectors, its update scalars."""


class ChunkLookup(wiring.Signature):
    """A port that reads the chunk of a slot in the same cycle.

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.

    Members
    -------
    `slot` : Out(shapes.slot)
        Slot to look up.
    `chunk` : In(chunk(shapes))
        Its chunk; the last one that it held if the slot is free.
    """

    def __init__(self, shapes: Shapes) -> None:
        super().__init__({"slot": Out(shapes.slot), "chunk": In(chunk(shapes))})


class SlotTable(wiring.Component):
    """Registers of the slots' chunks, from the seed of a chunk to the end of its last tag.

    The table offers slots in turn. The offer moves on in the cycle after the slot is taken, and in
    every cycle in which the seeds wait while the slot on offer is busy.

    A chunk that takes a slot passes a register, so that `chunk_start` in cycle t makes the chunk
    visible, and its slot busy, in cycle t + 2. That is early enough: of at least two slots, the one
    that was taken is not on offer again before t + 2, and the slot's sums, from the issuer through
    the MAC array, end later than that.

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine; at least 2 slots.

    Members
    -------
    `seeding` : In(1)
        High while the seeds walk a sample, so that they may want a slot.
    `slot` : Out(shapes.slot)
        Slot on offer.
    `slot_free` : Out(1)
        Whether the slot on offer is free.
    `chunk_start` : In(1)
        Pulse: `chunk` takes the slot on offer, which must be free.
    `chunk` : In(chunk(shapes))
        The chunk, with `chunk_start`.
    `stored` : In(slot_event(shapes))
        The slot's vectors have crossed a layer: its chunk moves on to the next layer, and `gain` is
        added to its binary points.
    `gain` : In(ArrayLayout(FRAC, K))
        For each tag, the amount that its binary point gains, with `stored`.
    `endings` : In(ArrayLayout(slot_event(shapes), ENDINGS))
        Each event frees its slot in the next cycle.
    `scaled`, `pruned`, `contracting`, `ending` : In(ChunkLookup(shapes))
        Look up the chunk of the scaler's job, of the pruner's job, of the sums that are being
        contracted, and of the update scalars that are being written.
    `context` : In(shapes.context)
        A context to look for.
    `origin` : In(range(layers))
        A layer to look for.
    `found` : Out(1)
        Whether a busy slot has a chunk of that context that this layer seeded.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        lookup = ChunkLookup(shapes)
        super().__init__(
            {
                "seeding": In(1),
                "slot": Out(shapes.slot),
                "slot_free": Out(1),
                "chunk_start": In(1),
                "chunk": In(chunk(shapes)),
                "stored": In(slot_event(shapes)),
                "gain": In(data.ArrayLayout(FRAC, shapes.lanes)),
                "endings": In(data.ArrayLayout(slot_event(shapes), ENDINGS)),
                "scaled": In(lookup),
                "pruned": In(lookup),
                "contracting": In(lookup),
                "ending": In(lookup),
                "context": In(unsigned(shapes.context)),
                "origin": In(range(shapes.engine.layers)),
                "found": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shapes = self.shapes
        chunks = [Signal(chunk(shapes), name=f"chunk_{slot}") for slot in range(shapes.slots)]
        busy = Signal(shapes.slots)
        for lookup in (self.scaled, self.pruned, self.contracting, self.ending):
            m.d.comb += lookup.chunk.eq(Array(chunks)[lookup.slot])
        m.d.comb += [
            self.slot_free.eq(~busy.bit_select(self.slot, 1)),
            self.found.eq(
                Cat(
                    busy[slot] & (held.context == self.context) & (held.origin == self.origin)
                    for slot, held in enumerate(chunks)
                ).any()
            ),
        ]
        with m.If(self.chunk_start | (self.seeding & ~self.slot_free)):
            m.d.sync += self.slot.eq(Mux(self.slot == shapes.slots - 1, 0, self.slot + 1))
        start, start_slot = Signal(), Signal(shapes.slot)
        start_chunk = Signal(chunk(shapes))
        m.d.sync += [
            start.eq(self.chunk_start),
            start_slot.eq(self.slot),
            start_chunk.eq(self.chunk),
        ]
        for slot, held in enumerate(chunks):
            with m.If(self.stored.valid & (self.stored.slot == slot)):
                m.d.sync += held.layer.eq(held.layer + 1)
                for frac, gain in zip(held.frac, self.gain, strict=True):
                    m.d.sync += frac.eq(frac + gain)
            with m.If(start & (start_slot == slot)):
                m.d.sync += [held.eq(start_chunk), busy[slot].eq(1)]
            with m.If(Cat(end.valid & (end.slot == slot) for end in self.endings).any()):
                m.d.sync += busy[slot].eq(0)
        return m
