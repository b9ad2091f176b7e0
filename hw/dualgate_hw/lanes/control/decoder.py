# SPDX-License-Identifier: BSD-2-Clause

"""The command decoder: every command without a sample becomes descriptors, rows or responses."""

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.commands import COUNTERS, SETTINGS_WORDS, Op, Status
from dualgate.contract.layout import LAYER_WORDS

from ...common.counters import COUNTER_WIDTH
from ...common.shapes import INDEX, LAYER, SETTINGS, WORD, Shapes
from .conversation import Conversation
from .reports import counter_states, identity_states
from .row_access import RowAccessPort
from .row_commands import RowCommands

FIRST_STATES = {
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
"""State in which the execution of each command begins."""


class CommandDecoder(wiring.Component):
    """Executes every command without a sample, as `dualgate.contract.commands` defines them.

    A command waits until no sample is in flight, and then has the engine to itself; so responses
    keep the order of commands.

    Parameters
    ----------
    shapes : Shapes
        Shapes of the engine.

    Members
    -------
    `command` : In(stream of WORD)
        Words of commands.
    `response` : Out(stream of WORD)
        Words of responses.
    `idle` : Out(1)
        The decoder waits for a header.
    `drained` : In(1)
        No sample is in flight.
    `layer_write` : Out(1)
        High for one cycle when a descriptor has arrived.
    `layer_index` : Out(range(layers))
        Layer of that descriptor.
    `layer` : Out(LAYER)
        That descriptor.
    `input_layer` : Out(LAYER)
        Descriptor of the first layer.
    `output_layer` : Out(LAYER)
        Descriptor of the last layer.
    `settings` : Out(SETTINGS)
        Settings that were set last.
    `row_access` : Out(RowAccessPort(shapes.neurons))
        Access to weights and velocities, in use only while `drained`.
    `batch_end` : Out(1)
        High for one cycle to start the end of a batch.
    `batch_done` : In(1)
        High for one cycle when the end of the batch is complete.
    `counter_index` : Out(range(len(COUNTERS)))
        Counter to read.
    `counter` : In(COUNTER_WIDTH)
        That counter, `SETTLES` cycles later.
    `counter_clear` : Out(1)
        Sets all counters to zero.
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
                "row_access": Out(RowAccessPort(shapes.neurons)),
                "batch_end": Out(1),
                "batch_done": In(1),
                "counter_index": Out(range(len(COUNTERS))),
                "counter": In(COUNTER_WIDTH),
                "counter_clear": Out(1),
            }
        )
        self._talk = Conversation(self.command, self.response)
        self._rows = RowCommands(shapes.neurons, self._talk, self.row_access)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._rows.connect(m)
        m.d.comb += self.counter_index.eq(self._talk.position)
        with m.FSM() as fsm:
            self._begin_states(m)
            self._configure_states(m)
            self._action_states(m)
            self._rows.write_states(m)
            self._rows.read_states(m)
            identity_states(m, self._talk, self.shapes.engine)
            counter_states(m, self._talk, self.counter)
        m.d.comb += self.idle.eq(fsm.ongoing("HEADER"))
        return m

    def _fits(self, m: Module) -> Signal:
        """Return whether the payload has a valid length for the command."""
        fits = Signal()
        count, neurons = self._talk.count, self.shapes.neurons
        with m.Switch(self._talk.op):
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

    def _begin_states(self, m: Module) -> None:
        """Add the states that take and check a header, and those that end most commands."""
        talk = self._talk
        word = self.command.payload
        with m.State("HEADER"):
            m.d.comb += self.command.ready.eq(1)
            m.d.sync += [talk.position.eq(0), talk.status.eq(Status.OK)]
            with m.If(self.command.valid):
                m.d.sync += [talk.op.eq(word[:8]), talk.count.eq(word[16:])]
                m.next = "CHECK"
        with m.State("CHECK"):
            m.d.sync += talk.ended.eq(talk.count == 0)
            fits = self._fits(m)
            with m.If(self.drained):
                m.next = "SKIP"
                with m.Switch(talk.op):
                    for op, state in FIRST_STATES.items():
                        with m.Case(op):
                            m.d.sync += talk.status.eq(Mux(fits, Status.OK, Status.LENGTH))
                            with m.If(fits):
                                m.next = state
                    with m.Default():
                        m.d.sync += talk.status.eq(Status.UNKNOWN)
        with m.State("SKIP"):
            with m.If(talk.ended):
                m.next = "RESPOND"
            with m.Else():
                talk.take(m)
        with m.State("RESPOND"), m.If(self.drained):
            talk.respond_header(m, Const(0, INDEX))
            with m.If(self.response.ready):
                m.next = "HEADER"

    def _configure_states(self, m: Module) -> None:
        """Add the states that collect a descriptor or the settings."""
        talk = self._talk
        collected = Signal(32 * max(LAYER_WORDS, SETTINGS_WORDS))
        shifted = Cat(collected[32:], self.command.payload)
        used = len(collected)
        raw = LAYER(collected[used - 32 * LAYER_WORDS :][: LAYER.size])
        for name, value in self.shapes.narrow(raw).items():
            m.d.comb += self.layer[name].eq(value)
        with m.State("LAYER_INDEX"), m.If(talk.take(m)):
            m.d.sync += self.layer_index.eq(self.command.payload)
            m.next = "LAYER"
        with m.State("LAYER"), m.If(talk.take(m)):
            m.d.sync += collected.eq(shifted)
            with m.If(talk.position == LAYER_WORDS):
                m.next = "LAYER_WRITE"
        with m.State("LAYER_WRITE"):
            m.d.comb += self.layer_write.eq(1)
            with m.If(self.layer_index == 0):
                m.d.sync += self.input_layer.eq(self.layer)
            with m.If(self.layer.last):
                m.d.sync += self.output_layer.eq(self.layer)
            m.next = "RESPOND"
        with m.State("SETTINGS"), m.If(talk.take(m)):
            m.d.sync += collected.eq(shifted)
            with m.If(talk.position == SETTINGS_WORDS - 1):
                m.next = "SETTINGS_TAKE"
        with m.State("SETTINGS_TAKE"):
            m.d.sync += self.settings.eq(collected[used - 32 * SETTINGS_WORDS :])
            m.next = "RESPOND"

    def _action_states(self, m: Module) -> None:
        """Add the states that end a batch or clear the counters."""
        with m.State("APPLY"):
            m.d.comb += self.batch_end.eq(1)
            m.next = "APPLY_WAIT"
        with m.State("APPLY_WAIT"), m.If(self.batch_done):
            m.next = "RESPOND"
        with m.State("CLEAR"):
            m.d.comb += self.counter_clear.eq(1)
            m.next = "RESPOND"
