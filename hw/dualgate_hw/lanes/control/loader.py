# SPDX-License-Identifier: BSD-2-Clause

"""The loader: sample commands become lists of nonzeros, targets and masks in a core's memories."""

from amaranth import Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from dualgate.contract.commands import Op, Status

from ...common.shapes import ENTRY, INDEX, LAYER, VALUE, WORD, Shapes, banked_address
from ..memory.input_ring import ListWriter
from ..value.thread import loaded


class Loader(wiring.Component):
    """Executes the commands that carry samples, see `dualgate.contract.commands`.

    A sample takes 4 cycles, one more for each word of its payload, and in its dense form one more
    for each word whose two inputs are both nonzero. The loader reads a malformed sample to its end
    and refuses it, as soon as no earlier sample is in the core.

    Parameters
    ----------
    shapes : Shapes
        Shapes of the engine.

    Members
    -------
    `command` : In(stream of WORD)
        Sample commands.
    `response` : Out(stream of WORD)
        Refusals; a word is valid only while no sample is in flight.
    `sample` : Out(stream of loaded(shapes))
        A loaded sample: its token, and its list of inputs.
    `input_layer` : In(LAYER)
        Descriptor of the first layer.
    `output_layer` : In(LAYER)
        Descriptor of the last layer.
    `masked` : In(1)
        Samples to train on come with masks. Like the descriptors it is constant from 2 cycles
        before a sample on.
    `context` : In(shapes.context)
        Context of the next sample.
    `context_free` : In(1)
        That context is free, and the ring has room for a list of all inputs.
    `empty` : In(1)
        No sample is in flight.
    `idle` : Out(1)
        No sample is in flight, and none is being loaded.
    `inputs` : Out(ListWriter(shapes))
        Fills the list of inputs.
    `targets` : In(shapes.write(groups * neurons, VALUE, contexts))
        Write port for targets.
    `masks` : In(shapes.write(shapes.mask_words, WORD, contexts))
        Write port for masks.
    `takes` : Out(1)
        The loader is at the payload of a sample, and a word of it is valid.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        engine, contexts = shapes.engine, shapes.contexts
        width = engine.groups * engine.neurons
        super().__init__(
            {
                "command": In(stream.Signature(WORD)),
                "response": Out(stream.Signature(WORD)),
                "sample": Out(stream.Signature(loaded(shapes))),
                "input_layer": In(LAYER),
                "output_layer": In(LAYER),
                "masked": In(1),
                "context": In(shapes.context),
                "context_free": In(1),
                "empty": In(1),
                "idle": Out(1),
                "inputs": Out(ListWriter(shapes)),
                "targets": In(shapes.write(width, VALUE, contexts)),
                "masks": In(shapes.write(shapes.mask_words, WORD, contexts)),
                "takes": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        engine = self.shapes.engine
        self._train = Signal()
        self._dense = Signal()
        self._bad = Signal()
        self._count = Signal(INDEX)
        self._position = Signal(INDEX)
        # High once the payload was taken to its end.
        self._ended = Signal()
        self._length = Signal(self.shapes.unit)
        self._index = Signal(INDEX)
        self._entry = Signal(ENTRY)
        self._mask = Signal(range(self.shapes.mask_words))
        self._last_mask = Signal.like(self._mask)
        self._front = Signal(range(2 << INDEX.width))
        token = self.sample.payload.token
        m.d.comb += [
            self.targets.addr.eq(
                banked_address(self.context, self._position, engine.groups * engine.neurons)
            ),
            self.targets.data.eq(self.command.payload),
            self.inputs.entry.value.eq(self._entry.value),
            self.inputs.entry.index.eq(self._entry.index[: self.shapes.unit.width]),
            self.masks.addr.eq(banked_address(self.context, self._mask, self.shapes.mask_words)),
            self.masks.data.eq(self.command.payload),
            token.context.eq(self.context),
            token.train.eq(self._train),
            self.sample.payload.count.eq(self._length),
            self.sample.payload.first.eq(self.inputs.first),
            self.sample.payload.masked.eq(self._train & self.masked),
        ]
        last = self.output_layer
        place = Signal(range(engine.activations))
        m.d.comb += place.eq(last.list_base + last.inputs)  # fits: every entry has a place
        m.d.sync += [
            self._last_mask.eq(place >> exact_log2(WORD.width)),
            self._front.eq(last.outputs + Mux(self.masked, self._last_mask + 1, 0)),
        ]
        word = self._find_entry(m)
        with m.FSM() as fsm:
            self._header_states(m)
            with m.State("TARGETS"), m.If(self._take(m)):
                m.d.comb += self.targets.en.eq(1)
                with m.If(self._position == self.output_layer.outputs - 1):
                    m.next = "ENTRIES"
                    with m.If(self.masked):
                        m.next = "MASKS"
            with m.State("MASKS"), m.If(self._take(m)):
                m.d.comb += self.masks.en.eq(1)
                m.d.sync += self._mask.eq(self._mask + 1)
                with m.If(self._mask == self._last_mask):
                    m.next = "ENTRIES"
            self._entry_states(m, *word)
            self._end_states(m)
        m.d.comb += self.idle.eq(fsm.ongoing("HEADER") & self.empty)
        with m.If(self.inputs.en):
            m.d.sync += self._length.eq(self._length + 1)
        return m

    def _take(self, m: Module, when: Value | int = 1) -> Value:
        """Take a payload word, if `when`; returns a flag that is high while the word is there."""
        m.d.comb += [self.command.ready.eq(when), self.takes.eq(self.command.valid)]
        with m.If(self.command.valid & self.command.ready):
            following = self._position + 1
            m.d.sync += [self._position.eq(following), self._ended.eq(following == self._count)]
        return self.command.valid

    def _header_states(self, m: Module) -> None:
        """Add the states that take a header, and check the length of the payload."""
        word = self.command.payload
        op = word[:8]
        with m.State("HEADER"):
            m.d.comb += self.command.ready.eq(1)
            m.d.sync += [
                self._position.eq(0),
                self._length.eq(0),
                self._index.eq(0),
                self._mask.eq(0),
                self._bad.eq(0),
                self._train.eq((op == Op.TRAIN) | (op == Op.TRAIN_DENSE)),
                self._dense.eq((op == Op.TRAIN_DENSE) | (op == Op.INFER_DENSE)),
                self._count.eq(word[16:]),
            ]
            with m.If(self.command.valid):
                m.next = "CHECK"
        with m.State("CHECK"):
            inputs, targets = self.input_layer.inputs, self.output_layer.outputs
            entries = self._count - Mux(self._train, self._front, 0)
            fits = Mux(self._dense, entries == (inputs + 1) >> 1, entries <= inputs)
            m.d.sync += self._ended.eq(self._count == 0)
            with m.If((entries < 0) | ~fits):
                m.next = "SKIP"
            with m.Elif(self.context_free):
                m.next = "TARGETS"
                with m.If(~self._train | (targets == 0)):
                    m.next = "ENTRIES"

    def _entry_states(
        self, m: Module, found: data.View, beyond: Signal, whole: Signal, second: Signal
    ) -> None:
        """Add the state that files inputs, and after them the bias, as one more input."""
        layer, entry = self.input_layer, self._entry
        with m.State("ENTRIES"):
            with m.If(self._ended):
                m.d.comb += [
                    entry.index.eq(layer.inputs),
                    entry.value.eq(1 << layer.in_frac),
                    self.inputs.en.eq(~self._bad),
                    self.inputs.end.eq(1),
                ]
                m.next = "HAND_ON"
            with m.Else(), m.If(self._take(m, whole)):
                m.d.comb += self.inputs.en.eq((found.value != 0) & ~beyond)
                m.d.sync += second.eq(~whole)
                with m.If(beyond):
                    m.d.sync += self._bad.eq(1)
                with m.If(whole):
                    m.d.sync += self._index.eq(self._index + 2)

    def _find_entry(self, m: Module) -> tuple[data.View, Signal, Signal, Signal]:
        """Find the next entry in the payload word at the port.

        A dense word holds two inputs. The even one comes first; if both are nonzero, the odd one
        comes in another cycle.

        Returns
        -------
        found : View of ENTRY
            The entry.
        beyond : Signal
            The network has no such input.
        whole : Signal
            The entry is the last one of the word.
        second : Signal
            Register for the caller to set while the odd input of a dense word is still to come.
        """
        word = self.command.payload
        low, high = word[:16], word[16:]
        found = Signal(ENTRY)
        second = Signal()
        uses_high = Signal()
        whole = Signal()
        beyond = Signal()
        inputs = self.input_layer.inputs
        m.d.comb += [whole.eq(1), found.eq(ENTRY(word)), beyond.eq(high >= inputs)]
        with m.If(self._dense):
            m.d.comb += [
                whole.eq((low == 0) | (high == 0) | second),
                uses_high.eq((high != 0) & ((low == 0) | second)),
                found.value.eq(Mux(uses_high, high, low)),
                found.index.eq(self._index | uses_high),
                beyond.eq(Mux(uses_high, (self._index | 1) >= inputs, self._index >= inputs)),
            ]
        m.d.comb += self._entry.eq(found)
        return found, beyond, whole, second

    def _end_states(self, m: Module) -> None:
        """Add the states that hand a sample on, or read it to its end and refuse it."""
        # Registered: the loader hands no sample on in the cycles before a refusal.
        emptied = Signal()
        m.d.sync += emptied.eq(self.empty)
        with m.State("HAND_ON"):
            m.d.comb += self.sample.valid.eq(~self._bad)
            with m.If(self._bad):
                m.d.comb += self.inputs.drop.eq(1)
                m.next = "REFUSE"
            with m.Elif(self.sample.ready):
                m.next = "HEADER"
        with m.State("SKIP"):
            with m.If(self._ended):
                m.next = "REFUSE"
            with m.Else():
                self._take(m)
        with m.State("REFUSE"):
            op = Mux(self._train, Op.TRAIN, Op.INFER)
            m.d.comb += [
                self.response.valid.eq(emptied),
                self.response.payload[:8].eq(op),
                self.response.payload[8:16].eq(Status.LENGTH),
            ]
            with m.If(self.response.valid & self.response.ready):
                m.next = "HEADER"
