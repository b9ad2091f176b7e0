# SPDX-License-Identifier: BSD-2-Clause

"""The issuer of tangent steps: a row's kept entries, one a cycle, without a cycle for zeros."""

from amaranth import Module, Signal, unsigned
from amaranth.hdl import Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...common.onehot import isolate_lowest, more_than_one, onehot_index, onehot_mux
from ...common.shapes import INDEX, VALUE, vector


def flag_fields(flags: Value) -> dict[str, Value]:
    """Return the fields of an `issue_job` that follow from its flags, and the flags themselves."""
    return {
        "flags": flags,
        "some": flags.any(),
        "lowest": isolate_lowest(flags),
        "single": ~more_than_one(flags),
    }


def issue_job(neurons: int, lanes: int, meta: data.StructLayout) -> data.StructLayout:
    """A job of `NonzeroIssuer`: a row of N entries for each lane, and flags for the kept ones.

    `flag_fields` makes the four fields from `flags` to `single`.

    Fields
    ------
    scalars
        N entries for each lane.
    flags
        One bit for each of the N entries: whether the entry is issued, in all lanes.
    some
        Whether any flag is set.
    lowest
        The lowest set flag alone.
    single
        Whether at most one flag is set.
    row
        Row of the weight memory that entry 0 is multiplied with.
    end
        Whether a sum ends with this job.
    meta
        Data that the issuer hands on with each step.
    """
    return data.StructLayout(
        {
            "scalars": data.ArrayLayout(vector(neurons), lanes),
            "flags": unsigned(neurons),
            "some": unsigned(1),
            "lowest": unsigned(neurons),
            "single": unsigned(1),
            "row": INDEX,
            "end": unsigned(1),
            "meta": meta,
        }
    )


def issue_step(lanes: int, meta: data.StructLayout) -> data.StructLayout:
    """A step of `NonzeroIssuer`.

    Fields
    ------
    some
        Whether the step has a product. A job without flags makes one step without a product, which
        only carries its `end`.
    row
        Row of the weight memory to multiply with.
    scalar
        A factor for each lane.
    end
        Whether the sum is complete after this step.
    meta
        The job's.
    """
    return data.StructLayout(
        {
            "some": unsigned(1),
            "row": INDEX,
            "scalar": data.ArrayLayout(VALUE, lanes),
            "end": unsigned(1),
            "meta": meta,
        }
    )


class NonzeroIssuer(wiring.Component):
    """Issues the flagged entries of rows as steps, lowest first, job after job without a gap.

    A job costs as many cycles as it has flags, and at least one. Its first step is valid in the
    cycle after the job is taken.

    Parameters
    ----------
    neurons : int
        N, entries of a row.
    lanes : int
        K, rows of a job.
    meta : StructLayout
        Data that a job hands on with each of its steps.

    Members
    -------
    `job` : In(stream of issue_job(neurons, lanes, meta))
        Rows to issue.
    `step` : Out(stream of issue_step(lanes, meta))
        One step for each flag, or a single step without a product for a job without flags.
    """

    def __init__(self, neurons: int, lanes: int, meta: data.StructLayout) -> None:
        self.neurons = neurons
        self.lanes = lanes
        self.meta = meta
        super().__init__(
            {
                "job": In(stream.Signature(issue_job(neurons, lanes, meta))),
                "step": Out(stream.Signature(issue_step(lanes, meta))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        job = Signal(issue_job(self.neurons, self.lanes, self.meta))
        held = Signal()
        rest = Signal(self.neurons)
        entry = Signal(range(self.neurons))
        step = self.step.payload
        m.d.comb += [
            rest.eq(job.flags & ~job.lowest),
            self.job.ready.eq(~held | (self.step.ready & job.single)),
            self.step.valid.eq(held),
            step.some.eq(job.some),
            step.end.eq(job.end & job.single),
            step.meta.eq(job.meta),
            step.row.eq(job.row + entry),
        ]
        m.d.comb += entry.eq(onehot_index(job.lowest))
        for scalar, scalars in zip(step.scalar, job.scalars, strict=True):
            m.d.comb += scalar.eq(onehot_mux(job.lowest, scalars))
        with m.If(self.step.ready):
            m.d.sync += [job[field].eq(value) for field, value in flag_fields(rest).items()]
        with m.If(self.job.ready):
            m.d.sync += [
                job.eq(self.job.payload),
                held.eq(self.job.valid),
            ]
        return m
