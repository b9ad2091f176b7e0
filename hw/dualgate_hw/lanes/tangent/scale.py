# SPDX-License-Identifier: BSD-2-Clause

"""Scaling: tags' sums become vectors of 16-bit mantissas, times the layer's slopes.

At the output layer the update scalars of the outputs take the place of the slopes, and the
products are added up: that is the tag's own update scalar, but for its binary point.
"""

from amaranth import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.hdl import Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import UNIT_FRAC, VALUE_WIDTH, WEIGHT_FRAC

from ...common.activation_rules import slope_frac
from ...common.delay import delay
from ...common.mac import MAC_LATENCY, VectorClient
from ...common.onehot import bit_length
from ...common.rounding import shift_right
from ...common.shapes import LAYER, PRODUCT, Shapes, banked_address, vector
from .layouts import FRAC, MAGNITUDE_BITS, scale_job, sum_note


def scaled(shapes: Shapes) -> data.StructLayout:
    """What travels with a product: see `sum_note`, and

    Fields
    ------
    output : the products are to be contracted, not stored
    gain : what the binary point of each tag's vector gains by this layer
    """
    gain = data.ArrayLayout(FRAC, shapes.lanes)
    return data.StructLayout({"note": sum_note(shapes), "output": unsigned(1), "gain": gain})


