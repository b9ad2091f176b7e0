# SPDX-License-Identifier: BSD-2-Clause

"""A core: the lanes, their MAC arrays and the memories between them.

A sample is a token with the number of a context, the sample's bank in every memory. Tokens go from
lane to lane::

    words --> loader --> value lane --> error unit --> tangent lanes --> update lane --+
                ^                          |                                          |
                |                          +--> response                              |
                +------------------------ free contexts <-----------------------------+

so that each lane works on another sample. Samples stay in order. While a single sample is in the
core, its tangents follow its values layer by layer, and the update of the output layer follows the
error.
"""

from amaranth import Module, Mux, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from ..common.mac import VectorClient
from ..common.memory_attributes import FEW_WORDS
from ..common.shapes import LAYER, PRODUCT, SETTINGS, WORD, Shapes, vector
from ..common.tables import EXP_SHAPE, SIGMOID_SHAPE, TablePort
from .arrays import Client, CoreArrays
from .control.loader import Loader
from .error.unit import ErrorUnit
from .memory.contexts import ContextMemories
from .memory.core_rows import CoreRows
from .memory.input_ring import InputRing
from .memory.row_ports import CoreRowPort
from .memory.touched_rows import touch
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
"""The names in `commands.COUNTERS` whose events come from a core."""


def most_events(shapes: Shapes) -> int:
    """Return the largest increment of a core's counter in one cycle.

    That is a row of tangents that are kept, or an error, an update scalar of another output and one
    of each tag, if all of them are clipped.
    """
    return max(shapes.lanes * shapes.neurons, 2 + shapes.lanes)


def events(shapes: Shapes) -> data.StructLayout:
    """Return the layout of the increments of a core's counters in one cycle."""
    return data.StructLayout({name: range(most_events(shapes) + 1) for name in EVENTS})


