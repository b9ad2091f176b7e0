# SPDX-License-Identifier: BSD-2-Clause

"""The engine: cores that share the samples of a batch, and the components that the cores share.

::

    commands --> Dispatcher --> cores, in turn --> Collector --> responses
                     |            ^      ^             ^
                     v            | rows | MAC arrays  |
              CommandDecoder -----+      WeightStep    |
                     +---------------------------------+

Weights do not change while samples are in flight: each command of the decoder waits until the last
sample is complete. The end of a batch adds up the velocities of all cores, and uses the MAC arrays
of the first core.
"""

from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import fifo, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.engine import WORD_BITS, Depths, EngineParameters

from ..common.counters import Counters
from ..common.memory_attributes import FEW_WORDS
from ..common.shapes import LAYER, WORD, Shapes
from ..common.tables import Tables
from .control.collector import Collector
from .control.decoder import CommandDecoder
from .control.dispatcher import Dispatcher
from .control.row_access import RowAccess
from .core import EVENTS, Core, most_events
from .memory.shared_rows import SharedRows
from .memory.touched_rows import TouchedRows
from .weight_step import WeightStep


class Engine(wiring.Component):
    """A training engine behind two streams of words, see `dualgate.contract.commands`.

    Parameters
    ----------
    parameters : EngineParameters
        Parameters of the engine.
    depths : Depths
        Number of samples and tags in flight.

    Members
    -------
    `command` : In(stream of unsigned(32 * beat))
        Commands; a beat has `EngineParameters.beat` words, the first one in the lowest bits.
    `response` : Out(stream of WORD)
        Responses.

    Attributes
    ----------
    working : Signal
        High while a sample or the end of a batch is in progress. Not a port; boards show it on a
        LED.
    """

    command: stream.Interface
    response: stream.Interface

    def __init__(self, parameters: EngineParameters, depths: Depths | None = None) -> None:
        self.parameters = parameters
        self.shapes = shapes = Shapes(parameters, **vars(depths or Depths()))
        self.dispatcher = Dispatcher(shapes)
        self.decoder = CommandDecoder(shapes)
        self.cores = [Core(shapes, core == 0) for core in range(parameters.cores)]
        self.collector = Collector(shapes)
        self.batch_end = WeightStep(shapes, parameters.arrays)
        self.row_access = RowAccess(shapes)
        self.rows = SharedRows(shapes)
        self.touched = TouchedRows(shapes)
        self.counters = Counters(self._increment())
        self.working = Signal()
        if parameters.cores > 1:
            self.tables = Tables(parameters.cores)
        self._layers = memory.Memory(
            shape=LAYER, depth=parameters.layers, init=[], attrs={FEW_WORDS: 1}
        )
        width = WORD_BITS * parameters.beat
        self._commands = fifo.SyncFIFOBuffered(width=width, depth=4)
        self._responses = fifo.SyncFIFOBuffered(width=WORD_BITS, depth=4)
        super().__init__(
            {
                "command": In(stream.Signature(unsigned(width))),
                "response": Out(stream.Signature(WORD)),
            }
        )

    def _increment(self) -> int:
        """Return the number of bits of the largest increment of a counter."""
        shapes = self.shapes
        most = shapes.engine.cores * most_events(shapes)
        return max(most, 2 * shapes.strip).bit_length()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.dispatcher = dispatcher = self.dispatcher
        m.submodules.decoder = decoder = self.decoder
        m.submodules.collector = collector = self.collector
        m.submodules.batch_end = batch_end = self.batch_end
        for index, core in enumerate(self.cores):
            m.submodules[f"core_{index}"] = core
            wiring.connect(m, dispatcher.cores[index], core.command)
            wiring.connect(m, core.response, collector.cores[index])
            m.d.comb += [
                core.settings.eq(decoder.settings),
                core.input_layer.eq(decoder.input_layer),
                core.output_layer.eq(decoder.output_layer),
                core.layer_write.eq(decoder.layer_write),
                core.layer_index.eq(decoder.layer_index),
                core.layer.eq(decoder.layer),
            ]
        if self.parameters.cores > 1:
            m.submodules.tables = tables = self.tables
            for core, sigmoid, exp in zip(self.cores, tables.sigmoid, tables.exp, strict=True):
                wiring.connect(m, core.sigmoid, sigmoid)
                wiring.connect(m, core.exp, exp)
        wiring.connect(m, dispatcher.decoder, decoder.command)
        answers = self._answers(m)
        ending = Signal()
        with m.If(decoder.batch_end | batch_end.done):
            m.d.sync += ending.eq(decoder.batch_end)
        m.d.comb += [
            dispatcher.decoder_idle.eq(decoder.idle & ~answers),
            batch_end.settings.eq(decoder.settings),
            batch_end.start.eq(decoder.batch_end),
            decoder.batch_done.eq(batch_end.done),
        ]
        # Registered, because a command takes longer to get from the dispatcher to its check.
        m.d.sync += decoder.drained.eq(
            Cat(core.idle for core in self.cores).all() & ~dispatcher.waiting & ~collector.waiting
        )
        self._streams(m)
        self._descriptors(m)
        self._rows(m, ending)
        self._list_touched(m)
        self._count(m, ending)
        return m

    def _answers(self, m: Module) -> Signal:
        """Register a word of a response on its way to the collector, so that no path connects them.

        Returns whether the register holds a word.
        """
        waits = Signal()
        word = Signal(WORD)
        come, go = self.decoder.response, self.collector.decoder
        m.d.comb += [come.ready.eq(~waits), go.valid.eq(waits), go.payload.eq(word)]
        with m.If(~waits):
            m.d.sync += [waits.eq(come.valid), word.eq(come.payload)]
        with m.Elif(go.ready):
            m.d.sync += waits.eq(0)
        return waits

    def _streams(self, m: Module) -> None:
        """Connect queues at both edges, so that no path leads from port to port."""
        m.submodules.commands = commands = self._commands
        m.submodules.responses = responses = self._responses
        wiring.connect(m, wiring.flipped(self.command), commands.w_stream)
        wiring.connect(m, commands.r_stream, self.dispatcher.command)
        wiring.connect(m, self.collector.response, responses.w_stream)
        wiring.connect(m, responses.r_stream, wiring.flipped(self.response))

    def _descriptors(self, m: Module) -> None:
        """Keep the descriptors for the end of a batch; cores have copies of their own."""
        m.submodules.layers = layers = self._layers
        write, read = layers.write_port(), layers.read_port()
        m.d.comb += [
            write.addr.eq(self.decoder.layer_index),
            write.data.eq(self.decoder.layer),
            write.en.eq(self.decoder.layer_write),
            read.addr.eq(self.batch_end.index),
            self.batch_end.layer.eq(read.data),
        ]

    def _rows(self, m: Module, ending: Signal) -> None:
        """Connect rows to the decoder and the end of a batch, and MAC arrays to the latter."""
        m.submodules.rows = rows = self.rows
        for core, port in zip(self.cores, rows.cores, strict=True):
            wiring.connect(m, port, core.port)
        m.submodules.row_access = access = self.row_access
        wiring.connect(m, self.decoder.row_access, access.port)
        port, end = rows.port, self.batch_end.port
        m.d.comb += [
            end.weights.eq(port.weights),
            end.velocity.eq(port.velocity),
            access.weights.eq(self.batch_end.weights),
            access.velocity.eq(self.batch_end.velocity),
            *(
                getattr(port, name).eq(Mux(ending, getattr(end, name), access.strip))
                for name in ("weights_from", "velocity_from", "weights_to", "velocity_to")
            ),
            port.write_weights.eq(end.write_weights | access.write_weights),
            port.write_velocity.eq(end.write_velocity | access.write_velocity),
            port.new_listed.eq(end.new_listed),
        ]
        for lane, number in enumerate(access.new_strip):
            m.d.comb += [
                port.new_weights[lane].eq(end.new_weights[lane] | number),
                port.new_velocity[lane].eq(end.new_velocity[lane] | number),
            ]
        first = self.cores[0]
        for mac, port in zip(self.batch_end.macs, first.macs, strict=True):
            wiring.connect(m, mac, port)
        for mine, product in zip(self.batch_end.products, first.products, strict=True):
            m.d.comb += mine.eq(product)

    def _list_touched(self, m: Module) -> None:
        """Connect the list of touched rows.

        With several cores the list is never complete: a row that two of them touch would be listed
        twice. Their batches are long, and touch nearly all rows.
        """
        m.submodules.touched = touched = self.touched
        wiring.connect(m, touched.taken, self.batch_end.touched)
        m.d.comb += [
            touched.updated.eq(self.cores[0].touched),
            touched.kept.eq(self.batch_end.kept),
            touched.begin.eq(self.decoder.batch_end),
            touched.forget.eq(
                self.decoder.layer_write
                | self.row_access.write_velocity
                | (self.parameters.cores > 1)
            ),
            self.batch_end.complete.eq(touched.complete),
        ]

    def _count(self, m: Module, ending: Signal) -> None:
        """Add up the events of all cores; `cycles` counts those in which any core has a sample."""
        m.submodules.counters = counters = self.counters
        working = ending
        for core in self.cores:
            working = working | core.working
        m.d.comb += [
            counters.clear.eq(self.decoder.counter_clear),
            counters.index.eq(self.decoder.counter_index),
            self.decoder.counter.eq(counters.value),
            counters.events["cycles"].eq(working),
            self.working.eq(working),
            counters.events["saturated_weights"].eq(self.batch_end.saturated),
        ]
        for name in EVENTS:
            each = [core.events[name] for core in self.cores]
            m.d.comb += counters.events[name].eq(sum(each[1:], each[0]))