class Scaler(wiring.Component):
    """Feeds groups of sums to the MAC array, one a cycle, behind their normalising shift.

    ::

        job -> descriptor -> sums, slopes -> shift -> MAC array -> `Rescaled`
        cycle      0              1            2        3

    Parameters
    ----------
    shapes : Shapes

    Members
    -------
    job : stream in; only slots that are alive
    index, layer : descriptor wanted, read a cycle later
    slot_layer, slot_context : the layer that the slot of `job` has crossed, and whose it is
    sums, slopes, errors : read ports
    mac : MAC array
    note : what belongs to the product, with `mac.done`
    taken : pulse for each request
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        engine, contexts = shapes.engine, shapes.contexts
        layers = range(engine.layers)
        sums = data.ArrayLayout(vector(shapes.neurons, shapes.tangent_sum), shapes.lanes)
        super().__init__(
            {
                "job": In(stream.Signature(scale_job(shapes))),
                "slot_layer": In(layers),
                "slot_context": In(shapes.context),
                "index": Out(layers),
                "layer": In(LAYER),
                "sums": In(shapes.read(engine.groups, sums, shapes.slots)),
                "slopes": In(shapes.read(engine.vectors, shapes.vector, contexts)),
                "errors": In(shapes.read(engine.groups, shapes.vector, contexts)),
                "mac": Out(VectorClient(shapes.neurons, shapes.lanes)),
                "note": Out(scaled(shapes)),
                "taken": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        engine = self.shapes.engine
        advance = Signal()
        read_valid = Signal()
        index = Signal.like(self.index)
        group = Signal(self.shapes.group)
        job = Signal(scale_job(self.shapes))
        context = Signal.like(self.slot_context)
        final = Signal()
        layer = self.layer
        m.d.comb += [
            advance.eq(~self.mac.valid | self.mac.ready),
            self.index.eq(index),
            final.eq(group == layer.groups - 1),
            self.job.ready.eq(advance & (~read_valid | final)),
            self.sums.addr.eq(banked_address(job.slot, group, engine.groups)),
            self.slopes.addr.eq(banked_address(context, layer.vector_base + group, engine.vectors)),
            self.errors.addr.eq(banked_address(context, group, engine.groups)),
            self.sums.en.eq(advance),
            self.slopes.en.eq(advance),
            self.errors.en.eq(advance),
        ]
        with m.If(self.job.ready):
            m.d.comb += self.index.eq(self.slot_layer)
            m.d.sync += [
                index.eq(self.slot_layer),
                context.eq(self.slot_context),
                job.eq(self.job.payload),
                read_valid.eq(self.job.valid),
                group.eq(0),
            ]
        with m.Elif(advance):
            m.d.sync += group.eq(group + 1)
        self._request(m, advance, read_valid, job, group, final)
        return m

    def _request(
        self,
        m: Module,
        advance: Signal,
        read_valid: Signal,
        job: data.View,
        group: Signal,
        final: Signal,
    ) -> None:
        valid = Signal()
        shift = Signal(data.ArrayLayout(self.shapes.norm, self.shapes.lanes))
        read_note = Signal(scaled(self.shapes))
        note = Signal(scaled(self.shapes))
        m.d.comb += self.taken.eq(self.mac.valid & self.mac.ready)
        gain = slope_frac(self.layer.activation) - UNIT_FRAC
        with m.If(advance):
            m.d.sync += [
                valid.eq(read_valid),
                shift.eq(job.shift),
                read_note.note.slot.eq(job.slot),
                read_note.note.group.eq(group),
                read_note.note.final.eq(final),
                read_note.output.eq(self.layer.last),
                self.mac.valid.eq(valid),
                note.eq(read_note),
                self.mac.right.eq(
                    Mux(
                        read_note.output,
                        self.errors.data.as_value(),
                        self.slopes.data.as_value(),
                    )
                ),
            ]
            for lane, totals in enumerate(self.sums.data):
                m.d.sync += read_note.gain[lane].eq(
                    WEIGHT_FRAC - job.shift[lane] + Mux(self.layer.last, 0, gain)
                )
                for left, total in zip(self.mac.left[lane], totals, strict=True):
                    mantissa, _ = shift_right(m, total, shift[lane], VALUE_WIDTH)
                    m.d.sync += left.eq(mantissa)
        m.d.comb += self.note.eq(delay(m, note, MAC_LATENCY))


class Rescaled(wiring.Component):
    """What becomes of the scaler's products: vectors to store, or a sum of all entries of each.

    Parameters
    ----------
    shapes : Shapes

    Members
    -------
    done, product, note : from the MAC array and the `Scaler`
    vectors : write port
    stored, bits : pulse when vectors are complete, with the bit length of the largest magnitudes
    alive, stored_note : with `stored`; whether any magnitude is not zero
    contracted, delta, contracted_note : pulse when the tags' sums are complete
    contracting_note : `contracted_note` of the next cycle
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        self.levels = (shapes.neurons - 1).bit_length()
        self.delta_width = PRODUCT.width + self.levels + (shapes.engine.groups - 1).bit_length()
        super().__init__(
            {
                "done": In(1),
                "product": In(data.ArrayLayout(vector(shapes.neurons, PRODUCT), shapes.lanes)),
                "note": In(scaled(shapes)),
                "vectors": In(shapes.write(shapes.engine.groups, shapes.vectors, shapes.slots)),
                "stored": Out(1),
                "bits": Out(data.ArrayLayout(MAGNITUDE_BITS, shapes.lanes)),
                "alive": Out(1),
                "stored_note": Out(scaled(shapes)),
                "contracted": Out(1),
                "delta": Out(data.ArrayLayout(signed(self.delta_width), shapes.lanes)),
                "contracted_note": Out(scaled(shapes)),
                "contracting_note": Out(scaled(shapes)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._store(m)
        self._contract(m)
        return m

    def _store(self, m: Module) -> None:
        """Round to mantissas, and measure the largest of each tag."""
        mantissas = Signal(self.shapes.vectors)
        note = Signal(scaled(self.shapes))
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
        """An OR over a tag's magnitudes, all groups, finds the bit length of the largest.

        Returns whether any is not zero.
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
        """An adder tree over a tag's entries, a level a cycle, then a running sum over groups."""
        valid = delay(m, self.done & self.note.output, self.levels)
        note = delay(m, self.note, self.levels)
        fresh = Signal(init=1)
        m.d.comb += self.contracting_note.eq(note)
        m.d.sync += [self.contracted.eq(valid & note.note.final), self.contracted_note.eq(note)]
        sums = [self._tree(m, list(products)) for products in self.product]
        with m.If(valid):
            m.d.sync += fresh.eq(note.note.final)
            for delta, total in zip(self.delta, sums, strict=True):
                m.d.sync += delta.eq(Mux(fresh, 0, delta) + total)

    def _tree(self, m: Module, terms: list[Value]) -> Value:
        """The sum of N terms, `levels` cycles later."""
        while len(terms) > 1:
            level = []
            for left, right in zip(terms[::2], terms[1::2], strict=True):
                total = Signal(signed(len(left) + 1))
                m.d.sync += total.eq(left + right)
                level.append(total)
            terms = level
        return terms[0]
