# SPDX-License-Identifier: BSD-2-Clause

"""The arbiter in front of the issuer: pruned vectors before seeds, a slot's sums at a time."""

from amaranth import Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...common.shapes import Shapes
from .issue import issue_job
from .layouts import sum_note


class IssueArbiter(wiring.Component):
    """Merges the jobs of the pruner and of the seeds into those of the issuer.

    Pruned vectors take precedence, because they complete a chunk that already occupies a slot. Once
    a job is offered, the arbiter keeps its source until the last group of that slot's sums ends:
    `TangentSums` has registers for the sums of one slot only. The path is combinational.

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.

    Members
    -------
    `pruned` : In(stream of issue_job)
        Rows of pruned vectors.
    `seeds` : In(stream of issue_job)
        Rows of seeds.
    `job` : Out(stream of issue_job)
        The chosen source's rows.
    """

    def __init__(self, shapes: Shapes) -> None:
        jobs = stream.Signature(issue_job(shapes.neurons, shapes.lanes, sum_note(shapes)))
        super().__init__({"pruned": In(jobs), "seeds": In(jobs), "job": Out(jobs)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        locked = Signal()
        to_seeds = Signal()
        chosen = Signal()
        job = self.job
        m.d.comb += chosen.eq(Mux(locked, to_seeds, ~self.pruned.valid))
        with m.If(chosen):
            m.d.comb += [
                job.valid.eq(self.seeds.valid),
                job.payload.eq(self.seeds.payload),
            ]
        with m.Else():
            m.d.comb += [
                job.valid.eq(self.pruned.valid),
                job.payload.eq(self.pruned.payload),
            ]
        m.d.comb += [
            self.seeds.ready.eq(job.ready & chosen),
            self.pruned.ready.eq(job.ready & ~(locked & to_seeds)),
        ]
        with m.If(job.valid):
            m.d.sync += [locked.eq(1), to_seeds.eq(chosen)]
            with m.If(job.ready & job.payload.end & job.payload.meta.final):
                m.d.sync += locked.eq(0)
        return m
