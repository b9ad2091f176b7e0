"""The engine: the lanes, the memories between them, and the stream of commands that feeds them.

A sample is a token that names a context, its place in every memory. Tokens go from lane to lane::

    commands --> value lane --> error unit --> tangent lane --> update lane --+
        ^                           |                                         |
        |                           +--> response                             |
        +--------------------------- free contexts <--------------------------+

so that each lane works on a sample of its own, in the order of the commands. Weights do not change
while samples are in flight: a batch's end waits for the last of them.
"""

from amaranth import Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import fifo, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.engine import EngineParameters

from .batch_end import BatchEnd
from .commands import WORD, CommandDecoder
from .counters import Counters
from .error import ErrorUnit
from .layouts import LAYER, Shapes
from .mac import MacArray
from .rows import RowMemories
from .samples import sample_memories
from .tangent import TangentLane
from .update import UpdateLane
from .value import ValueLane


class Engine(wiring.Component):
    """A training engine behind two streams of words, see `dualgate.commands`.

    Parameters
    ----------
    parameters : EngineParameters

    Members
    -------
    command : stream in, 32 bits
    response : stream out, 32 bits
    """

    command: stream.Interface
    response: stream.Interface

    def __init__(self, parameters: EngineParameters) -> None:
        self.parameters = parameters
        self.shapes = shapes = Shapes(parameters)
        self.decoder = CommandDecoder(shapes)
        self.value = ValueLane(shapes)
        self.error = ErrorUnit(shapes)
        self.tangent = TangentLane(shapes)
        self.update = UpdateLane(shapes)
        self.batch_end = BatchEnd(shapes, parameters.arrays)
        super().__init__(
            {
                "command": In(stream.Signature(WORD)),
                "response": Out(stream.Signature(WORD)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.decoder = decoder = self.decoder
        m.submodules.value = value = self.value
        m.submodules.error = error = self.error
        m.submodules.tangent = tangent = self.tangent
        m.submodules.update = update = self.update
        m.submodules.batch_end = batch_end = self.batch_end
        wiring.connect(m, decoder.sample, value.sample)
        wiring.connect(m, value.token, error.token)
        wiring.connect(m, error.done, tangent.token)
        wiring.connect(m, tangent.done, update.token)
        m.d.comb += [
            error.settings.eq(decoder.settings),
            error.layer.eq(decoder.output_layer),
            tangent.settings.eq(decoder.settings),
            batch_end.settings.eq(decoder.settings),
            batch_end.start.eq(decoder.batch_end),
            decoder.batch_done.eq(batch_end.done),
        ]
        ending = Signal()
        with m.If(decoder.batch_end | batch_end.done):
            m.d.sync += ending.eq(decoder.batch_end)
        self._streams(m)
        drained = self._contexts(m)
        self._samples(m)
        self._descriptors(m, ending)
        self._rows(m, drained, ending)
        self._count(m, ~drained | ending)
        return m

    def _streams(self, m: Module) -> None:
        """Queues at both edges, so that no path leads through the engine from port to port.

        The decoder answers only while no sample is in flight; it and the error unit never compete.
        """
        m.submodules.commands = commands = fifo.SyncFIFOBuffered(width=WORD.width, depth=4)
        m.submodules.responses = responses = fifo.SyncFIFOBuffered(width=WORD.width, depth=4)
        m.d.comb += [
            commands.w_en.eq(self.command.valid),
            commands.w_data.eq(self.command.payload),
            self.command.ready.eq(commands.w_rdy),
            self.decoder.command.valid.eq(commands.r_rdy),
            self.decoder.command.payload.eq(commands.r_data),
            commands.r_en.eq(self.decoder.command.ready),
            responses.w_en.eq(self.decoder.response.valid | self.error.response.valid),
            responses.w_data.eq(
                Mux(
                    self.decoder.response.valid,
                    self.decoder.response.payload,
                    self.error.response.payload,
                )
            ),
            self.decoder.response.ready.eq(responses.w_rdy),
            self.error.response.ready.eq(responses.w_rdy & ~self.decoder.response.valid),
            self.response.valid.eq(responses.r_rdy),
            self.response.payload.eq(responses.r_data),
            responses.r_en.eq(self.response.ready),
        ]

    def _contexts(self, m: Module) -> Signal:
        """Contexts are used in turn; samples leave in the order they came."""
        shapes = self.shapes
        turn = Signal(shapes.context)
        in_flight = Signal(range(shapes.contexts + 1))
        drained = Signal()
        enters = self.decoder.sample.valid & self.decoder.sample.ready
        leaves = self.update.done.valid
        m.d.comb += [
            self.update.done.ready.eq(1),
            self.decoder.context.eq(turn),
            self.decoder.context_free.eq(in_flight != shapes.contexts),
            drained.eq((in_flight == 0) & ~self.update.busy),
            self.decoder.drained.eq(drained),
        ]
        m.d.sync += in_flight.eq(in_flight + enters - leaves)
        with m.If(enters):
            m.d.sync += turn.eq(Mux(turn == shapes.contexts - 1, 0, turn + 1))
        return drained

    def _samples(self, m: Module) -> None:
        memories = sample_memories(m, self.shapes)
        for name, port in (
            ("inputs", self.decoder.inputs),
            ("targets", self.decoder.targets),
            ("hidden", self.value.hidden_write),
            ("counts", self.value.counts),
            ("slopes", self.value.slopes),
            ("outputs", self.value.outputs),
            ("errors", self.error.errors),
            ("deltas", self.tangent.deltas),
        ):
            lanes = 1 if port.signature.granularity else None
            wiring.connect(m, port, memories[name].write_port(granularity=lanes))
        for name, ports in (
            ("inputs", (self.value.inputs, self.update.inputs)),
            ("hidden", (self.value.hidden, self.update.hidden)),
            ("counts", (self.update.counts,)),
            ("slopes", (self.tangent.birth_slopes, self.tangent.scale_slopes)),
            ("outputs", (self.error.outputs,)),
            ("targets", (self.error.targets,)),
            ("errors", (self.tangent.errors, self.update.errors)),
            ("deltas", (self.update.deltas,)),
        ):
            for port in ports:
                wiring.connect(m, port, memories[name].read_port())

    def _descriptors(self, m: Module, ending: Signal) -> None:
        m.submodules.layers = layers = memory.Memory(
            shape=LAYER, depth=self.parameters.layers, init=[]
        )
        write = layers.write_port()
        m.d.comb += [
            write.addr.eq(self.decoder.layer_index),
            write.data.eq(self.decoder.layer),
            write.en.eq(self.decoder.layer_write),
            self.batch_end.layer.eq(self.update.layer),
        ]
        for index, layer in (
            (self.value.index, self.value.layer),
            (Mux(ending, self.batch_end.index, self.update.index), self.update.layer),
            *((self.tangent.indices[part], self.tangent.layers[part]) for part in range(3)),
        ):
            read = layers.read_port()
            m.d.comb += [read.addr.eq(index), layer.eq(read.data)]

    def _rows(self, m: Module, drained: Signal, ending: Signal) -> None:
        """The MAC arrays, and the memories whose rows they work on."""
        readers = self._arrays(m)
        m.submodules.rows = rows = RowMemories(self.shapes, len(readers))
        for index, array in enumerate(readers):
            m.d.comb += [
                rows.rows[index].eq(array.row),
                array.weight_row.eq(rows.weight_rows[index]),
            ]
        wiring.connect(m, self.update.read, rows.velocity_read)
        wiring.connect(m, self.update.write, rows.velocity_write)
        m.d.comb += rows.exclusive.eq(drained)
        for port in (self.decoder.port, self.batch_end.port):
            m.d.comb += [port.weights.eq(rows.port.weights), port.velocity.eq(rows.port.velocity)]
        for name in (
            "row",
            "weights_row",
            "velocity_row",
            "write_weights",
            "write_velocity",
            "new_weights",
            "new_velocity",
        ):
            with m.If(ending):
                m.d.comb += getattr(rows.port, name).eq(getattr(self.batch_end.port, name))
            with m.Else():
                m.d.comb += getattr(rows.port, name).eq(getattr(self.decoder.port, name))

    def _arrays(self, m: Module) -> list[MacArray]:
        """One MAC array for each kind of lane, or one for all; returns those that read weights.

        Vector clients come before weight clients, and later lanes before earlier ones: a sample
        that is nearly done frees its context soonest.
        """
        vectors = [
            [(mac, product)]
            for mac, product in zip(self.batch_end.macs, self.batch_end.products, strict=True)
        ]
        scale = (self.tangent.scale_mac, self.tangent.scale_product)
        sums = (self.tangent.sum_mac, self.tangent.sum_product)
        step = (self.update.mac, self.update.product)
        values = (self.value.mac, self.value.product)
        if self.parameters.arrays == 1:
            clients = {"shared": ([*vectors[0], step, scale], [sums, values])}
        else:
            clients = {
                "value": (vectors[0], [values]),
                "tangent": ([*vectors[1], scale], [sums]),
                "update": ([*vectors[2], step], []),
            }
        arrays = []
        for name, (by_vector, by_weight) in clients.items():
            array = MacArray(self.shapes.neurons, len(by_vector), len(by_weight))
            m.submodules[f"{name}_mac"] = array
            for port, (mac, product) in (
                *zip(array.vector_clients, by_vector, strict=True),
                *zip(array.weight_clients, by_weight, strict=True),
            ):
                wiring.connect(m, mac, port)
                m.d.comb += product.eq(array.product)
            if by_weight:
                arrays.append(array)
        return arrays

    def _count(self, m: Module, working: Value) -> None:
        bits = (2 * self.shapes.neurons).bit_length()
        m.submodules.counters = counters = Counters(bits)
        m.d.comb += [
            counters.clear.eq(self.decoder.counter_clear),
            counters.index.eq(self.decoder.counter_index),
            self.decoder.counter.eq(counters.value),
        ]
        for name, event in {
            "cycles": working,
            "value_rows": self.value.mac.valid & self.value.mac.ready,
            "tangent_rows": self.tangent.tangent_row,
            "scale_rows": self.tangent.scale_row,
            "update_rows": self.update.taken,
            "kept": self.tangent.kept,
            "dropped": self.tangent.dropped,
            "saturated_values": self.value.saturated,
            "saturated_updates": self.error.saturated + self.tangent.saturated,
            "saturated_weights": self.batch_end.saturated,
        }.items():
            m.d.comb += counters.events[name].eq(event)
