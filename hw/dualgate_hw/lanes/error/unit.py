# SPDX-License-Identifier: BSD-2-Clause

"""The error unit: outputs meet their targets, and become update scalars and a response."""

from amaranth import Cat, Module, Mux, Signal, signed, unsigned
from amaranth.hdl import Value, ValueLike
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.activations import SOFTMAX
from dualgate.contract.commands import Op
from dualgate.contract.formats import UNIT_FRAC, VALUE_WIDTH

from ...common.rounding import RoundingMultiplier, saturate
from ...common.shapes import LAYER, OUTPUT, SETTINGS, VALUE, Shapes, banked_address
from ...common.tables import EXP_SHAPE, TablePort
from .softmax import Softmax


class ErrorUnit(wiring.Component):
    """Finishes a sample's forward pass, one output after the other, on one multiplier.

    From a token taken to `done` it is ``2 + outputs * cost`` cycles, and `Softmax`'s time before
    them where it is wanted. The cost is 4, one more where the sample trains, and
    `ROUNDING_LATENCY` for each multiplication: by softmax's reciprocal, by the slope (squared
    errors), by the rate (training). A response that is not taken adds its wait.

    Parameters
    ----------
    shapes : Shapes

    Members
    -------
    token : stream in; a sample whose outputs are filed
    done : stream out; the same
    response : stream out; a response's words
    layer : the output layer's descriptor
    settings : rate
    outputs, targets : read ports
    errors : write port; update scalars of the output layer, a word a group
    saturated : pulse for each clipped error or update scalar
    exp : see `Softmax`
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        engine, contexts = shapes.engine, shapes.contexts
        self.width = engine.groups * engine.neurons
        self.softmax = Softmax(shapes)
        self.multiplier = RoundingMultiplier()
        super().__init__(
            {
                "token": In(stream.Signature(shapes.token)),
                "done": Out(stream.Signature(shapes.token)),
                "response": Out(stream.Signature(unsigned(32))),
                "layer": In(LAYER),
                "settings": In(SETTINGS),
                "outputs": In(shapes.read(self.width, OUTPUT, contexts)),
                "targets": In(shapes.read(self.width, VALUE, contexts)),
                "errors": In(shapes.write(engine.groups, shapes.vector, contexts, granularity=1)),
                "saturated": Out(1),
                "exp": Out(TablePort(EXP_SHAPE)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.softmax = softmax = self.softmax
        m.submodules.multiplier = self.multiplier
        if self.shapes.engine.cores > 1:
            wiring.connect(m, wiring.flipped(self.exp), softmax.exp)
        token = Signal(self.shapes.token)
        unit = Signal(self.shapes.unit)
        exponentials = Signal()
        m.d.comb += [
            softmax.units.eq(self.layer.outputs),
            softmax.output.eq(self.outputs.data),
            softmax.power_unit.eq(unit),
            self.outputs.en.eq(1),
            self.outputs.addr.eq(
                banked_address(token.context, Mux(exponentials, softmax.unit, unit), self.width)
            ),
            self.targets.en.eq(1),
            self.targets.addr.eq(banked_address(token.context, unit, self.width)),
            self.done.payload.eq(token),
        ]
        with m.FSM() as fsm:
            with m.State("IDLE"):
                m.d.comb += self.token.ready.eq(1)
                m.d.sync += unit.eq(0)
                with m.If(self.token.valid):
                    m.d.sync += token.eq(self.token.payload)
                    m.next = "HEADER"
            with m.State("HEADER"):
                m.d.comb += [
                    self.response.valid.eq(1),
                    self.response.payload[:8].eq(Mux(token.train, Op.TRAIN, Op.INFER)),
                    self.response.payload[16:].eq(self.layer.outputs),
                ]
                with m.If(self.response.ready):
                    m.next = "READ"
                    with m.If(self.layer.activation == SOFTMAX.code):
                        m.d.comb += softmax.start.eq(1)
                        m.next = "SOFTMAX"
            with m.State("SOFTMAX"), m.If(softmax.done):
                m.next = "READ"
            self._output_states(m, token.train)
            with m.State("FILE"):
                self._file(m, token.context, unit)
                m.next = "NEXT"
            with m.State("NEXT"):
                m.d.sync += unit.eq(unit + 1)
                m.next = "READ"
                with m.If(unit == self.layer.outputs - 1):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.done.valid.eq(1)
                with m.If(self.done.ready):
                    m.next = "IDLE"
        m.d.comb += exponentials.eq(fsm.ongoing("SOFTMAX"))
        return m

    def _output_states(self, m: Module, train: Signal) -> None:
        """From one output's read to its update scalar at the multiplier's result."""
        softmax, multiplier = self.softmax, self.multiplier
        value = Signal(VALUE)
        target = Signal(VALUE)
        with m.State("READ"):
            m.next = "VALUE"
        with m.State("VALUE"):
            m.d.sync += [value.eq(self.outputs.data.value), target.eq(self.targets.data)]
            m.next = "RESPOND"
            with m.If(self.layer.activation == SOFTMAX.code):
                self._multiply(
                    m, softmax.power, softmax.reciprocal, softmax.bits + (15 - UNIT_FRAC)
                )
                m.next = "DIVIDE"
        with m.State("DIVIDE"), m.If(multiplier.done):
            m.d.sync += value.eq(multiplier.result)
            m.next = "RESPOND"
        with m.State("RESPOND"):
            m.d.comb += [
                self.response.valid.eq(1),
                self.response.payload.eq(Cat(value, value[-1].replicate(32 - VALUE_WIDTH))),
            ]
            error, clipped = self._error(m, value, target)
            begins = train & self.response.ready
            self._multiply(m, error, self.settings.rate_mantissa, self.settings.rate_shift, begins)
            with m.If(self.layer.sloped):
                self._multiply(m, error, self.outputs.data.slope, UNIT_FRAC, begins)
            with m.If(self.response.ready):
                m.next = "NEXT"
            with m.If(begins):
                m.d.comb += self.saturated.eq(clipped)
                m.next = "RATE"
                with m.If(self.layer.sloped):
                    m.next = "SLOPE"
        with m.State("SLOPE"), m.If(multiplier.done):
            self._multiply(
                m, multiplier.result, self.settings.rate_mantissa, self.settings.rate_shift
            )
            m.next = "RATE"
        with m.State("RATE"), m.If(multiplier.done):
            m.d.comb += self.saturated.eq(multiplier.clipped)
            m.next = "FILE"

    def _multiply(
        self,
        m: Module,
        left: ValueLike,
        right: ValueLike,
        shift: ValueLike,
        start: ValueLike = 1,
    ) -> None:
        multiplier = self.multiplier
        m.d.comb += [
            multiplier.start.eq(start),
            multiplier.left.eq(left),
            multiplier.right.eq(right),
            multiplier.shift.eq(shift),
        ]

    def _error(self, m: Module, value: Signal, target: Signal) -> tuple[Value, Value]:
        """Output minus target, saturated to 16 bits, and whether it was."""
        difference = Signal(signed(VALUE_WIDTH + 1))
        m.d.comb += difference.eq(value - target)
        return saturate(difference, VALUE_WIDTH)

    def _file(self, m: Module, context: Signal, unit: Signal) -> None:
        """Write an update scalar; a word's first lane clears the others: some may have no unit."""
        neurons = self.shapes.neurons
        bits = (neurons - 1).bit_length()
        lanes = [unit[:bits] == lane for lane in range(neurons)]
        m.d.comb += [
            self.errors.addr.eq(banked_address(context, unit >> bits, self.shapes.engine.groups)),
            self.errors.en.eq(Mux(lanes[0], ~0, Cat(lanes))),
        ]
        result = self.multiplier.result
        for lane, entry in enumerate(self.errors.data):
            m.d.comb += entry.eq(result if lane == 0 else Mux(lanes[0], 0, result))
