# SPDX-License-Identifier: BSD-2-Clause

"""A core: the lanes, their MAC arrays and the memories between them.

A sample is a token that names a context, its place in every memory. Tokens go from lane to lane::

    words --> loader --> value lane --> error unit --> tangent lanes --> update lane --+
                ^                          |                                          |
                |                          +--> response                              |
                +------------------------ free contexts <-----------------------------+

so that each lane works on a sample of its own, in the order they came.
"""

from amaranth import Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ..common.mac import MacArray, VectorClient, attach
from ..common.memory_attributes import FEW_WORDS
from ..common.shapes import LAYER, PRODUCT, SETTINGS, WORD, Shapes, vector
from ..common.tables import EXP_SHAPE, SIGMOID_SHAPE, TablePort
from .control.loader import Loader
from .error.unit import ErrorUnit
from .memory.contexts import sample_memories
from .memory.input_ring import InputLists
from .memory.rows import CoreMemories, CoreRows
from .tangent.lane import TangentLane
from .update import UpdateLane
from .value.lane import ValueLane

EVENTS = (
    "value_rows",
    "tangent_rows",
    "scale_rows",
    "update_rows",
    "kept",
    "dropped",
    "saturated_values",
    "saturated_updates",
)
"""Those of `commands.COUNTERS` that a core counts."""


def events(shapes: Shapes) -> data.StructLayout:
    """What a core counts in a cycle."""
    return data.StructLayout({name: range(shapes.lanes * shapes.neurons + 2) for name in EVENTS})


