"""The value lane: z = W^T a, layer after layer, for one sample at a time."""

from amaranth import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from .activation import ActivationUnit
from .layouts import ACC, ENTRY, INDEX, LAYER, OUTPUT, PRODUCT, Shapes, delay, owned, vector
from .mac import MAC_LATENCY, WeightClient
from .nonzeros import ListWalker

NO_META = data.StructLayout({})


class ValueLane(wiring.Component):
    """Runs samples through the network.

    A layer costs ``groups * nonzeros`` steps, bias included, and a fixed latency before the next
    layer can begin, because a list must be complete before it is walked.

    Parameters
    ----------
    shapes : Shapes

    Members
    -------
    sample : stream in; a context whose input list is loaded, with the entries of that list
    token : stream out; the same context once its outputs are filed
    index, layer : which descriptor is wanted; it is read a cycle later
    mac, product : the MAC array
    inputs, hidden : read ports of the lists
    counts : write port; entries of each layer's list, for the update lane
    hidden_write, slopes, outputs : write ports, see `ActivationUnit`
    saturated : pulse for each clipped pre-activation
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        engine, contexts = shapes.engine, shapes.contexts
        self.walker = ListWalker(shapes, NO_META)
        self.unit = ActivationUnit(shapes)
        sample = data.StructLayout({"token": shapes.token, "count": INDEX})
        super().__init__(
            {
                "sample": In(stream.Signature(sample)),
                "token": Out(stream.Signature(shapes.token)),
                "index": Out(range(engine.layers)),
                "layer": In(LAYER),
                "mac": Out(WeightClient()),
                "product": In(vector(shapes.neurons, PRODUCT)),
                "inputs": In(shapes.read(engine.inputs, ENTRY, contexts)),
                "hidden": In(shapes.read(engine.activations, ENTRY, contexts)),
                "counts": In(shapes.write(engine.layers, INDEX, contexts)),
                "hidden_write": In(shapes.write(engine.activations, ENTRY, contexts)),
                "slopes": In(shapes.write(engine.vectors, shapes.vector, contexts, granularity=1)),
                "outputs": In(shapes.write(engine.groups * engine.neurons, OUTPUT, contexts)),
                "saturated": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.walker = walker = self.walker
        m.submodules.unit = unit = self.unit
        for mine, theirs in (
            (self.inputs, walker.inputs),
            (self.hidden, walker.hidden),
            (self.hidden_write, unit.hidden),
            (self.slopes, unit.slopes),
            (self.outputs, unit.outputs),
        ):
            wiring.connect(m, wiring.flipped(mine), theirs)
        m.d.comb += self.saturated.eq(unit.saturated)
        self._accumulate(m)
        self._control(m)
        return m

    def _accumulate(self, m: Module) -> None:
        """Issue steps, add up their products, and hand a group's sums to the activation unit.

        A group's last step waits until the unit has drained the group before: there is one queue.
        """
        walker, unit = self.walker, self.unit
        step = walker.step
        taken = Signal()
        pending = Signal()
        ends = Signal()
        fresh = Signal(init=1)
        hold = Signal()
        m.d.comb += [
            hold.eq(step.payload.last & (pending | unit.busy)),
            self.mac.valid.eq(step.valid & ~hold),
            self.mac.row.eq(step.payload.row),
            self.mac.scalar.eq(step.payload.scalar),
            step.ready.eq(self.mac.ready & ~hold),
            taken.eq(self.mac.valid & self.mac.ready),
            ends.eq(delay(m, taken & step.payload.last, MAC_LATENCY)),
            unit.load.eq(ends),
        ]
        sums = Signal(vector(self.shapes.neurons, ACC))
        for lane in range(self.shapes.neurons):
            m.d.comb += unit.sums[lane].eq(Mux(fresh, 0, sums[lane]) + self.product[lane])
        with m.If(self.mac.done):
            m.d.sync += [sums.eq(unit.sums), fresh.eq(ends)]
        with m.If(ends):
            m.d.sync += pending.eq(0)
        with m.If(taken & step.payload.last):
            m.d.sync += pending.eq(1)

    def _control(self, m: Module) -> None:
        walker, unit = self.walker, self.unit
        layer = Signal(LAYER)
        token = Signal(self.shapes.token)
        count = Signal(INDEX)
        group = Signal(INDEX)
        row = Signal(INDEX)
        first_layer = self.index == 0
        job = walker.job.payload
        m.d.comb += [
            unit.layer.eq(layer),
            unit.first_layer.eq(first_layer),
            unit.context.eq(token.context),
            self.token.payload.eq(token),
            self.counts.addr.eq(owned(token.context, self.index, self.shapes.engine.layers)),
            self.counts.data.eq(count),
            job.context.eq(token.context),
            job.input.eq(first_layer),
            job.first.eq(layer.list_base),
            job.count.eq(count),
            job.row.eq(row),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.sample.ready.eq(1)
                with m.If(self.sample.valid):
                    m.d.sync += [
                        token.eq(self.sample.payload.token),
                        count.eq(self.sample.payload.count),
                        self.index.eq(0),
                    ]
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.d.comb += self.counts.en.eq(1)
                m.next = "BEGIN"
            with m.State("BEGIN"):
                m.d.sync += [layer.eq(self.layer), group.eq(1), row.eq(self.layer.weight_base)]
                m.next = "START"
            with m.State("START"):
                m.d.comb += unit.start.eq(1)
                m.next = "WALK"
            with m.State("WALK"):
                m.d.comb += walker.job.valid.eq(1)
                with m.If(walker.job.ready):
                    m.d.sync += [group.eq(group + 1), row.eq(row + layer.inputs + 1)]
                    with m.If(group == layer.groups):
                        m.next = "WAIT"
            with m.State("WAIT"), m.If(unit.done):
                m.d.sync += [count.eq(unit.count), self.index.eq(self.index + 1)]
                m.next = "FETCH"
                with m.If(layer.last):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.token.valid.eq(1)
                with m.If(self.token.ready):
                    m.next = "IDLE"