class Core(wiring.Component):
    """A core with weights and velocities of its own, which trains on samples.

    Parameters
    ----------
    shapes : Shapes
        Shapes of the engine.
    first : bool
        Whether this is the first core, see `CoreRows`.

    Members
    -------
    `command` : In(stream of WORD)
        Sample commands.
    `response` : Out(stream of WORD)
        Responses to sample commands.
    `settings` : In(SETTINGS)
        Settings that were set last.
    `input_layer` : In(LAYER)
        Descriptor of the first layer.
    `output_layer` : In(LAYER)
        Descriptor of the last layer.
    `layer_write` : In(1)
        High for one cycle when a descriptor has arrived.
    `layer_index` : In(range(layers))
        Layer of that descriptor.
    `layer` : In(LAYER)
        That descriptor.
    `port` : In(CoreRowPort(shapes))
        Access to strips of the rows, in use only while not `working`.
    `macs` : In(VectorClient(strip)).array(arrays)
        Access to each MAC array for the end of a batch, in use only while not `working`.
    `products` : Out(vector(strip, PRODUCT)).array(arrays)
        Products of each array for these requests.
    `touched` : Out(touch(shapes))
        A row of velocities that is written and was not listed.
    `working` : Out(1)
        A sample is in flight, or a word of its response waits.
    `idle` : Out(1)
        Not `working`, and no sample is being loaded.
    `events` : Out(events(shapes))
        Increments of the counters.
    `sigmoid` : Out(TablePort(SIGMOID_SHAPE))
        Port to a shared table, in use where there are several cores.
    `exp` : Out(TablePort(EXP_SHAPE))
        Port to a shared table, in use where there are several cores.
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
                "port": In(CoreRowPort(shapes)),
                "macs": In(VectorClient(shapes.strip)).array(arrays),
                "products": Out(vector(shapes.strip, PRODUCT)).array(arrays),
                "touched": Out(touch(shapes)),
                "working": Out(1),
                "idle": Out(1),
                "events": Out(events(shapes)),
                "sigmoid": Out(TablePort(SIGMOID_SHAPE)),
                "exp": Out(TablePort(EXP_SHAPE)),
            }
        )
        # Index of the output layer, and whether a sample enters while no other is in the core.
        self._last = Signal(range(shapes.engine.layers))
        self._enters_empty = Signal()
        self._ring = InputRing(shapes)
        self._memories = ContextMemories(shapes)
        self._layers = memory.Memory(
            shape=LAYER, depth=shapes.engine.layers, init=[], attrs={FEW_WORDS: 1}
        )
        self._arrays = CoreArrays(
            shapes,
            [Client(mac, p) for mac, p in zip(self.macs, self.products, strict=True)],
            step=Client(self.update.mac, self.update.product),
            scale=Client(self.tangent.scale_mac, self.tangent.scale_product),
            sums=Client(self.tangent.sum_mac, self.tangent.sum_product),
            values=Client(self.value.mac, self.value.product),
        )
        self._rows = CoreRows(shapes, len(self._arrays.readers), first)

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
        self._merge_responses(m)
        self._assign_contexts(m)
        self._hand_to_tangents(m)
        self._connect_memories(m)
        self._connect_descriptors(m)
        self._connect_rows(m)
        self._count(m)
        return m

    def _merge_responses(self, m: Module) -> None:
        """Merge the responses of loader and error unit.

        They never coincide, because the loader answers only while the core is not `working`.
        """
        loader, error = self.loader.response, self.error.response
        m.d.comb += [
            self.response.valid.eq(loader.valid | error.valid),
            self.response.payload.eq(Mux(loader.valid, loader.payload, error.payload)),
            loader.ready.eq(self.response.ready),
            error.ready.eq(self.response.ready & ~loader.valid),
        ]

    def _assign_contexts(self, m: Module) -> None:
        """Assign contexts in rotation, which suffices because samples leave in order."""
        shapes = self.shapes
        m.submodules.ring = ring = self._ring
        turn = Signal(shapes.context)
        in_flight = Signal(range(shapes.contexts + 1))
        following = Signal.like(in_flight)
        enters = self.loader.sample.valid & self.loader.sample.ready
        leaves = self.update.done.valid
        m.d.comb += [
            self.update.done.ready.eq(1),
            self.loader.context.eq(turn),
            self.loader.context_free.eq((in_flight != shapes.contexts) & ring.room),
            following.eq(in_flight + enters - leaves),
            self.loader.empty.eq(~self.working),
            self.idle.eq(self.loader.idle),
            ring.context.eq(turn),
            ring.enters.eq(enters),
            ring.leaves.eq(leaves),
            ring.inputs.eq(self.input_layer.inputs),
            self._enters_empty.eq(enters & (in_flight == 0)),
        ]
        wiring.connect(m, self.loader.inputs, ring.writer)
        wiring.connect(m, self.value.inputs, ring.value)
        wiring.connect(m, self.update.inputs, ring.update)
        wiring.connect(m, self.update.begin, ring.begin)
        m.d.sync += [
            in_flight.eq(following),
            self.working.eq((following != 0) | self.update.busy | self.error.response.valid),
        ]
        with m.If(enters):
            m.d.sync += turn.eq(Mux(turn == shapes.contexts - 1, 0, turn + 1))

    def _hand_to_tangents(self, m: Module) -> None:
        """Give the tangent lane the samples that leave the error unit, in their order.

        A sample that enters an empty core goes there at once, and its tangents follow its values:
        there is no older sample whose tangents they could hold up.
        """
        tangent, done = self.tangent, self.error.done
        partial = Signal()
        written = Signal.like(tangent.written)
        m.d.comb += [
            tangent.token.valid.eq(Mux(partial, 0, done.valid) | self._enters_empty),
            tangent.token.payload.eq(
                Mux(self._enters_empty, self.loader.sample.payload.token, done.payload)
            ),
            done.ready.eq(partial | tangent.token.ready),
            tangent.partial.eq(partial),
            tangent.written.eq(written),
            tangent.wanted.eq(self.update.index),
            self.update.complete.eq(tangent.complete),
            self.update.last.eq(self._last),
        ]
        with m.If(done.valid):
            m.d.sync += partial.eq(0)
        # Layers of later samples are not counted, because the first sample has written all by then.
        with m.If(self.value.written & (written != self._last)):
            m.d.sync += written.eq(written + 1)
        with m.If(self._enters_empty):
            m.d.sync += [partial.eq(1), written.eq(0)]

    def _connect_memories(self, m: Module) -> None:
        """Connect the lanes to the memories between them."""
        memories = self._memories
        memories.add_to(m)
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
            memories.write(m, name, port)
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
            memories.read(m, name, *ports)

    def _connect_descriptors(self, m: Module) -> None:
        """Keep the descriptors, with a read port for each lane or part of a lane."""
        m.submodules.layers = layers = self._layers
        write = layers.write_port()
        m.d.comb += [
            write.addr.eq(self.layer_index),
            write.data.eq(self.layer),
            write.en.eq(self.layer_write),
        ]
        with m.If(self.layer_write & self.layer.last):
            m.d.sync += self._last.eq(self.layer_index)
        for index, layer in (
            (self.value.index, self.value.layer),
            (self.update.index, self.update.layer),
            *((self.tangent.indices[part], self.tangent.layers[part]) for part in range(3)),
        ):
            read = layers.read_port()
            m.d.comb += [read.addr.eq(index), layer.eq(read.data)]

    def _connect_rows(self, m: Module) -> None:
        """Connect the MAC arrays and the memories whose rows they multiply."""
        self._arrays.connect(m)
        m.submodules.rows = rows = self._rows
        for index, array in enumerate(self._arrays.readers):
            m.d.comb += [
                rows.rows[index].eq(array.row),
                array.weight_row.eq(rows.weight_rows[index]),
            ]
        wiring.connect(m, self.update.read, rows.velocity_read)
        wiring.connect(m, self.update.write, rows.velocity_write)
        m.d.comb += [self.update.listed.eq(rows.listed), self.touched.eq(self.update.touched)]
        wiring.connect(m, wiring.flipped(self.port), rows.port)
        # Registered: `port` is not in use so soon after the last sample.
        m.d.sync += rows.exclusive.eq(~self.working)

    def _count(self, m: Module) -> None:
        """Report the events of the lanes."""
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
