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
        self.shapes = Shapes(parameters)
        super().__init__(
            {
                "command": In(stream.Signature(WORD)),
                "response": Out(stream.Signature(WORD)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shapes = self.shapes
        m.submodules.decoder = decoder = CommandDecoder(shapes)
        m.submodules.value = value = ValueLane(shapes)
        m.submodules.error = error = ErrorUnit(shapes)
        m.submodules.tangent = tangent = TangentLane(shapes)
        m.submodules.update = update = UpdateLane(shapes)
        m.submodules.batch_end = batch_end = BatchEnd(shapes, self.parameters.arrays)
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
        self._streams(m, decoder, error)
        drained = self._contexts(m, decoder, update)
        self._samples(m, decoder, value, error, tangent, update)
        self._descriptors(m, decoder, value, tangent, update, batch_end, ending)
        self._rows(m, decoder, value, tangent, update, batch_end, drained, ending)
        self._count(m, decoder, value, error, tangent, update, batch_end, ~drained | ending)
        return m

    def _streams(self, m: Module, decoder: CommandDecoder, error: ErrorUnit) -> None:
        """Queues at both edges, so that no path leads through the engine from port to port.

        The decoder answers only while no sample is in flight; it and the error unit never compete.
        """
        m.submodules.commands = commands = fifo.SyncFIFOBuffered(width=WORD.width, depth=4)
        m.submodules.responses = responses = fifo.SyncFIFOBuffered(width=WORD.width, depth=4)
        m.d.comb += [
            commands.w_en.eq(self.command.valid),
            commands.w_data.eq(self.command.payload),
            self.command.ready.eq(commands.w_rdy),
            decoder.command.valid.eq(commands.r_rdy),
            decoder.command.payload.eq(commands.r_data),
            commands.r_en.eq(decoder.command.ready),
            responses.w_en.eq(decoder.response.valid | error.response.valid),
            responses.w_data.eq(
                Mux(decoder.response.valid, decoder.response.payload, error.response.payload)
            ),
            decoder.response.ready.eq(responses.w_rdy),
            error.response.ready.eq(responses.w_rdy & ~decoder.response.valid),
            self.response.valid.eq(responses.r_rdy),
            self.response.payload.eq(responses.r_data),
            responses.r_en.eq(self.response.ready),
        ]

    def _contexts(self, m: Module, decoder: CommandDecoder, update: UpdateLane) -> Signal:
        """Contexts are used in turn; samples leave in the order they came."""
        shapes = self.shapes
        turn = Signal(shapes.context)
        in_flight = Signal(range(shapes.contexts + 1))
        drained = Signal()
        enters = decoder.sample.valid & decoder.sample.ready
        leaves = update.done.valid
        m.d.comb += [
            update.done.ready.eq(1),
            decoder.context.eq(turn),
            decoder.context_free.eq(in_flight != shapes.contexts),
            drained.eq((in_flight == 0) & ~update.busy),
            decoder.drained.eq(drained),
        ]
        m.d.sync += in_flight.eq(in_flight + enters - leaves)
        with m.If(enters):
            m.d.sync += turn.eq(Mux(turn == shapes.contexts - 1, 0, turn + 1))
        return drained

    def _samples(
        self,
        m: Module,
        decoder: CommandDecoder,
        value: ValueLane,
        error: ErrorUnit,
        tangent: TangentLane,
        update: UpdateLane,
    ) -> None:
        memories = sample_memories(m, self.shapes)
        for name, port in (
            ("inputs", decoder.inputs),
            ("targets", decoder.targets),
            ("hidden", value.hidden_write),
            ("counts", value.counts),
            ("slopes", value.slopes),
            ("outputs", value.outputs),
            ("errors", error.errors),
            ("deltas", tangent.deltas),
        ):
            lanes = 1 if port.signature.granularity else None
            wiring.connect(m, port, memories[name].write_port(granularity=lanes))
        for name, ports in (
            ("inputs", (value.inputs, update.inputs)),
            ("hidden", (value.hidden, update.hidden)),
            ("counts", (update.counts,)),
            ("slopes", (tangent.birth_slopes, tangent.scale_slopes)),
            ("outputs", (error.outputs,)),
            ("targets", (error.targets,)),
            ("errors", (tangent.errors, update.errors)),
            ("deltas", (update.deltas,)),
        ):
            for port in ports:
                wiring.connect(m, port, memories[name].read_port())

    def _descriptors(
        self,
        m: Module,
        decoder: CommandDecoder,
        value: ValueLane,
        tangent: TangentLane,
        update: UpdateLane,
        batch_end: BatchEnd,
        ending: Signal,
    ) -> None:
        m.submodules.layers = layers = memory.Memory(
            shape=LAYER, depth=self.parameters.layers, init=[]
        )
        write = layers.write_port()
        m.d.comb += [
            write.addr.eq(decoder.layer_index),
            write.data.eq(decoder.layer),
            write.en.eq(decoder.layer_write),
            batch_end.layer.eq(update.layer),
        ]
        for index, layer in (
            (value.index, value.layer),
            (Mux(ending, batch_end.index, update.index), update.layer),
            *((tangent.indices[part], tangent.layers[part]) for part in range(3)),
        ):
            read = layers.read_port()
            m.d.comb += [read.addr.eq(index), layer.eq(read.data)]

    def _rows(
        self,
        m: Module,
        decoder: CommandDecoder,
        value: ValueLane,
        tangent: TangentLane,
        update: UpdateLane,
        batch_end: BatchEnd,
        drained: Signal,
        ending: Signal,
    ) -> None:
        """The MAC arrays, and the memories whose rows they work on."""
        readers = self._arrays(m, value, tangent, update, batch_end)
        m.submodules.rows = rows = RowMemories(self.shapes, len(readers))
        for index, array in enumerate(readers):
            m.d.comb += [
                rows.rows[index].eq(array.row),
                array.weight_row.eq(rows.weight_rows[index]),
            ]
        wiring.connect(m, update.read, rows.velocity_read)
        wiring.connect(m, update.write, rows.velocity_write)
        m.d.comb += rows.exclusive.eq(drained)
        for port in (decoder.port, batch_end.port):
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
                m.d.comb += getattr(rows.port, name).eq(getattr(batch_end.port, name))
            with m.Else():
                m.d.comb += getattr(rows.port, name).eq(getattr(decoder.port, name))

    def _arrays(
        self,
        m: Module,
        value: ValueLane,
        tangent: TangentLane,
        update: UpdateLane,
        batch_end: BatchEnd,
    ) -> list[MacArray]:
        """One MAC array for each kind of lane, or one for all; returns those that read weights.

        Vector clients come before weight clients, and later lanes before earlier ones: a sample
        that is nearly done frees its context soonest.
        """
        vectors = [
            [(mac, product)]
            for mac, product in zip(batch_end.macs, batch_end.products, strict=True)
        ]
        scale = (tangent.scale_mac, tangent.scale_product)
        sums = (tangent.sum_mac, tangent.sum_product)
        step = (update.mac, update.product)
        values = (value.mac, value.product)
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

    def _count(
        self,
        m: Module,
        decoder: CommandDecoder,
        value: ValueLane,
        error: ErrorUnit,
        tangent: TangentLane,
        update: UpdateLane,
        batch_end: BatchEnd,
        working: Value,
    ) -> None:
        bits = (2 * self.shapes.neurons).bit_length()
        m.submodules.counters = counters = Counters(bits)
        m.d.comb += [
            counters.clear.eq(decoder.counter_clear),
            counters.index.eq(decoder.counter_index),
            decoder.counter.eq(counters.value),
        ]
        for name, event in {
            "cycles": working,
            "value_rows": value.mac.valid & value.mac.ready,
            "tangent_rows": tangent.tangent_row,
            "scale_rows": tangent.scale_row,
            "update_rows": update.taken,
            "kept": tangent.kept,
            "dropped": tangent.dropped,
            "saturated_values": value.saturated,
            "saturated_updates": error.saturated + tangent.saturated,
            "saturated_weights": batch_end.saturated,
        }.items():
            m.d.comb += counters.events[name].eq(event)
