# SPDX-License-Identifier: BSD-2-Clause

"""The tangent lanes: every hidden unit's tag is carried to the outputs, several at a time.

::

    Seeds --+                                                     +--> vectors --> Pruner --+
             +--> NonzeroIssuer --> TangentSums --> Scaler, ScaleSink                       |
    Pruner --+                                                    +--> DeltaWriter          |
       ^------------------------------------------------------------------------------------+

A slot holds a chunk of up to K tags, one for each tangent lane: their sums, vectors and binary
points. The tags of a chunk step together, but each is normalised and pruned by itself. Several
slots are in different places of the ring at once, so that one slot is normalised while others step.
"""

from amaranth import Module, Signal, unsigned
from amaranth.lib import data, fifo, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ...common.mac import VectorClient, WeightClient
from ...common.shapes import LAYER, PRODUCT, SETTINGS, Shapes, vector
from .delta_writer import DeltaWriter
from .issue import NonzeroIssuer
from .issue_arbiter import IssueArbiter
from .layouts import scale_job, sum_note, vector_job
from .prune import Pruner
from .scale import Scaler
from .scale_sink import ScaleSink
from .seeds import Seeds
from .slot_table import SlotTable
from .sums import TangentSums


class TangentLane(wiring.Component):
    """Turns a sample's slopes and errors into the update scalars of its hidden units.

    Samples enter one at a time, as soon as the seeds of the one before are taken, and leave in the
    order in which they entered. The last tags of a sample and the first of the next one are thus in
    the ring together.

    A sample that has its core to itself enters with its inputs. Its seeds wait for the slopes of
    their layer, its sums for the slopes or errors that scale them.

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.

    Members
    -------
    `token` : In(stream of shapes.token)
        Samples whose slopes and errors are written, or, while no other is in the lane, a sample of
        which nothing is written yet.
    `partial` : In(1)
        The only sample in the lane is one whose errors are still to be written.
    `written` : In(range(layers))
        Number of its hidden layers whose slopes are written, while `partial`.
    `done` : Out(stream of shapes.token)
        The oldest sample in the lane, once its errors are written. It must not be taken before all
        its update scalars are written.
    `wanted` : In(range(layers))
        A hidden layer.
    `complete` : Out(1)
        The update scalars of that layer of the sample at `done` are written, if those of the layers
        before it are.
    `settings` : In(SETTINGS)
        The lane uses `prune`.
    `indices` : Out(ArrayLayout(range(layers), 3))
        Indices of the layer descriptors that seeds, pruner and scaler want.
    `layers` : In(ArrayLayout(LAYER, 3))
        Those descriptors, one cycle after their indices.
    `sum_mac` : Out(WeightClient(K))
        Client port of the MAC array for the products of steps.
    `sum_product` : In(ArrayLayout(vector(N, PRODUCT), K))
        Products, with `sum_mac.done`.
    `scale_mac` : Out(VectorClient(N, K))
        Client port of the MAC array for the products with slopes or errors.
    `scale_product` : In(ArrayLayout(vector(N, PRODUCT), K))
        Products, with `scale_mac.done`.
    `seed_slopes`, `scale_slopes` : In(memory read port of rows of N values)
        Slopes of all contexts, for seeds and scaler.
    `errors` : In(memory read port of rows of N values)
        Update scalars of the output layer of all contexts.
    `deltas` : In(memory write port of rows of N values, with an enable for each)
        Update scalars of hidden units of all contexts.
    `tangent_row`, `scale_row` : Out(1)
        Pulse for each request that the MAC array takes from `sum_mac` and from `scale_mac`.
    `saturated` : Out(range(K + 1))
        Number of update scalars that saturated, to be counted.
    `kept`, `dropped` : Out(range(K * N + 1))
        Number of tangents that were kept and dropped, to be counted.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        engine, contexts = shapes.engine, shapes.contexts
        slopes = shapes.read(engine.vectors, shapes.vector, contexts)
        product = data.ArrayLayout(vector(shapes.neurons, PRODUCT), shapes.lanes)
        count = range(shapes.lanes * shapes.neurons + 1)
        super().__init__(
            {
                "token": In(stream.Signature(shapes.token)),
                "partial": In(1),
                "written": In(range(engine.layers)),
                "done": Out(stream.Signature(shapes.token)),
                "wanted": In(range(engine.layers)),
                "complete": Out(1),
                "settings": In(SETTINGS),
                "indices": Out(data.ArrayLayout(unsigned((engine.layers - 1).bit_length()), 3)),
                "layers": In(data.ArrayLayout(LAYER, 3)),
                "sum_mac": Out(WeightClient(shapes.lanes)),
                "sum_product": In(product),
                "scale_mac": Out(VectorClient(shapes.neurons, shapes.lanes)),
                "scale_product": In(product),
                "seed_slopes": In(slopes),
                "scale_slopes": In(slopes),
                "errors": In(shapes.read(engine.groups, shapes.vector, contexts)),
                "deltas": In(shapes.write(engine.vectors, shapes.vector, contexts, granularity=1)),
                "tangent_row": Out(1),
                "scale_row": Out(1),
                "saturated": Out(range(shapes.lanes + 1)),
                "kept": Out(count),
                "dropped": Out(count),
            }
        )
        self._seeds = Seeds(shapes)
        self._arbiter = IssueArbiter(shapes)
        self._issuer = NonzeroIssuer(shapes.neurons, shapes.lanes, sum_note(shapes))
        self._sums = TangentSums(shapes)
        self._scaler = Scaler(shapes)
        self._sink = ScaleSink(shapes)
        self._pruner = Pruner(shapes)
        self._deltas = DeltaWriter(shapes)
        self._slots = SlotTable(shapes)
        words = shapes.slots << (engine.groups - 1).bit_length()
        self._sum_memory = memory.Memory(shape=self._sums.sums_shape, depth=words, init=[])
        self._vectors = memory.Memory(shape=shapes.vectors, depth=words, init=[])
        # Each queue has a place for every slot, so that it is never full.
        self._scale_queue = fifo.SyncFIFO(width=scale_job(shapes).size, depth=shapes.slots)
        self._vector_queue = fifo.SyncFIFO(width=vector_job(shapes).size, depth=shapes.slots)
        self._order = fifo.SyncFIFO(width=shapes.token.size, depth=contexts)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.seeds = self._seeds
        m.submodules.arbiter = self._arbiter
        m.submodules.issuer = self._issuer
        m.submodules.sums = self._sums
        m.submodules.scaler = self._scaler
        m.submodules.sink = self._sink
        m.submodules.pruner = self._pruner
        m.submodules.deltas = self._deltas
        m.submodules.slots = self._slots
        m.submodules.sum_memory = self._sum_memory
        m.submodules.vectors = self._vectors
        m.submodules.scale_queue = self._scale_queue
        m.submodules.vector_queue = self._vector_queue
        m.submodules.order = self._order
        self._connect_ports(m)
        self._connect_ring(m)
        self._connect_queues(m)
        self._connect_slots(m)
        self._admit(m)
        return m

    def _connect_ports(self, m: Module) -> None:
        """Connect the lane's ports to those of its parts."""
        seeds, sums, scaler, pruner = self._seeds, self._sums, self._scaler, self._pruner
        readers: tuple[Seeds | Pruner | Scaler, ...] = (seeds, pruner, scaler)
        for index, part in enumerate(readers):
            m.d.comb += [self.indices[index].eq(part.index), part.layer.eq(self.layers[index])]
        for mine, theirs in (
            (self.sum_mac, sums.mac),
            (self.scale_mac, scaler.mac),
            (self.seed_slopes, seeds.slopes),
            (self.scale_slopes, scaler.slopes),
            (self.errors, scaler.errors),
            (self.deltas, self._deltas.deltas),
        ):
            wiring.connect(m, wiring.flipped(mine), theirs)
        m.d.comb += [
            sums.product.eq(self.sum_product),
            self._sink.done.eq(self.scale_mac.done),
            self._sink.product.eq(self.scale_product),
            pruner.prune.eq(self.settings.prune),
            self.tangent_row.eq(sums.taken),
            self.scale_row.eq(scaler.taken),
            self.kept.eq(pruner.kept),
            self.dropped.eq(pruner.dropped),
            self.saturated.eq(self._deltas.saturated),
        ]

    def _connect_ring(self, m: Module) -> None:
        """Connect the parts through which every tag passes, and the memories between them."""
        arbiter, sums, scaler, sink = self._arbiter, self._sums, self._scaler, self._sink
        wiring.connect(m, self._seeds.job, arbiter.seeds)
        wiring.connect(m, self._pruner.rows, arbiter.pruned)
        wiring.connect(m, arbiter.job, self._issuer.job)
        wiring.connect(m, self._issuer.step, sums.step)
        wiring.connect(m, sums.sums, self._sum_memory.write_port())
        wiring.connect(m, scaler.sums, self._sum_memory.read_port())
        wiring.connect(m, sink.vectors, self._vectors.write_port())
        wiring.connect(m, self._pruner.vectors, self._vectors.read_port())
        m.d.comb += [
            sink.note.eq(scaler.note),
            self._deltas.contracted.eq(sink.contracted),
            self._deltas.delta.eq(sink.delta),
            self._deltas.note.eq(sink.contracted_note),
            self._deltas.next_note.eq(sink.contracting_note),
            self._deltas.clear.eq(self._seeds.clear),
            self._deltas.clear_context.eq(self._seeds.context),
            self._deltas.clear_address.eq(self._seeds.clear_address),
            self._seeds.clear_ready.eq(self._deltas.clear_ready),
            self._seeds.partial.eq(self.partial),
            self._seeds.written.eq(self.written),
        ]

    def _connect_queues(self, m: Module) -> None:
        """Queue the slots that are alive, from sums to scaler and from vectors to pruner."""
        sums, sink = self._sums, self._sink
        stored = Signal(vector_job(self.shapes))
        m.d.comb += [
            stored.slot.eq(sink.stored_note.note.slot),
            stored.bits.eq(sink.bits),
            self._scale_queue.w_en.eq(sums.complete & sums.job.alive),
            self._scale_queue.w_data.eq(sums.job),
            self._vector_queue.w_en.eq(sink.stored & sink.alive),
            self._vector_queue.w_data.eq(stored),
        ]
        # The errors of a partial sample are not written: the output layer never passes.
        scales = ~self.partial | (self._slots.scaled.chunk.layer < self.written)
        for queue, job, passes in (
            (self._scale_queue, self._scaler.job, scales),
            (self._vector_queue, self._pruner.job, 1),
        ):
            m.d.comb += [
                job.valid.eq(queue.r_rdy & passes),
                job.payload.eq(queue.r_data),
                queue.r_en.eq(job.ready & passes),
            ]

    def _connect_slots(self, m: Module) -> None:
        """Report to the slot table what becomes of a chunk, and look up the chunks in it."""
        slots, seeds, sums, sink = self._slots, self._seeds, self._sums, self._sink
        scaler, pruner, deltas = self._scaler, self._pruner, self._deltas
        wiring.connect(m, deltas.contracting, slots.contracting)
        wiring.connect(m, deltas.ending, slots.ending)
        m.d.comb += [
            slots.seeding.eq(seeds.active),
            slots.chunk_start.eq(seeds.chunk_start),
            slots.chunk.eq(seeds.chunk),
            seeds.slot.eq(slots.slot),
            seeds.slot_free.eq(slots.slot_free),
            slots.stored.valid.eq(sink.stored),
            slots.stored.slot.eq(sink.stored_note.note.slot),
            slots.gain.eq(sink.stored_note.gain),
            slots.scaled.slot.eq(scaler.job.payload.slot),
            scaler.slot_layer.eq(slots.scaled.chunk.layer),
            scaler.slot_context.eq(slots.scaled.chunk.context),
            slots.pruned.slot.eq(pruner.job.payload.slot),
            pruner.slot_layer.eq(slots.pruned.chunk.layer),
            # The last tag of a chunk ends where all its sums or all its vectors are zero, or at
            # the outputs.
            slots.endings[0].valid.eq(sums.complete & ~sums.job.alive),
            slots.endings[0].slot.eq(sums.job.slot),
            slots.endings[1].valid.eq(sink.stored & ~sink.alive),
            slots.endings[1].slot.eq(sink.stored_note.note.slot),
            slots.endings[2].eq(deltas.ended),
        ]

    def _admit(self, m: Module) -> None:
        """Start the seeds of a sample that enters, and hand on the oldest one layer by layer."""
        seeds, order, slots = self._seeds, self._order, self._slots
        enters = Signal()
        oldest = Signal(self.shapes.token)
        seeding = Signal()
        m.d.comb += [
            self.token.ready.eq(order.w_rdy & ~seeds.active),
            enters.eq(self.token.valid & self.token.ready),
            order.w_en.eq(enters),
            order.w_data.eq(self.token.payload),
            seeds.start.eq(enters & self.token.payload.train),
            seeds.sample.eq(self.token.payload.context),
            oldest.eq(order.r_data),
            slots.context.eq(oldest.context),
            slots.origin.eq(self.wanted),
            seeding.eq(
                seeds.active & (seeds.context == oldest.context) & (seeds.origin <= self.wanted)
            ),
            self.complete.eq(~seeding & ~slots.found),
            self.done.valid.eq(order.r_rdy & ~self.partial),
            self.done.payload.eq(oldest),
            order.r_en.eq(self.done.valid & self.done.ready),
        ]
