# SPDX-License-Identifier: BSD-2-Clause

"""Tangent sums: products of tags' nonzeros with weight rows, and the shift each tag's sums take."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import VALUE_WIDTH

from ...common.delay import delay
from ...common.mac import MAC_LATENCY, WeightClient
from ...common.shapes import PRODUCT, Shapes, banked_address, vector
from .issue import issue_step
from .layouts import scale_job, sum_note


class TangentSums(wiring.Component):
    """Issues steps to the MAC array, adds their products and stores the sums of a slot.

    The shift that brings all of a tag's sums into 16 bits is known when its last group is: an OR
    over one's-complement magnitudes finds the leading bit without comparing.

    Parameters
    ----------
    shapes : Shapes

    Members
    -------
    step : stream in
    mac, product : the MAC array
    sums : write port
    complete, job : pulse; a slot's sums are stored
    taken : pulse for each request
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        product = data.ArrayLayout(vector(shapes.neurons, PRODUCT), shapes.lanes)
        self.sums_shape = data.ArrayLayout(vector(shapes.neurons, shapes.tangent_sum), shapes.lanes)
        super().__init__(
            {
                "step": In(stream.Signature(issue_step(shapes.lanes, sum_note(shapes)))),
                "mac": Out(WeightClient(shapes.lanes)),
                "product": In(product),
                "sums": In(shapes.write(shapes.engine.groups, self.sums_shape, shapes.slots)),
                "complete": Out(1),
                "job": Out(scale_job(shapes)),
                "taken": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        step = self.step
        m.d.comb += [
            self.mac.valid.eq(step.valid & step.payload.some),
            self.mac.row.eq(step.payload.row),
            self.mac.scalar.eq(step.payload.scalar),
            step.ready.eq(~step.payload.some | self.mac.ready),
            self.taken.eq(self.mac.valid & self.mac.ready),
        ]
        ends = delay(m, step.valid & step.ready & step.payload.end, MAC_LATENCY)
        note = delay(m, step.payload.meta, MAC_LATENCY)
        sums = Signal(self.sums_shape, reset_less=True)
        fresh = Signal(init=1)
        ended = Signal()
        ended_note = Signal(sum_note(self.shapes))
        # Products of one slot are never mixed with another's: the issuer takes whole sums.
        with m.If(self.mac.done | ends):
            m.d.sync += fresh.eq(ends)
        with m.If(self.mac.done):
            for totals, products in zip(sums, self.product, strict=True):
                for total, product in zip(totals, products, strict=True):
                    m.d.sync += total.eq(Mux(fresh, 0, total) + product)
        with m.If(ends & fresh & ~self.mac.done):
            m.d.sync += sums.eq(0)
        m.d.sync += [ended.eq(ends), ended_note.eq(note)]
        m.d.comb += [
            self.sums.addr.eq(
                banked_address(ended_note.slot, ended_note.group, self.shapes.engine.groups)
            ),
            self.sums.data.eq(sums),
            self.sums.en.eq(ended),
        ]
        alive = [
            self._normalise(m, totals, shift, ended, ended_note.final)
            for totals, shift in zip(sums, self.job.shift, strict=True)
        ]
        m.d.sync += [
            self.complete.eq(delay(m, ended & ended_note.final, 1)),
            self.job.slot.eq(delay(m, ended_note.slot, 1)),
            self.job.alive.eq(Cat(alive).any()),
        ]
        return m

    def _normalise(
        self, m: Module, sums: data.View, shift: Value, ended: Signal, final: Value
    ) -> Value:
        """Find a tag's shift, two cycles after its last sums; returns whether any is not zero."""
        # Bits that fit a mantissa anyway matter to no shift, only to whether there are any.
        fitting = VALUE_WIDTH - 1
        seen = Signal(self.shapes.tangent_sum.width - fitting)
        some = Signal()
        every = Signal.like(seen)
        alive = Signal()
        magnitude = seen
        other = some
        for total in sums:
            negative = total[-1]
            magnitude = magnitude | (total[fitting:] ^ negative.replicate(len(seen)))
            other = other | negative | total[:fitting].any()
        with m.If(ended):
            m.d.sync += [
                seen.eq(Mux(final, 0, magnitude)),
                some.eq(Mux(final, 0, other)),
                every.eq(magnitude),
                alive.eq(other),
            ]
        m.d.sync += shift.eq(0)
        # The last of these to hold is the leading bit.
        for place, bit in enumerate(every):
            with m.If(bit):
                m.d.sync += shift.eq(place + 1)
        return alive | every.any()
