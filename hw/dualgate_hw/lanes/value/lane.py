# SPDX-License-Identifier: BSD-2-Clause

"""The value lane: z = W^T a, layer after layer, for several samples at once."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from ...common.delay import delay
from ...common.mac import MAC_LATENCY, WeightClient
from ...common.onehot import onehot_mux
from ...common.shapes import ENTRY, LAYER, OUTPUT, PRODUCT, WORD, Shapes, banked_address, vector
from ...common.tables import SIGMOID_SHAPE, TablePort
from ..memory.list_reader import ListReader
from .activation import ActivationUnit
from .thread import ValueThread, group_note, loaded


class ValueLane(wiring.Component):
    """Runs samples through the network.

    A layer costs a sample ``groups * nonzeros`` steps, bias included, and a wait for its
    activations, because a list must be complete before it is read. Threads fill each other's
    waits: each thread has a sample of its own, and the threads share the reader, the sums and the
    activation unit by whole groups of neurons. Samples leave in the order in which they entered.

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.

    Members
    -------
    `sample` : In(stream of loaded(shapes))
        Samples whose lists of inputs are loaded.
    `token` : Out(stream of shapes.token)
        The same samples, once their outputs are written.
    `index` : Out(range(layers))
        Index of the wanted layer descriptor.
    `layer` : In(LAYER)
        The descriptor, one cycle after its `index`.
    `mac` : Out(WeightClient())
        Client port of the MAC array.
    `product` : In(vector(N, PRODUCT))
        Products of the MAC array, with `mac.done`.
    `inputs` : In(memory read port of shapes.pair)
        Lists of inputs, two entries a word.
    `hidden` : In(memory read port of ENTRY)
        Lists of hidden values of all contexts.
    `masks` : In(memory read port of WORD)
        Masks of all contexts, see `ActivationUnit`.
    `counts` : In(memory write port of shapes.unit)
        Number of entries of each layer's list, for the update lane.
    `hidden_write` : In(memory write port of ENTRY)
        Lists of hidden values of all contexts.
    `slopes` : In(memory write port of rows of N values, with an enable for each)
        Slopes of hidden units of all contexts.
    `outputs` : In(memory write port of OUTPUT)
        Outputs and their slopes of all contexts.
    `written` : Out(1)
        Pulse: values and slopes of a hidden layer of the oldest sample are written.
    `saturated` : Out(1)
        Pulse for each pre-activation that is clipped.
    `sigmoid` : Out(TablePort(SIGMOID_SHAPE))
        The table of sigmoids, see `ActivationUnit`.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        engine, contexts = shapes.engine, shapes.contexts
        super().__init__(
            {
                "sample": In(stream.Signature(loaded(shapes))),
                "token": Out(stream.Signature(shapes.token)),
                "index": Out(range(engine.layers)),
                "layer": In(LAYER),
                "mac": Out(WeightClient()),
                "product": In(vector(shapes.neurons, PRODUCT)),
                "inputs": In(shapes.read(shapes.pairs, shapes.pair)),
                "hidden": In(shapes.read(engine.activations, ENTRY, contexts)),
                "masks": In(shapes.read(shapes.mask_words, WORD, contexts)),
                "counts": In(shapes.write(engine.layers, shapes.unit, contexts)),
                "hidden_write": In(shapes.write(engine.activations, ENTRY, contexts)),
                "slopes": In(shapes.write(engine.vectors, shapes.vector, contexts, granularity=1)),
                "outputs": In(shapes.write(engine.groups * engine.neurons, OUTPUT, contexts)),
                "written": Out(1),
                "saturated": Out(1),
                "sigmoid": Out(TablePort(SIGMOID_SHAPE)),
            }
        )
        self._reader = ListReader(shapes, group_note(shapes))
        self._unit = ActivationUnit(shapes)
        self._threads = [ValueThread(shapes, thread) for thread in range(shapes.threads)]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.reader = reader = self._reader
        m.submodules.unit = unit = self._unit
        for index, thread in enumerate(self._threads):
            m.submodules[f"thread_{index}"] = thread
        for mine, theirs in (
            (self.inputs, reader.inputs),
            (self.hidden, reader.hidden),
            (self.masks, unit.masks),
            (self.hidden_write, unit.hidden),
            (self.slopes, unit.slopes),
            (self.outputs, unit.outputs),
        ):
            wiring.connect(m, wiring.flipped(mine), theirs)
        if self.shapes.engine.cores > 1:
            wiring.connect(m, wiring.flipped(self.sigmoid), unit.sigmoid)
        m.d.comb += self.saturated.eq(unit.saturated)
        self._accumulate(m)
        oldest = self._samples(m)
        self._share(m, oldest)
        self._activate(m)
        m.d.comb += self.written.eq(unit.done & (unit.owner == oldest) & ~unit.last_layer)
        return m

    def _accumulate(self, m: Module) -> None:
        """Issue steps, add up their products, and hand a group's sums to the activation unit.

        The unit has one queue. A group's last step therefore waits until it is certain that the
        queue is empty by the time when the sums arrive. The unit also has registers for one layer
        of one sample, so that a group of any other waits until the last unit is written.
        """
        reader, unit = self._reader, self._unit
        step = reader.step
        taken = Signal()
        pending = Signal()
        ends = Signal()
        follows = Signal()
        hold = Signal()
        note = Signal(group_note(self.shapes))
        m.d.comb += [
            follows.eq(step.payload.meta.thread == unit.owner),
            hold.eq(step.payload.last & (pending | Mux(follows, unit.queued, unit.busy))),
            self.mac.valid.eq(step.valid & ~hold),
            self.mac.row.eq(step.payload.row),
            self.mac.scalar[0].eq(step.payload.scalar),
            step.ready.eq(self.mac.ready & ~hold),
            taken.eq(self.mac.valid & self.mac.ready),
            ends.eq(delay(m, taken & step.payload.last, MAC_LATENCY)),
            note.eq(delay(m, step.payload.meta, MAC_LATENCY)),
            unit.load.eq(ends),
            unit.group.eq(note.group),
            unit.thread.eq(note.thread),
        ]
        sums = Signal(vector(self.shapes.neurons, self.shapes.value_sum), reset_less=True)
        first = Signal(init=1)
        m.d.sync += first.eq(0)
        for lane in range(self.shapes.neurons):
            m.d.comb += unit.sums[lane].eq(sums[lane] + self.product[lane])
        with m.If(self.mac.done):
            m.d.sync += sums.eq(unit.sums)
        # A group's last product is added on its way to the unit, not in `sums`.
        with m.If(ends):
            m.d.sync += pending.eq(0)
        with m.If(ends | first):
            m.d.sync += sums.eq(0)
        with m.If(taken & step.payload.last):
            m.d.sync += pending.eq(1)

    def _samples(self, m: Module) -> Signal:
        """Give samples to the threads in turn, and hand them on in the same order.

        Returns the thread that has the oldest sample.
        """
        newest = Signal(range(self.shapes.threads))
        oldest = Signal(range(self.shapes.threads))
        last = self.shapes.threads - 1
        for index, thread in enumerate(self._threads):
            m.d.comb += [
                thread.sample.payload.eq(self.sample.payload),
                thread.sample.valid.eq(self.sample.valid & (newest == index)),
                thread.token.ready.eq(self.token.ready & (oldest == index)),
            ]
            with m.If(newest == index):
                m.d.comb += self.sample.ready.eq(thread.sample.ready)
            with m.If(oldest == index):
                m.d.comb += [
                    self.token.valid.eq(thread.token.valid),
                    self.token.payload.eq(thread.token.payload),
                ]
        with m.If(self.sample.valid & self.sample.ready):
            m.d.sync += newest.eq(Mux(newest == last, 0, newest + 1))
        with m.If(self.token.valid & self.token.ready):
            m.d.sync += oldest.eq(Mux(oldest == last, 0, oldest + 1))
        return oldest

    def _share(self, m: Module, oldest: Signal) -> None:
        """Grant the descriptor port and the reader, each to the oldest sample that requests it."""
        threads = self._threads
        fetch_grant = self._grant(m, oldest, [thread.fetch for thread in threads])
        job_grant = self._grant(m, oldest, [thread.job.valid for thread in threads])
        job = self._reader.job
        m.d.comb += [
            self.counts.en.eq(Cat(thread.fetch for thread in threads).any()),
            self.index.eq(onehot_mux(fetch_grant, [thread.index for thread in threads])),
            self.counts.data.eq(onehot_mux(fetch_grant, [thread.count for thread in threads])),
            self.counts.addr.eq(
                onehot_mux(
                    fetch_grant,
                    [
                        banked_address(t.context, t.index, self.shapes.engine.layers)
                        for t in threads
                    ],
                )
            ),
            job.valid.eq(Cat(thread.job.valid for thread in threads).any()),
            job.payload.eq(onehot_mux(job_grant, [thread.job.payload for thread in threads])),
        ]
        for index, thread in enumerate(threads):
            m.d.comb += [
                thread.layer.eq(self.layer),
                thread.fetch_ready.eq(fetch_grant[index]),
                thread.job.ready.eq(job.ready & job_grant[index]),
            ]

    def _grant(self, m: Module, oldest: Signal, requests: list[Value]) -> Signal:
        """Return a flag for each thread: whether its sample is the oldest of those that request."""
        count = len(requests)
        grant = Signal(count)
        for index, request in enumerate(requests):
            with m.Switch(oldest):
                for first in range(count):
                    older = [requests[(first + n) % count] for n in range((index - first) % count)]
                    with m.Case(first):
                        m.d.comb += grant[index].eq(request & ~Cat(older).any())
        return grant

    def _activate(self, m: Module) -> None:
        """Give the unit the layer of the thread whose sums it loads, and its owner the results."""
        unit = self._unit
        for index, thread in enumerate(self._threads):
            m.d.comb += [
                thread.done_count.eq(unit.count),
                thread.done.eq(unit.done & (unit.owner == index)),
            ]
            with m.If(unit.thread == index):
                m.d.comb += [
                    unit.layer.eq(thread.current),
                    unit.first_layer.eq(thread.first_layer),
                    unit.context.eq(thread.context),
                    unit.masked.eq(thread.masked),
                ]