class Core(wiring.Component):
    """Trains on the samples it is given, with weights and velocities of its own.

    Parameters
    ----------
    shapes : Shapes
    first : bool
        See `CoreMemories`.

    Members
    -------
    command, response : streams of words; sample commands and what answers them
    settings : as last set
    input_layer, output_layer : descriptors of the first layer and of the last
    layer_write, layer_index, layer : a descriptor arrives
    port : strips of the rows, while not `working`
    macs, products : the MAC arrays for a batch's end, while not `working`
    working : a sample is in flight
    idle : none is, and none is being loaded
    events : what to count
    sigmoid, exp : tables, where there are several cores
    """

    def __init__(self, shapes: Shapes, first: bool = True) -> None:
        self.shapes = shapes
        self.first = first
        self.loader = Loader(shapes)
        self.value = ValueLane(shapes)
        self.error = ErrorUnit(shapes)
        self.tangent = TangentLane(shapes)
        self.update = UpdateLane(shapes)
        arrays = shapes.engine.arrays
        super().__init__(
            {
                "command": In(stream.Signature(WORD)),
                "response": Out(stream.Signature(WORD)),
                "settings": In(SETTINGS),
                "input_layer": In(LAYER),
                "output_layer": In(LAYER),
                "layer_write": In(1),
                "layer_index": In(range(shapes.engine.layers)),
                "layer": In(LAYER),
                "port": In(CoreRows(shapes)),
                "macs": In(VectorClient(shapes.strip)).array(arrays),
                "products": Out(vector(shapes.strip, PRODUCT)).array(arrays),
                "working": Out(1),
                "idle": Out(1),
                "events": Out(events(shapes)),
                "sigmoid": Out(TablePort(SIGMOID_SHAPE)),
                "exp": Out(TablePort(EXP_SHAPE)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.loader = loader = self.loader
        m.submodules.value = value = self.value
        m.submodules.error = error = self.error
        m.submodules.tangent = tangent = self.tangent
        m.submodules.update = update = self.update
        wiring.connect(m, wiring.flipped(self.command), loader.command)
        wiring.connect(m, loader.sample, value.sample)
        wiring.connect(m, value.token, error.token)
        wiring.connect(m, error.done, tangent.token)
        wiring.connect(m, tangent.done, update.token)
        m.d.comb += [
            loader.input_layer.eq(self.input_layer),
            loader.output_layer.eq(self.output_layer),
            loader.masked.eq(self.settings.masked),
            error.settings.eq(self.settings),
            error.layer.eq(self.output_layer),
            tangent.settings.eq(self.settings),
        ]
        if self.shapes.engine.cores > 1:
            wiring.connect(m, wiring.flipped(self.sigmoid), value.sigmoid)
            wiring.connect(m, wiring.flipped(self.exp), error.exp)
        self._respond(m)
        self._contexts(m)
        self._samples(m)
        self._descriptors(m)
        self._rows(m)
        self._events(m)
        return m

    def _respond(self, m: Module) -> None:
        """The loader answers only while no sample is in flight, so the two never meet."""
        loader, error = self.loader.response, self.error.response
        m.d.comb += [
            self.response.valid.eq(loader.valid | error.valid),
            self.response.payload.eq(Mux(loader.valid, loader.payload, error.payload)),
            loader.ready.eq(self.response.ready),
            error.ready.eq(self.response.ready & ~loader.valid),
        ]

    def _contexts(self, m: Module) -> None:
        """Contexts are used in turn; samples leave in the order they came."""
        shapes = self.shapes
        m.submodules.lists = lists = InputLists(shapes)
        turn = Signal(shapes.context)
        in_flight = Signal(range(shapes.contexts + 1))
        following = Signal.like(in_flight)
        enters = self.loader.sample.valid & self.loader.sample.ready
        leaves = self.update.done.valid
        m.d.comb += [
            self.update.done.ready.eq(1),
            self.loader.context.eq(turn),
            self.loader.context_free.eq((in_flight != shapes.contexts) & lists.room),
            following.eq(in_flight + enters - leaves),
            self.loader.empty.eq(~self.working),
            self.idle.eq(self.loader.idle),
            lists.context.eq(turn),
            lists.enters.eq(enters),
            lists.leaves.eq(leaves),
            lists.inputs.eq(self.input_layer.inputs),
        ]
        wiring.connect(m, self.loader.inputs, lists.writer)
        wiring.connect(m, self.value.inputs, lists.value)
        wiring.connect(m, self.update.inputs, lists.update)
        wiring.connect(m, self.update.begin, lists.begin)
        m.d.sync += [
            in_flight.eq(following),
            self.working.eq((following != 0) | self.update.busy),
        ]
        with m.If(enters):
            m.d.sync += turn.eq(Mux(turn == shapes.contexts - 1, 0, turn + 1))

    def _samples(self, m: Module) -> None:
        memories = sample_memories(m, self.shapes)
        for name, port in (
            ("targets", self.loader.targets),
            ("masks", self.loader.masks),
            ("hidden", self.value.hidden_write),
            ("counts", self.value.counts),
            ("slopes", self.value.slopes),
            ("outputs", self.value.outputs),
            ("errors", self.error.errors),
            ("deltas", self.tangent.deltas),
        ):
            lanes = 1 if port.signature.granularity else None
            write = memories[name].write_port(granularity=lanes)
            # A word of N is on its way for a cycle: readers are further behind.
            domain = m.d.sync if lanes else m.d.comb
            domain += [write.addr.eq(port.addr), write.data.eq(port.data), write.en.eq(port.en)]
        for name, ports in (
            ("hidden", (self.value.hidden, self.update.hidden)),
            ("masks", (self.value.masks,)),
            ("counts", (self.update.counts,)),
            ("slopes", (self.tangent.seed_slopes, self.tangent.scale_slopes)),
            ("outputs", (self.error.outputs,)),
            ("targets", (self.error.targets,)),
            ("errors", (self.tangent.errors, self.update.errors)),
            ("deltas", (self.update.deltas,)),
        ):
            for port in ports:
                wiring.connect(m, port, memories[name].read_port())

    def _descriptors(self, m: Module) -> None:
        m.submodules.layers = layers = memory.Memory(
            shape=LAYER, depth=self.shapes.engine.layers, init=[], attrs={FEW_WORDS: 1}
        )
        write = layers.write_port()
        m.d.comb += [
            write.addr.eq(self.layer_index),
            write.data.eq(self.layer),
            write.en.eq(self.layer_write),
        ]
        for index, layer in (
            (self.value.index, self.value.layer),
            (self.update.index, self.update.layer),
            *((self.tangent.indices[part], self.tangent.layers[part]) for part in range(3)),
        ):
            read = layers.read_port()
            m.d.comb += [read.addr.eq(index), layer.eq(read.data)]

    def _rows(self, m: Module) -> None:
        """The MAC arrays, and the memories whose rows they work on."""
        readers = self._arrays(m)
        m.submodules.rows = rows = CoreMemories(self.shapes, len(readers), self.first)
        for index, array in enumerate(readers):
            m.d.comb += [
                rows.rows[index].eq(array.row),
                array.weight_row.eq(rows.weight_rows[index]),
            ]
        wiring.connect(m, self.update.read, rows.velocity_read)
        wiring.connect(m, self.update.write, rows.velocity_write)
        wiring.connect(m, wiring.flipped(self.port), rows.port)
        # A cycle late, which nobody is quick enough to notice.
        m.d.sync += rows.exclusive.eq(~self.working)

    def _arrays(self, m: Module) -> list[MacArray]:
        """One MAC array for each kind of lane, or one for all; returns those that read weights.

        Vector clients come before weight clients, and later lanes before earlier ones: a sample
        that is nearly done frees its context soonest.
        """
        lanes = self.shapes.lanes
        ends = [[(mac, p)] for mac, p in zip(self.macs, self.products, strict=True)]
        scale = (self.tangent.scale_mac, self.tangent.scale_product)
        sums = (self.tangent.sum_mac, self.tangent.sum_product)
        step = (self.update.mac, self.update.product)
        values = (self.value.mac, self.value.product)
        if self.shapes.engine.arrays == 1:
            clients = {"shared": (lanes, [*ends[0], step, scale], [sums, values])}
        else:
            clients = {
                "value": (1, ends[0], [values]),
                "tangent": (lanes, [*ends[1], scale], [sums]),
                "update": (1, [*ends[2], step], []),
            }
        arrays = []
        # At a batch's end no lane works, and nothing else has to be asked.
        for (name, (wide, by_vector, by_weight)), end in zip(clients.items(), ends, strict=True):
            array = MacArray(self.shapes.neurons, wide, len(by_vector), len(by_weight), len(end))
            m.submodules[f"{name}_mac"] = array
            ports = (*array.vector_clients, *array.weight_clients)
            for port, (mac, product) in zip(ports, (*by_vector, *by_weight), strict=True):
                attach(m, mac, port)
                # Clients of one lane take the first lane's products.
                m.d.comb += Value.cast(product).eq(Value.cast(array.product))
            if by_weight:
                arrays.append(array)
        return arrays

    def _events(self, m: Module) -> None:
        for name, event in {
            "value_rows": self.value.mac.valid & self.value.mac.ready,
            "tangent_rows": self.tangent.tangent_row,
            "scale_rows": self.tangent.scale_row,
            "update_rows": self.update.taken,
            "kept": self.tangent.kept,
            "dropped": self.tangent.dropped,
            "saturated_values": self.value.saturated,
            "saturated_updates": self.error.saturated + self.tangent.saturated,
        }.items():
            m.d.comb += self.events[name].eq(event)
