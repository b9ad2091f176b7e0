"""Outputs: softmax, the response, and errors that become update scalars."""

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.hdl import Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.commands import Op
from dualgate.formats import UNIT_FRAC
from dualgate.rules import SOFTMAX

from ..layouts import SETTINGS, VALUE, WORD
from .parts import Places, Seen, Use, load_numbers, take_last
from .softmax import Softmax

HALF = 1 << UNIT_FRAC
"""Operand that stands for half of 2**15, see `Outputs._divide_states`."""

PARTS = 15
"""Products that make up one of a power and a reciprocal."""


class Outputs(wiring.Component):
    """Finishes a sample's forward pass, one output after the other.

    Parameters
    ----------
    places : Places

    Members
    -------
    use, seen : the shared parts; `seen.layer` is the output layer
    start, train, settings : pulse; whether update scalars are wanted
    done : pulse
    response : stream out; a response's words
    saturated : pulse for each clipped error or update scalar
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        self.softmax = Softmax(places)
        super().__init__(
            {
                "use": Out(Use(places)),
                "seen": Out(Seen(places)),
                "start": In(1),
                "train": In(1),
                "settings": In(SETTINGS),
                "done": Out(1),
                "response": Out(stream.Signature(WORD)),
                "saturated": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.softmax = self.softmax
        wiring.connect(m, wiring.flipped(self.seen), self.softmax.seen)
        use, layer = self.use, self.seen.layer
        self._unit = Signal(self.places.shapes.unit)
        self._value = Signal(VALUE)
        soft = layer.activation == SOFTMAX.code
        respond = self.response
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += self._unit.eq(0)
                with m.If(self.start):
                    m.next = "HEADER"
            with m.State("HEADER"):
                m.d.comb += [
                    respond.valid.eq(1),
                    respond.payload[:8].eq(Mux(self.train, Op.TRAIN, Op.INFER)),
                    respond.payload[16:].eq(layer.outputs),
                ]
                with m.If(respond.ready):
                    m.next = "READ"
                    with m.If(soft):
                        m.d.comb += self.softmax.start.eq(1)
                        m.next = "SOFTMAX"
            with m.State("SOFTMAX"):
                for name in use.signature.members:
                    m.d.comb += Value.cast(getattr(use, name)).eq(getattr(self.softmax.use, name))
                with m.If(self.softmax.done):
                    m.next = "READ"
            with m.State("READ"):
                m.d.comb += use.word_at.eq(self.places.outputs | self._unit)
                m.next = "VALUE"
            with m.State("VALUE"):
                m.d.comb += use.word_at.eq(self.places.outputs | self._unit)
                m.d.sync += self._value.eq(self.seen.word)
                m.next = "RESPOND"
                with m.If(soft):
                    m.d.comb += use.clear.eq(1)
                    m.next = "PARTS"
            self._divide_states(m)
            self._error_states(m)
            with m.State("NEXT"):
                m.d.sync += self._unit.eq(self._unit + 1)
                m.next = "READ"
                with m.If(self._unit == layer.outputs - 1):
                    m.d.comb += self.done.eq(1)
                    m.next = "IDLE"
        return m

    def _divide_states(self, m: Module) -> None:
        """A power times the reciprocal, from products of signed 16-bit numbers.

        With p the power less 2**15 and r the reciprocal less 2**16, both signed, and h = 2**14, it
        is ``p * r + 4 * (p * h) + 2 * (h * r) + 8 * (h * h)``.
        """
        use, softmax = self.use, self.softmax
        part = Signal(range(PARTS + 1))
        steps = Signal()
        power = Cat(softmax.power[:-1], ~softmax.power[-1]).as_signed()
        with m.State("PARTS"):
            m.d.sync += [part.eq(part + 1), steps.eq(1)]
            m.d.comb += [use.word_at.eq(self.places.outputs | self._unit), use.step.eq(steps)]
            load_numbers(
                m,
                use,
                Mux(part < 5, power, HALF),
                Mux((part == 0) | (part == 5) | (part == 6), softmax.reciprocal, HALF),
            )
            with m.If(part == PARTS):
                m.d.sync += [part.eq(0), steps.eq(0)]
                m.next = "DIVIDE"
        with m.State("DIVIDE"):
            take_last(m, use)
            m.next = "ROUND"
        with m.State("ROUND"):
            m.d.comb += [use.shift.eq(softmax.bits + (15 - UNIT_FRAC)), use.rounds.eq(1)]
            m.next = "DIVIDED"
        with m.State("DIVIDED"):
            m.d.sync += self._value.eq(self.seen.narrow)
            m.next = "RESPOND"

    def _error_states(self, m: Module) -> None:
        """The error of an output, times its slope, times the rate: its update scalar."""
        use, seen, places = self.use, self.seen, self.places
        layer, respond = seen.layer, self.response
        sloped = Signal()
        place = places.unit(layer, self._unit)
        with m.State("RESPOND"):
            m.d.comb += [
                respond.valid.eq(1),
                respond.payload.eq(Cat(self._value, self._value[-1].replicate(16))),
                use.word_at.eq(self._unit),
            ]
            with m.If(respond.ready):
                m.next = "NEXT"
                with m.If(self.train):
                    m.next = "SUBTRACT"
        with m.State("SUBTRACT"):
            m.d.comb += [use.hold.eq(1), use.direct.eq(self._value - seen.word)]
            m.d.sync += sloped.eq(layer.sloped)
            m.next = "CLIP"
        with m.State("CLIP"):
            m.d.comb += use.word_at.eq(places.slopes | place)
            m.next = "LOAD"
        rate = Cat(self.settings.rate_mantissa, Const(0, 1)).as_signed()
        with m.State("LOAD"):
            load_numbers(m, use, seen.narrow, Mux(sloped, seen.word, rate))
            m.d.comb += [self.saturated.eq(seen.clipped), use.clear.eq(1)]
            m.next = "STEP"
        with m.State("STEP"):
            m.d.comb += use.step.eq(1)
            m.next = "PRODUCT"
        with m.State("PRODUCT"):
            take_last(m, use)
            m.next = "NARROW"
        with m.State("NARROW"):
            m.d.comb += [
                use.shift.eq(Mux(sloped, UNIT_FRAC, self.settings.rate_shift)),
                use.rounds.eq(1),
            ]
            m.d.sync += sloped.eq(0)
            m.next = "FILE"
            with m.If(sloped):
                m.next = "LOAD"
        with m.State("FILE"):
            m.d.comb += [
                self.saturated.eq(seen.clipped),
                use.word_write.eq(1),
                use.word_at.eq(places.updates | place),
                use.word.eq(seen.narrow),
            ]
            m.next = "NEXT"
