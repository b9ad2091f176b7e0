# SPDX-License-Identifier: BSD-2-Clause

"""The command decoder: words from the host become rows, settings, descriptors and responses."""

from amaranth import Array, Cat, Const, Module, Mux, Signal
from amaranth.hdl import Value, ValueLike
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from dualgate.contract.commands import (
    COUNTERS,
    IDENTITY_FIELDS,
    MAGIC,
    PROTOCOL,
    SETTINGS_WORDS,
    Op,
    Status,
)
from dualgate.contract.layout import LAYER_WORDS

from ...common.counters import COUNTER_WIDTH, SETTLES
from ...common.shapes import INDEX, LAYER, SETTINGS, VELOCITY, WORD, Shapes
from .row_access import EntryPort


class CommandDecoder(wiring.Component):
    """Takes every command but samples; see `dualgate.contract.commands` for what each does.

    A command waits until no sample is in flight, and then has the engine to itself; so responses
    keep the order of commands.

    Parameters
    ----------
    shapes : Shapes

    Members
    -------
    command, response : streams of words
    idle : waits for a header
    drained : no sample is in flight
    layer_write, layer_index, layer : a descriptor arrives
    input_layer, output_layer : descriptors of the first layer and of the last
    settings : as last set
    entries : weights and velocities, while `drained`
    batch_end, batch_done : start, and end, of a batch's end
    counter_index, counter, counter_clear : the counters
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        super().__init__(
            {
                "command": In(stream.Signature(WORD)),
                "response": Out(stream.Signature(WORD)),
                "idle": Out(1),
                "drained": In(1),
                "layer_write": Out(1),
                "layer_index": Out(range(shapes.engine.layers)),
                "layer": Out(LAYER),
                "input_layer": Out(LAYER),
                "output_layer": Out(LAYER),
                "settings": Out(SETTINGS),
                "entries": Out(EntryPort(shapes.neurons)),
                "batch_end": Out(1),
                "batch_done": In(1),
                "counter_index": Out(range(len(COUNTERS))),
                "counter": In(COUNTER_WIDTH),
                "counter_clear": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._op = Signal(8)
        self._count = Signal(INDEX)
        self._position = Signal(INDEX)
        # Whether the payload was taken to its end.
        self._ended = Signal()
        self._status = Signal(8)
        self._entry = Signal(VELOCITY)
        self._row = Signal(INDEX)
        self._rows = Signal(INDEX)
        self._lane = Signal(range(self.shapes.neurons))
        m.d.comb += [
            self.entries.row.eq(self._row),
            self.entries.lane.eq(self._lane),
            self.entries.wide.eq(self._wide()),
            self.entries.new_entry.eq(self._entry),
        ]
        with m.FSM() as fsm:
            self._dispatch_states(m)
            self._configure_states(m)
            self._write_states(m)
            self._read_states(m)
            self._report_states(m)
        m.d.comb += self.idle.eq(fsm.ongoing("HEADER"))
        return m

    def _wide(self) -> Value:
        """Whether the rows of this command are velocities, two words an entry."""
        return (self._op == Op.WRITE_VELOCITY) | (self._op == Op.READ_VELOCITY)

    def _next_entry(self, m: Module) -> Value:
        """Go on to the next entry; returns whether this one was the last of its row."""
        last = self._lane == self.shapes.neurons - 1
        m.d.sync += self._lane.eq(Mux(last, 0, self._lane + 1))
        with m.If(last):
            m.d.sync += [self._row.eq(self._row + 1), self._rows.eq(self._rows - 1)]
        return last

    def _fits(self, m: Module) -> Signal:
        """Whether the payload has a length that the command can have."""
        fits = Signal()
        count, neurons = self._count, self.shapes.neurons
        with m.Switch(self._op):
            with m.Case(Op.LAYER):
                m.d.comb += fits.eq(count == 1 + LAYER_WORDS)
            with m.Case(Op.SETTINGS):
                m.d.comb += fits.eq(count == SETTINGS_WORDS)
            with m.Case(Op.WRITE_WEIGHTS):
                m.d.comb += fits.eq((count != 0) & ((count - 1) & (neurons - 1) == 0))
            with m.Case(Op.WRITE_VELOCITY):
                m.d.comb += fits.eq((count != 0) & ((count - 1) & (2 * neurons - 1) == 0))
            with m.Case(Op.READ_WEIGHTS, Op.READ_VELOCITY):
                m.d.comb += fits.eq(count == 2)
            with m.Default():
                m.d.comb += fits.eq(count == 0)
        return fits

    def _dispatch_states(self, m: Module) -> None:
        first = {
            Op.IDENTIFY: "IDENTITY_HEADER",
            Op.LAYER: "LAYER_INDEX",
            Op.SETTINGS: "SETTINGS",
            Op.WRITE_WEIGHTS: "WRITE_ROW",
            Op.WRITE_VELOCITY: "WRITE_ROW",
            Op.READ_WEIGHTS: "READ_ROW",
            Op.READ_VELOCITY: "READ_ROW",
            Op.APPLY: "APPLY",
            Op.COUNTERS: "COUNTERS_HEADER",
            Op.CLEAR_COUNTERS: "CLEAR",
        }
        word = self.command.payload
        with m.State("HEADER"):
            m.d.comb += self.command.ready.eq(1)
            m.d.sync += [self._position.eq(0), self._status.eq(Status.OK)]
            with m.If(self.command.valid):
                m.d.sync += [self._op.eq(word[:8]), self._count.eq(word[16:])]
                m.next = "CHECK"
        with m.State("CHECK"):
            m.d.sync += self._ended.eq(self._count == 0)
            fits = self._fits(m)
            with m.If(self.drained):
                m.next = "SKIP"
                with m.Switch(self._op):
                    for op, state in first.items():
                        with m.Case(op):
                            m.d.sync += self._status.eq(Mux(fits, Status.OK, Status.LENGTH))
                            with m.If(fits):
                                m.next = state
                    with m.Default():
                        m.d.sync += self._status.eq(Status.UNKNOWN)
        with m.State("SKIP"):
            with m.If(self._ended):
                m.next = "RESPOND"
            with m.Else():
                self._take(m)
        with m.State("RESPOND"), m.If(self.drained):
            self._respond(m, self._header(Const(0, INDEX)))
            with m.If(self.response.ready):
                m.next = "HEADER"

    def _take(self, m: Module) -> Value:
        """Take a payload word; true in the cycle it is there."""
        m.d.comb += self.command.ready.eq(1)
        with m.If(self.command.valid):
            following = self._position + 1
            m.d.sync += [self._position.eq(following), self._ended.eq(following == self._count)]
        return self.command.valid

    def _respond(self, m: Module, word: ValueLike) -> None:
        m.d.comb += [self.response.valid.eq(1), self.response.payload.eq(word)]

    def _header(self, count: Value) -> Value:
        return Cat(self._op, self._status, count)

    def _configure_states(self, m: Module) -> None:
        collected = Signal(32 * max(LAYER_WORDS, SETTINGS_WORDS))
        shifted = Cat(collected[32:], self.command.payload)
        used = len(collected)
        raw = LAYER(collected[used - 32 * LAYER_WORDS :][: LAYER.size])
        for name, value in self.shapes.narrow(raw).items():
            m.d.comb += self.layer[name].eq(value)
        with m.State("LAYER_INDEX"), m.If(self._take(m)):
            m.d.sync += self.layer_index.eq(self.command.payload)
            m.next = "LAYER"
        with m.State("LAYER"), m.If(self._take(m)):
            m.d.sync += collected.eq(shifted)
            with m.If(self._position == LAYER_WORDS):
                m.next = "LAYER_WRITE"
        with m.State("LAYER_WRITE"):
            m.d.comb += self.layer_write.eq(1)
            with m.If(self.layer_index == 0):
                m.d.sync += self.input_layer.eq(self.layer)
            with m.If(self.layer.last):
                m.d.sync += self.output_layer.eq(self.layer)
            m.next = "RESPOND"
        with m.State("SETTINGS"), m.If(self._take(m)):
            m.d.sync += collected.eq(shifted)
            with m.If(self._position == SETTINGS_WORDS - 1):
                m.next = "SETTINGS_TAKE"
        with m.State("SETTINGS_TAKE"):
            m.d.sync += self.settings.eq(collected[used - 32 * SETTINGS_WORDS :])
            m.next = "RESPOND"
        with m.State("APPLY"):
            m.d.comb += self.batch_end.eq(1)
            m.next = "APPLY_WAIT"
        with m.State("APPLY_WAIT"), m.If(self.batch_done):
            m.next = "RESPOND"
        with m.State("CLEAR"):
            m.d.comb += self.counter_clear.eq(1)
            m.next = "RESPOND"

    def _write_states(self, m: Module) -> None:
        word = self.command.payload
        with m.State("WRITE_ROW"), m.If(self._take(m)):
            m.d.sync += [self._row.eq(word), self._lane.eq(0)]
            m.next = "WRITE_LOW"
        with m.State("WRITE_LOW"):
            with m.If(self._ended):
                m.next = "RESPOND"
            with m.Else(), m.If(self._take(m)):
                m.d.sync += self._entry.eq(word)
                m.next = "WRITE_ENTRY"
                with m.If(self._wide()):
                    m.next = "WRITE_HIGH"
        with m.State("WRITE_HIGH"), m.If(self._take(m)):
            m.d.sync += self._entry[WORD.width :].eq(word)
            m.next = "WRITE_ENTRY"
        with m.State("WRITE_ENTRY"):
            m.d.comb += self.entries.write.eq(1)
            with m.If(self.entries.done):
                self._next_entry(m)
                m.next = "WRITE_LOW"

    def _read_states(self, m: Module) -> None:
        with m.State("READ_ROW"), m.If(self._take(m)):
            m.d.sync += [self._row.eq(self.command.payload), self._lane.eq(0)]
            m.next = "READ_ROWS"
        with m.State("READ_ROWS"), m.If(self._take(m)):
            m.d.sync += self._rows.eq(self.command.payload)
            m.next = "READ_HEADER"
        with m.State("READ_HEADER"):
            words = Signal(INDEX)
            # By shifts: as a product it would take a multiplier that the lanes may need.
            narrow = self._rows << exact_log2(self.shapes.neurons)
            m.d.comb += words.eq(Mux(self._wide(), narrow << 1, narrow))
            self._respond(m, self._header(words))
            with m.If(self.response.ready):
                m.next = "READ_ENTRY"
                with m.If(self._rows == 0):
                    m.next = "HEADER"
        with m.State("READ_ENTRY"):
            m.d.comb += self.entries.read.eq(1)
            with m.If(self.entries.done):
                m.d.sync += self._entry.eq(self.entries.entry)
                m.next = "READ_LOW"
        with m.State("READ_LOW"):
            self._respond(m, self._entry[: WORD.width])
            with m.If(self.response.ready):
                with m.If(self._wide()):
                    m.next = "READ_HIGH"
                with m.Else():
                    self._next_read(m)
        with m.State("READ_HIGH"):
            self._respond(m, self._entry >> WORD.width)
            with m.If(self.response.ready):
                self._next_read(m)

    def _next_read(self, m: Module) -> None:
        m.next = "READ_ENTRY"
        with m.If(self._next_entry(m) & (self._rows == 1)):
            m.next = "HEADER"

    def _report_states(self, m: Module) -> None:
        engine = self.shapes.engine
        fields = {"magic": MAGIC, "protocol": PROTOCOL, **vars(engine)}
        identity = Array(Const(fields[name], 32) for name in IDENTITY_FIELDS)
        position = self._position
        high = Signal()
        settled = Signal(range(SETTLES + 1))
        with m.State("IDENTITY_HEADER"):
            self._respond(m, self._header(Const(len(IDENTITY_FIELDS), INDEX)))
            with m.If(self.response.ready):
                m.next = "IDENTITY"
        with m.State("IDENTITY"):
            self._respond(m, identity[position])
            with m.If(self.response.ready):
                m.d.sync += position.eq(position + 1)
                with m.If(position == len(IDENTITY_FIELDS) - 1):
                    m.next = "HEADER"
        m.d.comb += self.counter_index.eq(position)
        with m.State("COUNTERS_HEADER"):
            self._respond(m, self._header(Const(2 * len(COUNTERS), INDEX)))
            m.d.sync += [high.eq(0), settled.eq(0)]
            with m.If(self.response.ready):
                m.next = "COUNTERS_WAIT"
        with m.State("COUNTERS_WAIT"):
            m.d.sync += settled.eq(settled + 1)
            with m.If(settled == SETTLES):
                m.d.sync += settled.eq(0)
                m.next = "COUNTERS"
        with m.State("COUNTERS"):
            self._respond(m, Mux(high, self.counter[32:], self.counter[:32]))
            with m.If(self.response.ready):
                m.d.sync += high.eq(~high)
                with m.If(high):
                    m.d.sync += position.eq(position + 1)
                    m.next = "COUNTERS_WAIT"
                    with m.If(position == len(COUNTERS) - 1):
                        m.next = "HEADER"
