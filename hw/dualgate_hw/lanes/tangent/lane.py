# SPDX-License-Identifier: BSD-2-Clause

"""The tangent lanes: every hidden unit's tag is carried to the outputs, several at a time.

::

    Seeds --+                                       +--> vectors --> Pruner --+
             +--> NonzeroIssuer --> TangentSums --> Scaler                       |
    Pruner --+                                       +--> DeltaUnit --> update |
       ^----------------------------------------------------------------------+

A slot holds up to K tags, one for each tangent lane: their sums, vectors and binary points.
They step together, and each keeps to itself what is normalised and pruned. Slots are in different
places of the ring at once, so that normalising one hides behind the stepping of others.
"""

from amaranth import Array, Cat, Const, Module, Mux, Signal, unsigned
from amaranth.hdl import Value
from amaranth.lib import data, fifo, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ...common.mac import VectorClient, WeightClient
from ...common.shapes import LAYER, PRODUCT, SETTINGS, Shapes, banked_address, vector
from .delta import DeltaUnit
from .issue import NonzeroIssuer
from .layouts import chunk, scale_job, sum_note, vector_job
from .prune import Pruner
from .scale import Rescaled, Scaler
from .seeds import Seeds
from .sums import TangentSums


class TangentLane(wiring.Component):
    """From a sample's slopes and errors to the update scalars of its hidden units.

    Parameters
    ----------
    shapes : Shapes

    Members
    -------
    token : stream in; a sample whose slopes and errors are filed
    done : stream out; the same, update scalars filed
    settings : pruning
    indices, layers : three descriptor ports, of seeds, pruner and scaler; a cycle of latency
    sum_mac, scale_mac : MAC array clients, with the product of each
    seed_slopes, scale_slopes, errors : read ports
    deltas : write port; update scalars of hidden units
    tangent_row, scale_row : pulses to count
    saturated, kept, dropped : update scalars and tangents to count
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
                "done": Out(stream.Signature(shapes.token)),
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

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shapes = self.shapes
        m.submodules.seeds = seeds = Seeds(shapes)
        m.submodules.pruner = pruner = Pruner(shapes)
        m.submodules.issuer = issuer = NonzeroIssuer(shapes.neurons, shapes.lanes, sum_note(shapes))
        m.submodules.sums = sums = TangentSums(shapes)
        m.submodules.scaler = scaler = Scaler(shapes)
        m.submodules.rescaled = rescaled = Rescaled(shapes)
        deltas = [DeltaUnit(shapes, rescaled.delta_width) for _ in range(shapes.lanes)]
        for lane, delta in enumerate(deltas):
            m.submodules[f"delta_{lane}"] = delta
        readers: tuple[Seeds | Pruner | Scaler, ...] = (seeds, pruner, scaler)
        for index, part in enumerate(readers):
            m.d.comb += [self.indices[index].eq(part.index), part.layer.eq(self.layers[index])]
        for mine, theirs in (
            (self.sum_mac, sums.mac),
            (self.scale_mac, scaler.mac),
            (self.seed_slopes, seeds.slopes),
            (self.scale_slopes, scaler.slopes),
            (self.errors, scaler.errors),
        ):
            wiring.connect(m, wiring.flipped(mine), theirs)
        wiring.connect(m, issuer.step, sums.step)
        m.d.comb += [
            sums.product.eq(self.sum_product),
            rescaled.done.eq(self.scale_mac.done),
            rescaled.product.eq(self.scale_product),
            rescaled.note.eq(scaler.note),
            pruner.prune.eq(self.settings.prune),
            self.tangent_row.eq(sums.taken),
            self.scale_row.eq(scaler.taken),
            self.kept.eq(pruner.kept),
            self.dropped.eq(pruner.dropped),
        ]
        self._memories(m, sums, scaler, rescaled, pruner)
        self._choose(m, seeds, pruner, issuer)
        chunks = Array(Signal(chunk(shapes), name=f"team_{slot}") for slot in range(shapes.slots))
        self._queues(m, chunks, sums, scaler, rescaled, pruner)
        busy = self._slots(m, chunks, seeds, sums, rescaled, deltas[0])
        self._finish(m, chunks, seeds, rescaled, deltas)
        self._control(m, chunks, seeds, busy)
        return m

    def _memories(
        self, m: Module, sums: TangentSums, scaler: Scaler, rescaled: Rescaled, pruner: Pruner
    ) -> None:
        shapes = self.shapes
        words = shapes.slots << (shapes.engine.groups - 1).bit_length()
        m.submodules.sum_memory = sum_memory = memory.Memory(
            shape=sums.sums_shape, depth=words, init=[]
        )
        m.submodules.vectors = vectors = memory.Memory(shape=shapes.vectors, depth=words, init=[])
        wiring.connect(m, sums.sums, sum_memory.write_port())
        wiring.connect(m, scaler.sums, sum_memory.read_port())
        wiring.connect(m, rescaled.vectors, vectors.write_port())
        wiring.connect(m, pruner.vectors, vectors.read_port())

    def _choose(self, m: Module, seeds: Seeds, pruner: Pruner, issuer: NonzeroIssuer) -> None:
        """Pruned vectors before seeds, and never a switch within a slot's sums."""
        locked = Signal()
        to_seeds = Signal()
        chosen = Signal()
        word = issuer.word
        m.d.comb += chosen.eq(Mux(locked, to_seeds, ~pruner.word.valid))
        with m.If(chosen):
            m.d.comb += [
                word.valid.eq(seeds.word.valid),
                word.payload.eq(seeds.word.payload),
            ]
        with m.Else():
            m.d.comb += [
                word.valid.eq(pruner.word.valid),
                word.payload.eq(pruner.word.payload),
            ]
        m.d.comb += [
            seeds.word.ready.eq(word.ready & chosen),
            pruner.word.ready.eq(word.ready & ~(locked & to_seeds)),
        ]
        with m.If(word.valid):
            m.d.sync += [locked.eq(1), to_seeds.eq(chosen)]
            with m.If(word.ready & word.payload.end & word.payload.meta.final):
                m.d.sync += locked.eq(0)

    def _queues(
        self,
        m: Module,
        chunks: Array,
        sums: TangentSums,
        scaler: Scaler,
        rescaled: Rescaled,
        pruner: Pruner,
    ) -> None:
        """One place for each slot, so that neither queue is ever full."""
        shapes = self.shapes
        m.submodules.scale_queue = scale_queue = fifo.SyncFIFO(
            width=scale_job(shapes).size, depth=shapes.slots
        )
        m.submodules.vector_queue = vector_queue = fifo.SyncFIFO(
            width=vector_job(shapes).size, depth=shapes.slots
        )
        m.d.comb += [
            scale_queue.w_en.eq(sums.complete & sums.job.alive),
            scale_queue.w_data.eq(sums.job),
            vector_queue.w_en.eq(rescaled.stored & rescaled.alive),
            vector_queue.w_data.eq(Cat(rescaled.stored_note.note.slot, rescaled.bits)),
            scaler.slot_layer.eq(chunks[scaler.job.payload.slot].layer),
            scaler.slot_context.eq(chunks[scaler.job.payload.slot].context),
            pruner.slot_layer.eq(chunks[pruner.job.payload.slot].layer),
        ]
        for queue, job in ((scale_queue, scaler.job), (vector_queue, pruner.job)):
            m.d.comb += [
                job.valid.eq(queue.r_rdy),
                job.payload.eq(queue.r_data),
                queue.r_en.eq(job.ready),
            ]

    def _slots(
        self,
        m: Module,
        chunks: Array,
        seeds: Seeds,
        sums: TangentSums,
        rescaled: Rescaled,
        delta: DeltaUnit,
    ) -> Signal:
        """Slots are taken in turn, by seeds; they free themselves where their last tag ends."""
        shapes = self.shapes
        busy = Signal(shapes.slots)
        turn = Signal(shapes.slot)
        free = Signal()
        m.d.comb += [
            free.eq(~busy.bit_select(turn, 1)),
            seeds.slot_free.eq(free),
            seeds.slot.eq(turn),
        ]
        with m.If(seeds.seeded | (seeds.active & ~free)):
            m.d.sync += turn.eq(Mux(turn == shapes.slots - 1, 0, turn + 1))
        # Written a cycle late: the turn comes back to a slot, and its sums end, later than that.
        seeded, new_chunk, place = Signal(), Signal(chunk(shapes)), Signal(shapes.slot)
        m.d.sync += [seeded.eq(seeds.seeded), new_chunk.eq(seeds.chunk), place.eq(turn)]
        note = rescaled.stored_note
        dead = rescaled.stored & ~rescaled.alive
        for slot in range(shapes.slots):
            with m.If(rescaled.stored & (note.note.slot == slot)):
                m.d.sync += chunks[slot].layer.eq(chunks[slot].layer + 1)
                for frac, gain in zip(chunks[slot].frac, note.gain, strict=True):
                    m.d.sync += frac.eq(frac + gain)
            with m.If(seeded & (place == slot)):
                m.d.sync += [chunks[slot].eq(new_chunk), busy[slot].eq(1)]
            ends = (
                (sums.complete & ~sums.job.alive & (sums.job.slot == slot))
                | (dead & (note.note.slot == slot))
                | (delta.done & (delta.done_slot == slot))
            )
            with m.If(ends):
                m.d.sync += busy[slot].eq(0)
        return busy

    def _finish(
        self,
        m: Module,
        chunks: Array,
        seeds: Seeds,
        rescaled: Rescaled,
        deltas: list[DeltaUnit],
    ) -> None:
        """Write update scalars, or clear their words when no tag is ending."""
        shapes = self.shapes
        note = rescaled.contracted_note
        done, done_slot = deltas[0].done, deltas[0].done_slot
        ending = chunks[done_slot]
        m.d.comb += [
            seeds.clear_ready.eq(~done),
            self.deltas.addr.eq(
                banked_address(
                    Mux(done, ending.context, seeds.context),
                    Mux(done, ending.word, seeds.clear_word),
                    shapes.engine.vectors,
                )
            ),
        ]
        coming = rescaled.contracting_note
        for lane, delta in enumerate(deltas):
            # A cycle early: the chunk has long been what it is.
            m.d.sync += delta.frac.eq(chunks[coming.note.slot].frac[lane] + coming.gain[lane])
            m.d.comb += [
                delta.start.eq(rescaled.contracted),
                delta.delta.eq(rescaled.delta[lane]),
                delta.slot.eq(note.note.slot),
            ]
        m.d.comb += self.saturated.eq(sum((d.done & d.clipped for d in deltas), Const(0)))
        for unit in range(shapes.neurons):
            m.d.comb += self.deltas.en[unit].eq(seeds.clear & ~done)
            update: Value = deltas[0].update
            for lane, delta in enumerate(deltas):
                mine = ending.present[lane] & (ending.unit[lane] == unit)
                if lane:
                    update = Mux(mine, delta.update, update)
                with m.If(done & mine):
                    m.d.comb += self.deltas.en[unit].eq(1)
            m.d.comb += self.deltas.data[unit].eq(Mux(done, update, 0))

    def _control(self, m: Module, chunks: Array, seeds: Seeds, busy: Signal) -> None:
        """Samples enter when the seeds of the one before are done, and leave in that order.

        So the last tags of a sample and the first of the next are in the ring together.
        """
        shapes = self.shapes
        m.submodules.order = order = fifo.SyncFIFO(width=shapes.token.size, depth=shapes.contexts)
        enters = Signal()
        oldest = Signal(shapes.token)
        unfinished = Signal()
        m.d.comb += [
            self.token.ready.eq(order.w_rdy & ~seeds.active),
            enters.eq(self.token.valid & self.token.ready),
            order.w_en.eq(enters),
            order.w_data.eq(self.token.payload),
            seeds.start.eq(enters & self.token.payload.train),
            seeds.sample.eq(self.token.payload.context),
            oldest.eq(order.r_data),
            unfinished.eq(seeds.active & (seeds.context == oldest.context)),
            self.done.valid.eq(order.r_rdy & ~unfinished),
            self.done.payload.eq(oldest),
            order.r_en.eq(self.done.valid & self.done.ready),
        ]
        for slot in range(shapes.slots):
            with m.If(busy[slot] & (chunks[slot].context == oldest.context)):
                m.d.comb += unfinished.eq(1)
