# SPDX-License-Identifier: BSD-2-Clause

"""The update lane: velocity[r][:] += a_r * u[:], over the nonzero inputs of every layer."""

from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.hdl import Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from ..common.delay import delay
from ..common.mac import MAC_LATENCY, VectorClient
from ..common.shapes import ENTRY, LAYER, PRODUCT, VALUE, VELOCITY, Shapes, banked_address, vector
from .memory.list_reader import ListReader
from .memory.touched_rows import touch

SIDE = data.StructLayout({"side": unsigned(1)})
"""Note of a step: the one of two registers of update scalars that it uses."""

READ_AGE = MAC_LATENCY - 2
"""Cycles from a step to the read of its velocity row.

The row that was read is registered, because a block RAM takes most of a cycle, and then meets the
step's products.
"""

WRITE_LATENCY = 3
"""Cycles from a read of a velocity row to its write."""


class UpdateLane(wiring.Component):
    """Accumulates outer products into the velocity, a row a cycle.

    The update scalars of the output layer are known before those of hidden layers, so that a sample
    starts with the output layer, while the tangent lane works on it. Each hidden layer waits until
    its own are written.

    A group whose update scalars are all zero costs no step, nor does a frozen layer. While the last
    steps of a sample are taken, the lane fetches everything for the first steps of the next sample,
    which follow after 5 cycles. A row is read and written back in `WRITE_LATENCY` cycles, and never
    read again before it is written: it occurs once in a list, and the time from one sample to the
    next is longer than that.

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.

    Members
    -------
    `token` : In(stream of shapes.token)
        Samples of which the update scalars of the output layer are written. A sample is taken when
        its last job is issued.
    `complete` : In(1)
        The update scalars of hidden layer `index` of the sample at `token` are written.
    `done` : Out(stream of shapes.token)
        The same samples, once their last step is taken.
    `busy` : Out(1)
        Whether any row is still to be read or written after this cycle.
    `last` : In(range(layers))
        Index of the output layer.
    `index` : Out(range(layers))
        Index of the wanted layer descriptor.
    `layer` : In(LAYER)
        The descriptor, one cycle after its `index`.
    `mac` : Out(VectorClient(N))
        Client port of the MAC array.
    `product` : In(vector(N, PRODUCT))
        Products of the MAC array, with `mac.done`.
    `inputs` : In(memory read port of shapes.pair)
        Lists of inputs, two entries a word; never read in two consecutive cycles.
    `begin` : In(memory read port of shapes.place)
        Place at which each context's list of inputs begins.
    `hidden` : In(memory read port of ENTRY)
        Lists of hidden values of all contexts.
    `counts` : In(memory read port of shapes.unit)
        Number of entries of each layer's list.
    `deltas`, `errors` : In(memory read port of rows of N values)
        Update scalars of hidden units and of the output layer, of all contexts.
    `read` : In(memory read port of rows of N velocities)
        Velocities.
    `listed` : In(1)
        Whether the row that was read is listed, with its velocities.
    `write` : In(memory write port of rows of N velocities)
        Velocities. The data are zero in cycles without a write.
    `touched` : Out(touch(shapes))
        A row that is written and was not listed.
    `taken` : Out(1)
        Pulse for each step that the MAC array takes.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        engine, contexts = shapes.engine, shapes.contexts
        velocities = vector(shapes.neurons, VELOCITY)
        super().__init__(
            {
                "token": In(stream.Signature(shapes.token)),
                "complete": In(1),
                "done": Out(stream.Signature(shapes.token)),
                "busy": Out(1),
                "last": In(range(engine.layers)),
                "index": Out(range(engine.layers)),
                "layer": In(LAYER),
                "mac": Out(VectorClient(shapes.neurons)),
                "product": In(vector(shapes.neurons, PRODUCT)),
                "inputs": In(shapes.read(shapes.pairs, shapes.pair)),
                "begin": In(shapes.read(contexts, shapes.place)),
                "hidden": In(shapes.read(engine.activations, ENTRY, contexts)),
                "counts": In(shapes.read(engine.layers, shapes.unit, contexts)),
                "deltas": In(shapes.read(engine.vectors, shapes.vector, contexts)),
                "errors": In(shapes.read(engine.groups, shapes.vector, contexts)),
                "read": In(shapes.read(engine.rows, velocities)),
                "listed": In(1),
                "write": In(shapes.write(engine.rows, velocities)),
                "touched": Out(touch(shapes)),
                "taken": Out(1),
            }
        )
        self._reader = ListReader(shapes, SIDE, alternates=True)
        # Registers of the group in progress; of two registers of update scalars, it uses `side`.
        self._token = Signal(shapes.token, name="current")
        self._layer = Signal(LAYER, name="current_layer")
        self._count = Signal(shapes.unit, name="count")
        self._group = Signal(shapes.group, name="group")
        self._row = Signal(shapes.row, name="row")
        self._side = Signal(name="side")
        # Whether the sample's output layer is still in progress; its other layers come after it.
        self._output = Signal(name="output")

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.reader = reader = self._reader
        wiring.connect(m, wiring.flipped(self.inputs), reader.inputs)
        wiring.connect(m, wiring.flipped(self.hidden), reader.hidden)
        scalars = [Signal(self.shapes.vector, name=f"scalars_{side}") for side in range(2)]
        shifts = [Signal.like(self._layer.apply_shift, name=f"shift_{side}") for side in range(2)]
        self._step(m, scalars)
        self._touch(m, shifts)
        self._address(m)
        self._control(m, scalars, shifts)
        return m

    def _step(self, m: Module, scalars: list[data.View]) -> None:
        """Request the products of steps, and add them to the rows of velocities."""
        step = self._reader.step
        row = step.payload.row
        m.d.comb += [
            self.mac.valid.eq(step.valid),
            step.ready.eq(self.mac.ready),
            self.taken.eq(self.mac.valid & self.mac.ready),
        ]
        for lane in range(self.shapes.neurons):
            m.d.comb += [
                self.mac.left[0][lane].eq(step.payload.scalar),
                self.mac.right[lane].eq(
                    Mux(step.payload.meta.side, scalars[1][lane], scalars[0][lane])
                ),
            ]
        total = Signal(vector(self.shapes.neurons, VELOCITY), reset_less=True)
        reads = delay(m, self.taken, READ_AGE)
        read_row = delay(m, row, READ_AGE)
        velocities = Signal.like(total)
        m.d.sync += velocities.eq(self.read.data)
        # Zero unless it is written, because the write port's data are combined with those of other
        # writers of the velocities.
        m.d.sync += total.eq(0)
        with m.If(delay(m, reads, WRITE_LATENCY - 1)):
            for lane, velocity in enumerate(velocities):
                m.d.sync += total[lane].eq(velocity + self.product[lane])
        m.d.comb += [
            self.read.addr.eq(read_row),
            self.read.en.eq(1),
            self.write.addr.eq(delay(m, read_row, WRITE_LATENCY)),
            self.write.data.eq(total),
            self.write.en.eq(delay(m, reads, WRITE_LATENCY)),
        ]
        in_flight = Cat(held.valid for held in self._reader.held).any()
        for age in range(1, READ_AGE + WRITE_LATENCY):
            in_flight = in_flight | delay(m, self.taken, age)
        m.d.comb += self.busy.eq(in_flight)

    def _touch(self, m: Module, shifts: list[Signal]) -> None:
        """List the rows that are written and were not listed, with their layers' shifts."""
        entry = self.touched.entry
        shift = Mux(self._reader.step.payload.meta.side, shifts[1], shifts[0])
        m.d.comb += [
            self.touched.valid.eq(self.write.en & ~delay(m, self.listed, WRITE_LATENCY - 1)),
            entry.row.eq(self.write.addr),
            entry.shift.eq(delay(m, shift, READ_AGE + WRITE_LATENCY)),
        ]

    def _address(self, m: Module) -> None:
        """Address the memories of the sample, and describe the reader's job for a group."""
        engine, context = self.shapes.engine, self._token.context
        first_layer = self.index == 0
        job = self._reader.job.payload
        m.d.comb += [
            self.counts.addr.eq(banked_address(context, self.index, engine.layers)),
            self.deltas.addr.eq(
                banked_address(context, self._layer.vector_base + self._group, engine.vectors)
            ),
            self.errors.addr.eq(banked_address(context, self._group, engine.groups)),
            self.begin.addr.eq(context),
            self.begin.en.eq(1),
            self.counts.en.eq(1),
            self.deltas.en.eq(1),
            self.errors.en.eq(1),
            job.context.eq(context),
            job.input.eq(first_layer),
            job.first.eq(Mux(first_layer, self.begin.data, self._layer.list_base)),
            job.count.eq(self._count),
            job.row.eq(self._row),
            job.meta.side.eq(self._side),
        ]

    def _control(self, m: Module, scalars: list[data.View], shifts: list[Signal]) -> None:
        """Fetch each layer and each group's update scalars, and give its job to the reader."""
        layer, group, row, job = self._layer, self._group, self._row, self._reader.job
        leaves = Signal()
        found = Mux(layer.last, self.errors.data.as_value(), self.deltas.data.as_value())
        fresh = Signal.like(found, reset_less=True)
        some = Signal(self.shapes.neurons)
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [self.index.eq(self.last), self._output.eq(1)]
                m.d.sync += self._token.eq(self.token.payload)
                with m.If(self.token.valid):
                    m.next = "LEAVE"
                    with m.If(self.token.payload.train):
                        m.next = "FETCH"
            with m.State("FETCH"), m.If(self._output | self.complete):
                m.next = "LAYER"
            with m.State("LAYER"):
                m.d.sync += [
                    layer.eq(self.layer),
                    self._count.eq(self.counts.data),
                    group.eq(0),
                    row.eq(self.layer.weight_base),
                ]
                m.next = "READ"
                with m.If(self.layer.frozen):
                    self._next_layer(m)
            with m.State("READ"):
                m.next = "FOUND"
            with m.State("FOUND"):
                lanes = (found.word_select(lane, VALUE.width) for lane in range(len(some)))
                m.d.sync += [fresh.eq(found), some.eq(Cat(lane.any() for lane in lanes))]
                m.next = "SCALARS"
            with m.State("SCALARS"):
                self._load(m, scalars, shifts, fresh, some.any())
            with m.State("ISSUE"):
                m.d.comb += job.valid.eq(~leaves)
                with m.If(job.valid & job.ready):
                    m.d.sync += self._side.eq(~self._side)
                    m.next = "NEXT"
            with m.State("NEXT"):
                m.d.sync += [group.eq(group + 1), row.eq(row + layer.inputs + 1)]
                m.next = "READ"
                with m.If(group == layer.groups - 1):
                    self._next_layer(m)
            with m.State("LEAVE"), m.If(~leaves):
                m.d.comb += self.token.ready.eq(1)
                m.next = "IDLE"
                m.d.sync += leaves.eq(1)
                m.d.sync += self.done.payload.eq(self._token)
        # `done.payload` holds the one sample whose last steps are still to be taken.
        holds = Cat(held.valid for held in self._reader.held).any()
        m.d.comb += self.done.valid.eq(leaves & job.ready & ~holds)
        with m.If(self.done.valid & self.done.ready):
            m.d.sync += leaves.eq(0)

    def _next_layer(self, m: Module) -> None:
        """Go from the output layer to the first one, or to the next; leave after the last."""
        following = Mux(self._output, 0, self.index + 1)
        m.d.sync += [self.index.eq(following), self._output.eq(0)]
        m.next = "FETCH"
        with m.If(following == self.last):
            m.next = "LEAVE"

    def _load(
        self,
        m: Module,
        scalars: list[data.View],
        shifts: list[Signal],
        fresh: Value,
        some: Value,
    ) -> None:
        """Load a register of update scalars and that of their shift, once no step uses them.

        A group whose update scalars are all zero is skipped. It may load them, because it issues no
        job that would use them.
        """
        used = Cat(step.valid & (step.meta.side == self._side) for step in self._reader.held).any()
        with m.If(~used):
            m.next = "ISSUE"
            for index, (register, shift) in enumerate(zip(scalars, shifts, strict=True)):
                with m.If(self._side == index):
                    m.d.sync += [register.eq(fresh), shift.eq(self._layer.apply_shift)]
        with m.If(~some):
            m.next = "NEXT"
