# SPDX-License-Identifier: BSD-2-Clause

"""The value lane: z = W^T a, layer after layer, for a few samples in turns."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ...common.delay import delay
from ...common.mac import MAC_LATENCY, WeightClient
from ...common.onehot import onehot_mux
from ...common.shapes import ENTRY, LAYER, OUTPUT, PRODUCT, WORD, Shapes, banked_address, vector
from ...common.tables import SIGMOID_SHAPE, TablePort
from ..memory.list_reader import ListReader, list_job
from .activation import ActivationUnit


def loaded(shapes: Shapes) -> data.StructLayout:
    """A sample whose input list is loaded: where that begins, its entries; and if it has masks."""
    return data.StructLayout(
        {"token": shapes.token, "first": shapes.place, "count": shapes.unit, "masked": 1}
    )


def group_note(shapes: Shapes) -> data.StructLayout:
    """Whose group of neurons a step belongs to, and which."""
    return data.StructLayout({"thread": range(shapes.threads), "group": shapes.group})


class ValueThread(wiring.Component):
    """Takes one sample at a time through the layers: asks for steps, waits for activations.

    Parameters
    ----------
    shapes : Shapes
    thread : int

    Members
    -------
    sample, token : streams, see `ValueLane`
    fetch, fetch_ready, index, layer : asks for a descriptor, which is there a cycle after `ready`
    count : entries of the list of the layer in work
    job : stream out, to the reader
    current, first_layer, context : the layer in work, and whose it is
    masked : whether that sample has masks
    done, done_count : the layer's last unit is filed, with the entries of the list it made
    """

    def __init__(self, shapes: Shapes, thread: int) -> None:
        self.shapes = shapes
        self.thread = thread
        super().__init__(
            {
                "sample": In(stream.Signature(loaded(shapes))),
                "token": Out(stream.Signature(shapes.token)),
                "fetch": Out(1),
                "fetch_ready": In(1),
                "index": Out(range(shapes.engine.layers)),
                "layer": In(LAYER),
                "count": Out(shapes.unit),
                "job": Out(stream.Signature(list_job(shapes, group_note(shapes)))),
                "current": Out(LAYER),
                "first_layer": Out(1),
                "context": Out(shapes.context),
                "masked": Out(1),
                "done": In(1),
                "done_count": In(shapes.unit),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer, count = self.current, self.count
        token = Signal(self.shapes.token)
        first = Signal(self.shapes.place)
        group = Signal(self.shapes.group)
        row = Signal(self.shapes.row)
        job = self.job.payload
        m.d.comb += [
            self.first_layer.eq(self.index == 0),
            self.context.eq(token.context),
            self.token.payload.eq(token),
            job.context.eq(token.context),
            job.input.eq(self.first_layer),
            job.first.eq(Mux(self.first_layer, first, layer.list_base)),
            job.count.eq(count),
            job.row.eq(row),
            job.meta.thread.eq(self.thread),
            job.meta.group.eq(group),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.sample.ready.eq(1)
                with m.If(self.sample.valid):
                    m.d.sync += [
                        token.eq(self.sample.payload.token),
                        first.eq(self.sample.payload.first),
                        count.eq(self.sample.payload.count),
                        self.masked.eq(self.sample.payload.masked),
                        self.index.eq(0),
                    ]
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.comb += self.fetch.eq(1)
                with m.If(self.fetch_ready):
                    m.next = "LAYER"
            with m.State("LAYER"):
                m.d.sync += [layer.eq(self.layer), group.eq(0), row.eq(self.layer.weight_base)]
                m.next = "WALK"
            with m.State("WALK"):
                m.d.comb += self.job.valid.eq(1)
                with m.If(self.job.ready):
                    m.d.sync += [group.eq(group + 1), row.eq(row + layer.inputs + 1)]
                    with m.If(group == layer.groups - 1):
                        m.next = "WAIT"
            with m.State("WAIT"), m.If(self.done):
                m.d.sync += [count.eq(self.done_count), self.index.eq(self.index + 1)]
                m.next = "FETCH"
                with m.If(layer.last):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.token.valid.eq(1)
                with m.If(self.token.ready):
                    m.next = "IDLE"
        return m


class ValueLane(wiring.Component):
    """Runs samples through the network.

    A layer costs a sample ``groups * nonzeros`` steps, bias included, and a wait for its
    activations, because a list must be complete before it is walked. Threads fill each other's
    waits: each has a sample of its own, and they share reader, sums and activation unit by whole
    groups of neurons. Samples leave in the order they came.

    Parameters
    ----------
    shapes : Shapes

    Members
    -------
    sample : stream in; see `loaded`
    token : stream out; the same context once its outputs are filed
    index, layer : which descriptor is wanted; it is read a cycle later
    mac, product : the MAC array
    inputs, hidden : read ports of the lists
    masks : read port, see `ActivationUnit`
    counts : write port; entries of each layer's list, for the update lane
    hidden_write, slopes, outputs : write ports, see `ActivationUnit`
    saturated : pulse for each clipped pre-activation
    sigmoid : see `ActivationUnit`
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        engine, contexts = shapes.engine, shapes.contexts
        self.reader = ListReader(shapes, group_note(shapes))
        self.unit = ActivationUnit(shapes)
        self.threads = [ValueThread(shapes, thread) for thread in range(shapes.threads)]
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
                "saturated": Out(1),
                "sigmoid": Out(TablePort(SIGMOID_SHAPE)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.reader = reader = self.reader
        m.submodules.unit = unit = self.unit
        for index, thread in enumerate(self.threads):
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
        return m

    def _accumulate(self, m: Module) -> None:
        """Issue steps, add up their products, and hand a group's sums to the activation unit.

        A group's last step waits until the unit will have filed the group before when the sums
        come: there is one queue.
        """
        reader, unit = self.reader, self.unit
        step = reader.step
        taken = Signal()
        pending = Signal()
        ends = Signal()
        hold = Signal()
        note = Signal(group_note(self.shapes))
        m.d.comb += [
            hold.eq(step.payload.last & (pending | unit.busy)),
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
        # A group's last product goes to the unit alone.
        with m.If(ends):
            m.d.sync += pending.eq(0)
        with m.If(ends | first):
            m.d.sync += sums.eq(0)
        with m.If(taken & step.payload.last):
            m.d.sync += pending.eq(1)

    def _samples(self, m: Module) -> Signal:
        """Threads take samples in turn and give them back in turn; returns who has the oldest."""
        newest = Signal(range(self.shapes.threads))
        oldest = Signal(range(self.shapes.threads))
        last = self.shapes.threads - 1
        for index, thread in enumerate(self.threads):
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
        """Who has the descriptor port and who has the reader: the oldest sample that asks."""
        threads = self.threads
        fetches = self._choose(m, oldest, [thread.fetch for thread in threads])
        walks = self._choose(m, oldest, [thread.job.valid for thread in threads])
        job = self.reader.job
        m.d.comb += [
            self.counts.en.eq(Cat(thread.fetch for thread in threads).any()),
            self.index.eq(onehot_mux(fetches, [thread.index for thread in threads])),
            self.counts.data.eq(onehot_mux(fetches, [thread.count for thread in threads])),
            self.counts.addr.eq(
                onehot_mux(
                    fetches,
                    [
                        banked_address(t.context, t.index, self.shapes.engine.layers)
                        for t in threads
                    ],
                )
            ),
            job.valid.eq(Cat(thread.job.valid for thread in threads).any()),
            job.payload.eq(onehot_mux(walks, [thread.job.payload for thread in threads])),
        ]
        for index, thread in enumerate(threads):
            m.d.comb += [
                thread.layer.eq(self.layer),
                thread.fetch_ready.eq(fetches[index]),
                thread.job.ready.eq(job.ready & walks[index]),
            ]

    def _choose(self, m: Module, oldest: Signal, asks: list[Value]) -> Signal:
        """A flag for who has the oldest sample of those who ask."""
        count = len(asks)
        choice = Signal(count)
        for index, ask in enumerate(asks):
            with m.Switch(oldest):
                for first in range(count):
                    older = [asks[(first + n) % count] for n in range((index - first) % count)]
                    with m.Case(first):
                        m.d.comb += choice[index].eq(ask & ~Cat(older).any())
        return choice

    def _activate(self, m: Module) -> None:
        """The unit works for the thread whose sums it was given last."""
        unit = self.unit
        for index, thread in enumerate(self.threads):
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
