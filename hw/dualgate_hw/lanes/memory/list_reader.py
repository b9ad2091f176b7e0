# SPDX-License-Identifier: BSD-2-Clause

"""The list reader: lists of nonzero inputs and hidden values, one entry per cycle."""

from amaranth import Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...common.shapes import ENTRY, VALUE, Shapes, banked_address


def list_job(shapes: Shapes, meta: data.StructLayout) -> data.StructLayout:
    """Return the layout of a job of `ListReader`: a list, or a part of one.

    Fields
    ------
    context : unsigned(shapes.context)
        Context of the list.
    input : unsigned(1)
        The list is one of inputs; otherwise it is one of hidden values.
    first : shapes.unit or shapes.place
        Position of the first entry; in a list of inputs that of the first pair.
    count : shapes.unit
        Number of entries, at least 1.
    row : shapes.row
        Row of the weight-shaped memory that belongs to index 0.
    meta : StructLayout
        Data that each step of the job carries along.
    """
    return data.StructLayout(
        {
            "context": unsigned(shapes.context),
            "input": unsigned(1),
            "first": max(shapes.unit, shapes.place, key=lambda shape: shape.width),
            "count": shapes.unit,
            "row": shapes.row,
            "meta": meta,
        }
    )


def list_step(shapes: Shapes, meta: data.StructLayout) -> data.StructLayout:
    """Return the layout of a step of `ListReader`.

    Fields
    ------
    row : shapes.row
        Row to multiply.
    scalar : VALUE
        Scalar to multiply it by.
    last : unsigned(1)
        The step is the last one of its job.
    meta : StructLayout
        Data of the job.
    """
    return data.StructLayout(
        {"row": shapes.row, "scalar": VALUE, "last": unsigned(1), "meta": meta}
    )


def held_step(meta: data.StructLayout) -> data.StructLayout:
    """Return the layout of a step inside `ListReader`: whether there is one, and its job's data."""
    return data.StructLayout({"valid": unsigned(1), "meta": meta})


class ListReader(wiring.Component):
    """Reads lists of nonzeros, one entry per cycle, job after job without a gap.

    ::

        job --> list memory --> entry + row --> step
        cycle 0      1               2           3

    Parameters
    ----------
    shapes : Shapes
        Shapes of the engine.
    meta : StructLayout
        Data that a job carries along to each of its steps.
    alternates : bool
        Never read pairs of inputs in two successive cycles, because the port is shared with a
        writer. Then there is a gap of one cycle where a list of inputs directly follows one with an
        odd number of entries.

    Members
    -------
    `job` : In(stream of list_job(shapes, meta))
        Lists to read.
    `step` : Out(stream of list_step(shapes, meta))
        Steps of the jobs; the first step of a job follows it by 3 cycles.
    `held` : Out(ArrayLayout(held_step(meta), 2))
        Steps that are not taken yet, the older one first.
    `inputs` : In(shapes.read(shapes.pairs, shapes.pair))
        Read port of the lists of inputs, which has two entries in a word.
    `hidden` : In(shapes.read(activations, ENTRY, contexts))
        Read port of the lists of hidden values.
    """

    def __init__(self, shapes: Shapes, meta: data.StructLayout, alternates: bool = False) -> None:
        self.shapes = shapes
        self.meta = meta
        self.alternates = alternates
        engine = shapes.engine
        super().__init__(
            {
                "job": In(stream.Signature(list_job(shapes, meta))),
                "step": Out(stream.Signature(list_step(shapes, meta))),
                "held": Out(data.ArrayLayout(held_step(meta), 2)),
                "inputs": In(shapes.read(shapes.pairs, shapes.pair)),
                "hidden": In(shapes.read(engine.activations, ENTRY, shapes.contexts)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        job = Signal(list_job(self.shapes, self.meta))
        active = Signal()
        second = Signal()
        read = Signal(list_job(self.shapes, self.meta))
        read_second = Signal()
        reading = Signal()
        advance = Signal()
        moves_on = Signal()
        waits = Signal()
        ends = Signal()
        entry = Signal(self.shapes.entry)
        hidden = self.hidden.data
        step = self.step.payload
        # The port holds a pair for its second entry.
        new_pair = active & job.input & ~second
        m.d.comb += [
            moves_on.eq(~self.step.valid | self.step.ready),
            advance.eq((~reading | moves_on) & ~waits),
            ends.eq(job.count == 1),
            self.job.ready.eq(~active | (advance & ends)),
            self.inputs.addr.eq(job.first),
            self.hidden.addr.eq(
                banked_address(job.context, job.first, self.shapes.engine.activations)
            ),
            self.inputs.en.eq(advance & new_pair),
            self.hidden.en.eq(advance),
            entry.eq(Mux(read_second, *(self.inputs.data[n].as_value() for n in (1, 0)))),
            self.held[0].valid.eq(self.step.valid),
            self.held[0].meta.eq(step.meta),
            self.held[1].valid.eq(reading),
            self.held[1].meta.eq(read.meta),
        ]
        with m.If(~read.input):
            m.d.comb += [entry.value.eq(hidden.value), entry.index.eq(hidden.index)]
        if self.alternates:
            before = Signal()
            m.d.sync += before.eq(self.inputs.en)
            m.d.comb += waits.eq(new_pair & before)
        # A block RAM is slow: its output is used in an adder, and registered behind it.
        with m.If(moves_on):
            m.d.sync += [
                self.step.valid.eq(reading),
                step.row.eq(read.row + entry.index),
                step.scalar.eq(entry.value),
                step.last.eq(read.count == 1),
                step.meta.eq(read.meta),
                reading.eq(0),
            ]
        with m.If(advance):
            m.d.sync += [read.eq(job), read_second.eq(second), reading.eq(active)]
            with m.If(active):
                m.d.sync += [
                    second.eq(job.input & ~second),
                    job.first.eq(job.first + (~job.input | second)),
                    job.count.eq(job.count - 1),
                    active.eq(~ends),
                ]
        with m.If(self.job.valid & self.job.ready):
            m.d.sync += [job.eq(self.job.payload), second.eq(0), active.eq(1)]
        return m
