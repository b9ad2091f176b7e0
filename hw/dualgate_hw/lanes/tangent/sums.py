# SPDX-License-Identifier: BSD-2-Clause

"""Tangent sums: products of tags' nonzeros with weight rows, and the shift that normalises them."""

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
    """Requests the products of steps from the MAC array, adds them up and stores a slot's sums.

    A group's sums are written `MAC_LATENCY` + 1 cycles after its last step is taken, and `complete`
    follows the last group's write after two cycles. The shift that brings all of a tag's sums into
    16 bits is then known: an OR over one's-complement magnitudes finds the leading bit without a
    comparison.

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.

    Members
    -------
    `step` : In(stream of issue_step)
        Steps of one slot's groups, one group after the other.
    `mac` : Out(WeightClient(K))
        Client port of the MAC array. A step without a product makes no request.
    `product` : In(ArrayLayout(vector(N, PRODUCT), K))
        Products of the MAC array, with `mac.done`.
    `sums` : In(memory write port of K rows of N sums)
        Sums of all slots, a word for each group.
    `complete` : Out(1)
        Pulse: all sums of a slot are stored.
    `job` : Out(scale_job(shapes))
        The slot and its shifts, with `complete`.
    `taken` : Out(1)
        Pulse for each request that the MAC array takes.
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
        # A product that ends a group makes the next one start afresh. One slot's products never mix
        # with another's, because `IssueArbiter` passes a slot's sums whole.
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
        """Drive a tag's `shift`, two cycles after its last group's sums.

        Returns whether any of the tag's sums is not zero, in that cycle.
        """
        # The bits that a mantissa holds do not affect the shift, only whether the tag is alive.
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
        # The last assignment whose condition holds takes effect: that of the leading bit.
        for place, bit in enumerate(every):
            with m.If(bit):
                m.d.sync += shift.eq(place + 1)
        return alive | every.any()
