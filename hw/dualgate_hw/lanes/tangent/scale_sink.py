# SPDX-License-Identifier: BSD-2-Clause

"""The sink of the scaler's products: vectors to store, or a sum of all entries of each vector.

The sum at the output layer is the tag's update scalar, except for its binary point.
"""

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.hdl import Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import UNIT_FRAC, VALUE_WIDTH

from ...common.delay import delay
from ...common.onehot import bit_length
from ...common.shapes import PRODUCT, Shapes, banked_address, vector
from .layouts import MAGNITUDE_BITS, delta_sum, scale_note


class ScaleSink(wiring.Component):
    """Rounds the scaler's products and stores them, or adds up those of the output layer.

    Vectors are written one cycle after their product, and `stored` follows the last group's write
    after a cycle. At the output layer an adder tree of one level a cycle and a running sum make
    `contracted` follow the last group's product after ``log2(N) + 1`` cycles.

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.

    Members
    -------
    `done` : In(1)
        Pulse: `product` is one of the scaler's.
    `product` : In(ArrayLayout(vector(N, PRODUCT), K))
        Products of a group, for each tag.
    `note` : In(scale_note(shapes))
        Note of the `Scaler`, with `done`.
    `vectors` : In(memory write port of K rows of N values)
        Vectors of all slots.
    `stored` : Out(1)
        Pulse: all vectors of a slot are stored.
    `bits` : Out(ArrayLayout(MAGNITUDE_BITS, K))
        For each tag, the bit length of the largest magnitude, with `stored`.
    `alive` : Out(1)
        Whether any entry of the vectors is not zero, with `stored`.
    `stored_note` : Out(scale_note(shapes))
        Note of the vectors, with `stored`.
    `contracted` : Out(1)
        Pulse: the tags' sums are complete.
    `delta` : Out(ArrayLayout(delta_sum(shapes), K))
        For each tag, its sum, with `contracted`.
    `contracted_note` : Out(scale_note(shapes))
        Note of the sums, with `contracted`.
    `contracting_note` : Out(scale_note(shapes))
        The `contracted_note` of the next cycle.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self._levels = (shapes.neurons - 1).bit_length()
        super().__init__(
            {
                "done": In(1),
                "product": In(data.ArrayLayout(vector(shapes.neurons, PRODUCT), shapes.lanes)),
                "note": In(scale_note(shapes)),
                "vectors": In(shapes.write(shapes.engine.groups, shapes.vectors, shapes.slots)),
                "stored": Out(1),
                "bits": Out(data.ArrayLayout(MAGNITUDE_BITS, shapes.lanes)),
                "alive": Out(1),
                "stored_note": Out(scale_note(shapes)),
                "contracted": Out(1),
                "delta": Out(data.ArrayLayout(delta_sum(shapes), shapes.lanes)),
                "contracted_note": Out(scale_note(shapes)),
                "contracting_note": Out(scale_note(shapes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._store(m)
        self._contract(m)
        return m

    def _store(self, m: Module) -> None:
        """Round products to mantissas and measure the largest magnitude of each tag."""
        mantissas = Signal(self.shapes.vectors)
        note = Signal(scale_note(self.shapes))
        valid = Signal()
        half = (1 << UNIT_FRAC) >> 1
        alive = []
        m.d.sync += [valid.eq(self.done & ~self.note.output), note.eq(self.note)]
        for lane, products in enumerate(self.product):
            for mantissa, product in zip(mantissas[lane], products, strict=True):
                m.d.sync += mantissa.eq((product + half) >> UNIT_FRAC)
            bits = self.bits[lane]
            alive.append(self._measure(m, mantissas[lane], bits, valid, note.note.final))
        m.d.sync += [self.stored.eq(valid & note.note.final), self.stored_note.eq(note)]
        m.d.comb += [
            self.alive.eq(Cat(alive).any()),
            self.vectors.addr.eq(
                banked_address(note.note.slot, note.note.group, self.shapes.engine.groups)
            ),
            self.vectors.data.eq(mantissas),
            self.vectors.en.eq(valid),
        ]

    def _measure(
        self, m: Module, mantissas: data.View, bits: Value, valid: Signal, final: Value
    ) -> Value:
        """Drive `bits`, the bit length of a tag's largest magnitude: that of an OR over all groups.

        Returns whether any mantissa is not zero.
        """
        seen = Signal(VALUE_WIDTH)
        every = Signal(VALUE_WIDTH)
        magnitude = seen
        for mantissa in mantissas:
            magnitude = magnitude | Mux(mantissa < 0, -mantissa, mantissa)[:VALUE_WIDTH]
        with m.If(valid):
            m.d.sync += [seen.eq(Mux(final, 0, magnitude)), every.eq(magnitude)]
        m.d.comb += bits.eq(bit_length(every))
        return every.any()

    def _contract(self, m: Module) -> None:
        """Add up each tag's entries in a tree, then its groups in a running sum."""
        valid = delay(m, self.done & self.note.output, self._levels)
        note = delay(m, self.note, self._levels)
        fresh = Signal(init=1)
        m.d.comb += self.contracting_note.eq(note)
        m.d.sync += [self.contracted.eq(valid & note.note.final), self.contracted_note.eq(note)]
        sums = [self._tree(m, list(products)) for products in self.product]
        with m.If(valid):
            m.d.sync += fresh.eq(note.note.final)
            for delta, total in zip(self.delta, sums, strict=True):
                m.d.sync += delta.eq(Mux(fresh, 0, delta) + total)

    def _tree(self, m: Module, terms: list[Value]) -> Value:
        """Return the sum of N terms, one cycle later for each level of the tree."""
        while len(terms) > 1:
            level = []
            for left, right in zip(terms[::2], terms[1::2], strict=True):
                total = Signal(signed(len(left) + 1))
                m.d.sync += total.eq(left + right)
                level.append(total)
            terms = level
        return terms[0]
