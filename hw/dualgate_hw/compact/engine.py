"""The compact engine: commands to decoder and loader, and the memories behind them."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.engine import EngineParameters

from ..commands import CommandDecoder
from ..counters import Counters
from ..dispatch import SAMPLE_OPS
from ..layouts import ENTRY, VALUE, WORD, Shapes
from ..loader import Loader
from .parts import Places
from .steps import EVENTS, Steps


class CompactEngine(wiring.Component):
    """A training engine behind two streams of words, see `dualgate.commands`; a sample at a time.

    ::

        commands -+-> Loader --> Steps -+-> responses
                  +-> CommandDecoder ---+

    Parameters
    ----------
    parameters : EngineParameters

    Members
    -------
    command, response : streams of words

    Attributes
    ----------
    working : Signal
        A sample, or a batch's end, is in work; no port, for a lamp.
    """

    command: stream.Interface
    response: stream.Interface

    def __init__(self, parameters: EngineParameters) -> None:
        self.parameters = parameters
        self.places = Places(Shapes(parameters, contexts=1))
        self.decoder = CommandDecoder(self.places.shapes)
        self.loader = Loader(self.places.shapes)
        self.steps = Steps(self.places)
        words = stream.Signature(WORD)
        super().__init__({"command": In(words), "response": Out(words)})
        self.working = Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.decoder = decoder = self.decoder
        m.submodules.loader = loader = self.loader
        m.submodules.steps = steps = self.steps
        wiring.connect(m, loader.sample, steps.sample)
        wiring.connect(m, decoder.entries, steps.access.entries)
        m.d.comb += [
            loader.input_layer.eq(decoder.input_layer),
            loader.output_layer.eq(decoder.output_layer),
            loader.masked.eq(decoder.settings.masked),
            loader.context_free.eq(~steps.working),
            loader.empty.eq(~steps.working),
            steps.settings.eq(decoder.settings),
            steps.batch_end.eq(decoder.batch_end),
            decoder.batch_done.eq(steps.batch_done),
            steps.forget.eq(decoder.layer_write),
            self.working.eq(steps.working),
        ]
        self._route(m)
        self._respond(m)
        self._entries(m)
        self._words(m)
        self._count(m)
        return m

    def _route(self, m: Module) -> None:
        """A command goes to the loader or to the decoder; either has it until it is done."""
        decoder, loader, command = self.decoder, self.loader, self.command
        loading = Signal()
        to_loader = Signal()
        begins = decoder.idle & ~loading
        word = command.payload
        m.d.comb += [
            to_loader.eq(Mux(begins, Cat(word[:8] == op for op in SAMPLE_OPS).any(), loading)),
            loader.command.payload.eq(word),
            decoder.command.payload.eq(word),
            decoder.drained.eq(~loading & ~self.steps.working),
        ]
        with m.If(begins & (word == 0)):
            m.d.comb += command.ready.eq(1)
        with m.Elif(to_loader):
            m.d.comb += [
                loader.command.valid.eq(command.valid),
                command.ready.eq(loader.command.ready),
            ]
        with m.Else():
            m.d.comb += [
                decoder.command.valid.eq(command.valid),
                command.ready.eq(decoder.command.ready),
            ]
        handed_on = loader.sample.valid & loader.sample.ready
        refused = loader.response.valid & loader.response.ready
        with m.If(handed_on | refused):
            m.d.sync += loading.eq(0)
        with m.If(begins & to_loader & command.valid & command.ready):
            m.d.sync += loading.eq(1)

    def _respond(self, m: Module) -> None:
        """Whoever has a command answers it, so no two answer at once."""
        answers = (self.decoder.response, self.loader.response, self.steps.response)
        for answer in answers:
            with m.If(answer.valid):
                m.d.comb += [self.response.valid.eq(1), self.response.payload.eq(answer.payload)]
            m.d.comb += answer.ready.eq(self.response.ready)

    def _entries(self, m: Module) -> None:
        """Lists, masks and descriptors."""
        decoder, loader, places = self.decoder, self.loader, self.places
        use = self.steps.use
        m.submodules.entries = entries = memory.Memory(shape=ENTRY, depth=places.entries, init=[])
        write, read = entries.write_port(), entries.read_port()
        m.d.comb += [
            read.addr.eq(use.entry_at),
            self.steps.entry.eq(read.data),
            write.addr.eq(use.entry_at),
            write.data.eq(use.entry),
            write.en.eq(use.entry_write),
        ]
        for wanted, place, entry in (
            (loader.inputs.en, loader.inputs.addr, loader.inputs.data),
            (loader.masks.en, places.masks | loader.masks.addr, loader.masks.data),
            (
                decoder.layer_word,
                places.descriptors | Cat(decoder.layer_place, decoder.layer_index),
                self.command.payload,
            ),
        ):
            with m.If(wanted):
                m.d.comb += [write.addr.eq(place), write.data.eq(entry), write.en.eq(1)]

    def _words(self, m: Module) -> None:
        """Targets, values and slopes, update scalars, and the lengths of lists."""
        use, targets = self.steps.use, self.loader.targets
        m.submodules.words = words = memory.Memory(shape=VALUE, depth=self.places.words, init=[])
        write, read = words.write_port(), words.read_port()
        m.d.comb += [
            read.addr.eq(use.word_at),
            self.steps.word.eq(read.data),
            write.addr.eq(Mux(targets.en, targets.addr, use.word_at)),
            write.data.eq(Mux(targets.en, targets.data, use.word)),
            write.en.eq(targets.en | use.word_write),
        ]

    def _count(self, m: Module) -> None:
        decoder = self.decoder
        m.submodules.counters = counters = Counters(1)
        m.d.comb += [
            counters.clear.eq(decoder.counter_clear),
            counters.index.eq(decoder.counter_index),
            decoder.counter.eq(counters.value),
            counters.events["cycles"].eq(self.working | self.loader.takes),
            *(counters.events[name].eq(getattr(self.steps, name)) for name in EVENTS),
        ]
