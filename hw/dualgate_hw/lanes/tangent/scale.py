# SPDX-License-Identifier: BSD-2-Clause

"""The scaler: tags' sums, normalised to 16-bit mantissas, are multiplied by the layer's slopes.

At the output layer the update scalars of the outputs take the place of the slopes. `ScaleSink`
receives the products.
"""

from amaranth import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import UNIT_FRAC, VALUE_WIDTH, WEIGHT_FRAC

from ...common.activation_rules import slope_frac
from ...common.delay import delay
from ...common.mac import MAC_LATENCY, VectorClient
from ...common.rounding import shift_right
from ...common.shapes import LAYER, Shapes, banked_address, vector
from .layouts import scale_job, scale_note


class Scaler(wiring.Component):
    """Normalises groups of sums and feeds them to the MAC array, one a cycle.

    ::

        job -> descriptor -> sums, slopes -> shift -> MAC array -> `ScaleSink`
        cycle      0              1            2        3

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.

    Members
    -------
    `job` : In(stream of scale_job)
        A slot whose sums are complete and which is alive.
    `slot_layer` : In(range(layers))
        Index of the layer that the slot of `job` has crossed.
    `slot_context` : In(shapes.context)
        Context of the slot of `job`.
    `index` : Out(range(layers))
        Index of the wanted layer descriptor.
    `layer` : In(LAYER)
        The descriptor, one cycle after its `index`.
    `sums` : In(memory read port of K rows of N sums)
        Sums of all slots.
    `slopes` : In(memory read port of rows of N values)
        Slopes of all contexts.
    `errors` : In(memory read port of rows of N values)
        Update scalars of the output layer of all contexts.
    `mac` : Out(VectorClient(N, K))
        Client port of the MAC array.
    `note` : Out(scale_note(shapes))
        Slot, group and gain of the product, with `mac.done`.
    `taken` : Out(1)
        Pulse for each request that the MAC array takes.
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
                "note": Out(scale_note(shapes)),
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
        """Pass groups that were read through the shifter to the MAC array's request."""
        valid = Signal()
        shift = Signal(data.ArrayLayout(self.shapes.norm, self.shapes.lanes))
        read_note = Signal(scale_note(self.shapes))
        note = Signal(scale_note(self.shapes))
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
