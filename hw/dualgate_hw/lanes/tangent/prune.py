# SPDX-License-Identifier: BSD-2-Clause

"""Pruning: a stored tangent vector goes on as the entries near its largest, and no others."""

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
    """Reads a slot's vectors for each group of the layer they enter, and flags what is kept.

    The test needs no comparison: with b the bit length of a vector's largest magnitude, an entry
    is kept when any magnitude bit from b - p up is set; one mask of those bits serves the vector.
    A row is stepped over for all tags of the slot where any of them keeps its entry; the others
    meet it with a zero. A word costs 3 cycles here, beside the stepping of earlier words; one
    without flags is not sent.

    Parameters
    ----------
    shapes : Shapes

    Members
    -------
    job : stream in
    index, layer : descriptor wanted, read a cycle later
    slot_layer : index of the layer that the slot of `job` enters
    prune : p, see `Settings`
    vectors : read port
    word : stream out to the issuer
    kept, dropped : nonzero entries of all tags' words, counted once a vector, a cycle later
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
                "word": Out(
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
        self._scalars = Signal(self.shapes.vectors)
        self._flags = Signal(neurons)
        self._wanted = Signal(neurons * self.shapes.lanes)
        self._pruned = Signal(neurons * self.shapes.lanes)
        m.d.sync += [self._wanted.eq(0), self._pruned.eq(0)]
        for count, bits in ((self.kept, self._wanted), (self.dropped, self._pruned)):
            m.d.comb += count.eq(sum(bits[1:], bits[0]))
        # Of the word in work, found while it is read.
        word_row = Signal.like(row)
        last_word = Signal()
        last_group = Signal()
        offers = Signal()
        word = self.word.payload
        m.d.comb += [
            self.index.eq(self.slot_layer),
            self.vectors.en.eq(1),
            self.vectors.addr.eq(
                banked_address(
                    job.slot, entry >> (neurons - 1).bit_length(), self.shapes.engine.groups
                )
            ),
            self.word.valid.eq(offers),
            word.scalars.eq(self._scalars),
            *(word[field].eq(value) for field, value in flag_fields(self._flags).items()),
            word.row.eq(word_row),
            word.end.eq(last_word),
            word.meta.slot.eq(job.slot),
            word.meta.group.eq(group),
            word.meta.final.eq(last_group),
        ]
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
                some = self._flag(m, masks, group == 0)
                last = entry + neurons >= layer.inputs
                m.d.sync += [
                    offers.eq(some | last),
                    word_row.eq(row + entry),
                    last_word.eq(last),
                    last_group.eq(group == layer.groups - 1),
                ]
                m.next = "OFFER"
            with m.State("OFFER"), m.If(self.word.ready | ~offers):
                m.d.sync += [offers.eq(0), entry.eq(entry + neurons)]
                m.next = "READ"
                with m.If(last_word):
                    m.d.sync += [entry.eq(0), group.eq(group + 1)]
                    m.d.sync += row.eq(row + layer.inputs + 1)
                    with m.If(last_group):
                        m.next = "IDLE"
        return m

    def _mask(self, bits: Value) -> Value:
        """Magnitude bits whose presence keeps an entry: those from ``bits - p`` up, or all."""
        everything = (1 << VALUE_WIDTH) - 1
        keep_all = (self.prune == PRUNE_OFF) | (bits <= self.prune)
        return Mux(keep_all, everything, (everything << (bits - self.prune)[:5]) & everything)

    def _flag(self, m: Module, masks: data.View, first_group: Value) -> Value:
        """Take a word of each tag and the flags of all, count it once; returns whether any is."""
        lanes, neurons = self.shapes.lanes, self.shapes.neurons
        wanted = Signal(data.ArrayLayout(neurons, lanes))
        pruned = Signal(data.ArrayLayout(neurons, lanes))
        for lane, entries in enumerate(self.vectors.data):
            for index, entry in enumerate(entries):
                keep = wanted[lane][index]
                m.d.comb += [
                    keep.eq(self._reaches(entry, masks[lane])),
                    pruned[lane][index].eq((entry != 0) & ~keep),
                ]
                # A tag that is alone never meets a row that it has no flag for.
                scalar = entry if lanes == 1 else Mux(keep, entry, 0)
                m.d.sync += self._scalars[lane][index].eq(scalar)
        flags = reduce(or_, wanted)
        m.d.sync += self._flags.eq(flags)
        with m.If(first_group):
            m.d.sync += [self._wanted.eq(wanted), self._pruned.eq(pruned)]
        return flags.any()

    def _reaches(self, entry: Value, mask: Value) -> Value:
        """Whether ``abs(entry) & mask`` is not zero, for a mask of all bits from one up.

        Without a carry: a negative entry is nearer to zero than the mask's lowest bit if it is all
        ones from there up, and not all zeros below.
        """
        bits = entry.as_unsigned()
        near = (bits | ~mask).all() & (bits & ~mask).any()
        return Mux(bits[-1], ~near, (bits & mask).any())
