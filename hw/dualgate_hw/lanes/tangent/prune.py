# SPDX-License-Identifier: BSD-2-Clause

"""Pruning: a stored tangent vector passes on only the entries near its largest one."""

from functools import reduce
from operator import or_

from amaranth import Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import VALUE_WIDTH
from dualgate.contract.settings import PRUNE_BITS, PRUNE_OFF

from ...common.shapes import LAYER, Shapes, banked_address
from .issue import flag_fields, issue_job
from .layouts import sum_note, vector_job


class Pruner(wiring.Component):
    """Reads a slot's vectors for each group of the layer they enter, and flags the kept entries.

    The test needs no comparison: with b the bit length of a vector's largest magnitude, an entry
    is kept if any of its magnitude bits from b - p up is set; one mask of those bits serves the
    whole vector. A row of the weight memory is stepped over for all tags of the slot if any of them
    keeps its entry; the other tags multiply it with zero.

    A row of entries costs 3 cycles, while the issuer still steps over earlier rows. A row without
    flags is not sent, unless it is the last of its group.

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.

    Members
    -------
    `job` : In(stream of vector_job)
        A slot whose vectors are stored. The job is taken in the cycle after it is first seen.
    `slot_layer` : In(range(layers))
        Index of the layer that the slot of `job` enters.
    `index` : Out(range(layers))
        Index of the wanted layer descriptor.
    `layer` : In(LAYER)
        The descriptor, one cycle after its `index`.
    `prune` : In(PRUNE_BITS)
        p, see `Settings`; `PRUNE_OFF` keeps every nonzero entry.
    `vectors` : In(memory read port of K rows of N values)
        Vectors of all slots.
    `rows` : Out(stream of issue_job)
        Rows with their flags, for the issuer.
    `kept`, `dropped` : Out(range(K * N + 1))
        Number of nonzero entries, of all tags, that are kept and dropped. Each entry is counted
        once a vector, in the cycle after its flags are made.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        engine = shapes.engine
        layers = range(engine.layers)
        count = range(shapes.lanes * shapes.neurons + 1)
        super().__init__(
            {
                "job": In(stream.Signature(vector_job(shapes))),
                "slot_layer": In(layers),
                "index": Out(layers),
                "layer": In(LAYER),
                "prune": In(PRUNE_BITS),
                "vectors": In(shapes.read(engine.groups, shapes.vectors, shapes.slots)),
                "rows": Out(
                    stream.Signature(issue_job(shapes.neurons, shapes.lanes, sum_note(shapes)))
                ),
                "kept": Out(count),
                "dropped": Out(count),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        neurons = self.shapes.neurons
        job = Signal(vector_job(self.shapes))
        layer = Signal(LAYER)
        masks = Signal(data.ArrayLayout(VALUE_WIDTH, self.shapes.lanes))
        group = Signal(self.shapes.group)
        entry = Signal(self.shapes.unit)
        row = Signal(self.shapes.row)
        # Registers of the row that is offered.
        offers = Signal()
        offer_row = Signal.like(row)
        last_row = Signal()
        last_group = Signal()
        offer = self.rows.payload
        m.d.comb += [
            self.index.eq(self.slot_layer),
            self.vectors.en.eq(1),
            self.vectors.addr.eq(
                banked_address(
                    job.slot, entry >> (neurons - 1).bit_length(), self.shapes.engine.groups
                )
            ),
            self.rows.valid.eq(offers),
            offer.row.eq(offer_row),
            offer.end.eq(last_row),
            offer.meta.slot.eq(job.slot),
            offer.meta.group.eq(group),
            offer.meta.final.eq(last_group),
        ]
        some, flagged = Signal(), Signal()
        m.d.comb += some.eq(self._flag(m, masks, flagged, group == 0))
        with m.FSM():
            with m.State("IDLE"), m.If(self.job.valid):
                m.d.sync += [
                    job.eq(self.job.payload),
                    group.eq(0),
                    entry.eq(0),
                ]
                for mask, bits in zip(masks, self.job.payload.bits, strict=True):
                    m.d.sync += mask.eq(self._mask(bits))
                m.next = "FETCH"
            with m.State("FETCH"):
                m.d.comb += self.job.ready.eq(1)
                m.d.sync += [layer.eq(self.layer), row.eq(self.layer.weight_base)]
                m.next = "FLAG"
            with m.State("READ"):
                m.next = "FLAG"
            with m.State("FLAG"):
                m.d.comb += flagged.eq(1)
                last = entry + neurons >= layer.inputs
                m.d.sync += [
                    offers.eq(some | last),
                    offer_row.eq(row + entry),
                    last_row.eq(last),
                    last_group.eq(group == layer.groups - 1),
                ]
                m.next = "OFFER"
            with m.State("OFFER"), m.If(self.rows.ready | ~offers):
                m.d.sync += [offers.eq(0), entry.eq(entry + neurons)]
                m.next = "READ"
                with m.If(last_row):
                    m.d.sync += [entry.eq(0), group.eq(group + 1)]
                    m.d.sync += row.eq(row + layer.inputs + 1)
                    with m.If(last_group):
                        m.next = "IDLE"
        return m

    def _mask(self, bits: Value) -> Value:
        """Return the mask of magnitude bits that keep an entry: from ``bits - p`` up, or all."""
        everything = (1 << VALUE_WIDTH) - 1
        keep_all = (self.prune == PRUNE_OFF) | (bits <= self.prune)
        return Mux(keep_all, everything, (everything << (bits - self.prune)[:5]) & everything)

    def _flag(self, m: Module, masks: data.View, flagged: Signal, first_group: Value) -> Value:
        """Register and offer a row of each tag and the flags of all tags, in the cycle `flagged`.

        The entries are counted once a vector, in its first group. Returns whether any flag is set.
        """
        lanes, neurons = self.shapes.lanes, self.shapes.neurons
        scalars = Signal(self.shapes.vectors)
        flags = Signal(neurons)
        keeps = Signal(data.ArrayLayout(neurons, lanes))
        drops = Signal(data.ArrayLayout(neurons, lanes))
        for lane, entries in enumerate(self.vectors.data):
            for index, entry in enumerate(entries):
                keep = keeps[lane][index]
                m.d.comb += [
                    keep.eq(self._reaches(entry, masks[lane])),
                    drops[lane][index].eq((entry != 0) & ~keep),
                ]
                # With a single lane the issuer never selects an entry without a flag.
                scalar = entry if lanes == 1 else Mux(keep, entry, 0)
                with m.If(flagged):
                    m.d.sync += scalars[lane][index].eq(scalar)
        every = reduce(or_, keeps)
        with m.If(flagged):
            m.d.sync += flags.eq(every)
        m.d.comb += [
            self.rows.payload.scalars.eq(scalars),
            *(self.rows.payload[field].eq(value) for field, value in flag_fields(flags).items()),
        ]
        counted = flagged & first_group
        for count, bits in ((self.kept, keeps.as_value()), (self.dropped, drops.as_value())):
            once = Signal(len(bits))
            m.d.sync += once.eq(Mux(counted, bits, 0))
            m.d.comb += count.eq(sum(once[1:], once[0]))
        return every.any()

    def _reaches(self, entry: Value, mask: Value) -> Value:
        """Return whether ``abs(entry) & mask`` is not zero, for a mask of all bits from one up.

        The test takes no carry chain: the magnitude of a negative entry is below the mask's lowest
        bit if the entry has only ones from that bit up, and not only zeros below.
        """
        bits = entry.as_unsigned()
        near = (bits | ~mask).all() & (bits & ~mask).any()
        return Mux(bits[-1], ~near, (bits & mask).any())
