# SPDX-License-Identifier: BSD-2-Clause

"""Seeds: each hidden unit with a nonzero slope starts a tag, whose vector has one entry, the slope.

Up to K tags that are seeded from the same row of slopes share a slot; they are a chunk.
"""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...common.activation_rules import slope_frac
from ...common.onehot import isolate_lowest, onehot_index
from ...common.shapes import LAYER, Shapes, banked_address
from .issue import issue_job
from .layouts import chunk, sum_note


class Seeds(wiring.Component):
    """Reads the slopes of a sample's hidden layers and emits jobs for up to K nonzeros at a time.

    Costs, while slopes are written, slots are free and jobs are taken:

    - a layer 3 cycles, or 2 if it is frozen and has no tags;
    - a row of N slopes 4 cycles, and one more for each chunk and group of the next layer; a zero
      slope costs nothing;
    - the output layer, which ends the walk, 2 cycles.

    The row of update scalars at the same address is cleared while a row of slopes is read.

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.

    Members
    -------
    `start` : In(1)
        Pulse that starts the walk of a sample. Must be low while `active`.
    `sample` : In(shapes.context)
        Context of the sample, with `start`.
    `active` : Out(1)
        High from the cycle after `start` until the walk ends, after its last seed is taken.
    `context` : Out(shapes.context)
        Context of the sample that is walked.
    `origin` : Out(range(layers))
        Layer that is walked; all tags of the layers before it are seeded.
    `index` : Out(range(layers))
        Index of the wanted layer descriptor.
    `layer` : In(LAYER)
        The descriptor, one cycle after its `index`.
    `partial` : In(1)
        Slopes of the sample may still have to be written.
    `written` : In(range(layers))
        Number of its layers whose slopes are written, while `partial`.
    `slopes` : In(memory read port of rows of N values)
        Slopes of all contexts.
    `slot_free` : In(1)
        Whether `slot` is free.
    `slot` : In(shapes.slot)
        The slot on offer. It may change while it is not free, and after `chunk_start`.
    `job` : Out(stream of issue_job)
        A row with the seeds of a chunk, for each group of the next layer; to the issuer.
    `chunk_start` : Out(1)
        Pulse: the last job of a chunk is taken, and the chunk takes the slot on offer.
    `chunk` : Out(chunk(shapes))
        The chunk, with `chunk_start`.
    `clear` : Out(1)
        Request to clear a row of update scalars; high until `clear_ready`.
    `clear_ready` : In(1)
        Whether the row is cleared in this cycle.
    `clear_address` : Out(shapes.word)
        Address of that row within `context`.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        engine = shapes.engine
        super().__init__(
            {
                "start": In(1),
                "sample": In(shapes.context),
                "active": Out(1),
                "context": Out(shapes.context),
                "origin": Out(range(engine.layers)),
                "index": Out(range(engine.layers)),
                "layer": In(LAYER),
                "partial": In(1),
                "written": In(range(engine.layers)),
                "slopes": In(shapes.read(engine.vectors, shapes.vector, shapes.contexts)),
                "slot_free": In(1),
                "slot": In(shapes.slot),
                "job": Out(
                    stream.Signature(issue_job(shapes.neurons, shapes.lanes, sum_note(shapes)))
                ),
                "chunk_start": Out(1),
                "chunk": Out(chunk(shapes)),
                "clear": Out(1),
                "clear_ready": In(1),
                "clear_address": Out(shapes.word),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer = Signal(LAYER)
        following = Signal(LAYER)
        tags = Signal(range(self.shapes.engine.layers))
        group = Signal(self.shapes.group)
        address = Signal(self.shapes.word)
        m.d.comb += [
            address.eq(layer.vector_base + group),
            self.slopes.en.eq(1),
            self.slopes.addr.eq(banked_address(self.context, address, self.shapes.engine.vectors)),
            self.clear_address.eq(address),
            self.chunk.context.eq(self.context),
            self.chunk.layer.eq(tags + 1),
            self.chunk.origin.eq(tags),
            self.origin.eq(tags),
            self.chunk.address.eq(address),
            self.index.eq(tags),
        ]
        for frac in self.chunk.frac:
            m.d.comb += frac.eq(slope_frac(layer.activation))
        flags = Signal(self.shapes.neurons)
        slopes = Signal(self.shapes.vector)
        rest = self._first_flags(m, flags, slopes)
        with m.FSM() as fsm:
            with m.State("IDLE"), m.If(self.start):
                m.d.sync += [tags.eq(0), self.context.eq(self.sample)]
                m.next = "FETCH"
            with m.State("FETCH"):
                m.next = "LAYER"
            with m.State("LAYER"):
                m.d.comb += self.index.eq(tags + 1)
                m.d.sync += [layer.eq(self.layer), group.eq(0)]
                m.next = "FOLLOWING"
                with m.If(self.layer.last):
                    m.next = "IDLE"
                with m.Elif(self.layer.frozen):
                    m.d.sync += tags.eq(tags + 1)
                    m.next = "FETCH"
            with m.State("FOLLOWING"):
                m.d.sync += following.eq(self.layer)
                m.next = "READ"
            with m.State("READ"):
                m.d.comb += self.clear.eq(~self.partial | (tags < self.written))
                with m.If(self.clear & self.clear_ready):
                    m.next = "SLOPES"
            self._emit_states(m, flags, rest, slopes, following, group)
            with m.State("NEXT"):
                m.d.sync += group.eq(group + 1)
                m.next = "READ"
                with m.If(group == layer.groups - 1):
                    m.d.sync += tags.eq(tags + 1)
                    m.next = "FETCH"
        m.d.comb += self.active.eq(~fsm.ongoing("IDLE"))
        return m

    def _first_flags(self, m: Module, flags: Signal, slopes: data.View) -> Signal:
        """Fill the job and the chunk with the lowest K flags, one for each lane.

        Returns the flags that remain after them.
        """
        job, chunk = self.job.payload, self.chunk
        rest = flags
        for lane in range(self.shapes.lanes):
            first = Signal.like(flags, name=f"lowest_{lane}")
            following = Signal.like(flags, name=f"rest_{lane}")
            m.d.comb += [
                first.eq(isolate_lowest(rest)),
                following.eq(rest & ~first),
                chunk.present[lane].eq(rest.any()),
                chunk.unit[lane].eq(onehot_index(first)),
            ]
            for unit, slope in enumerate(slopes):
                # With a single lane the issuer never selects an entry without a flag.
                scalar = slope if self.shapes.lanes == 1 else Mux(first[unit], slope, 0)
                m.d.comb += job.scalars[lane][unit].eq(scalar)
            rest = following
        m.d.comb += [
            job.flags.eq(flags & ~rest),
            job.some.eq(chunk.present[0]),
            job.lowest.eq(isolate_lowest(flags)),
            job.single.eq(~chunk.present[1:].any()),
            job.end.eq(1),
            job.meta.slot.eq(self.slot),
        ]
        return rest

    def _emit_states(
        self,
        m: Module,
        flags: Signal,
        rest: Signal,
        slopes: data.View,
        following: data.View,
        group: Signal,
    ) -> None:
        target = Signal(self.shapes.group)
        row = Signal(self.shapes.row)
        final = Signal()
        job = self.job.payload
        first_row = following.weight_base + group * self.shapes.neurons
        m.d.comb += [
            final.eq(target == following.groups - 1),
            job.row.eq(row),
            job.meta.group.eq(target),
            job.meta.final.eq(final),
        ]
        with m.State("SLOPES"):
            m.d.sync += [slopes.eq(self.slopes.data), target.eq(0), row.eq(first_row)]
            m.d.sync += flags.eq(Cat(slope != 0 for slope in self.slopes.data))
            m.next = "EMIT"
        with m.State("EMIT"):
            m.d.comb += self.job.valid.eq((flags != 0) & self.slot_free)
            with m.If(self.job.valid & self.job.ready):
                m.d.sync += [target.eq(target + 1), row.eq(row + following.inputs + 1)]
                with m.If(final):
                    m.d.comb += self.chunk_start.eq(1)
                    m.d.sync += [target.eq(0), row.eq(first_row), flags.eq(rest)]
            with m.If(flags == 0):
                m.next = "NEXT"
