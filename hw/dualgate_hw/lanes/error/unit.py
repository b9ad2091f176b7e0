# SPDX-License-Identifier: BSD-2-Clause

"""The error unit: a sample's outputs and targets become its response and its update scalars."""

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

    From the cycle in which a token is taken to `done` it takes ``2 + outputs * cost`` cycles, and
    before them, for a softmax, the time of `Softmax`. The cost of an output is 4, one more if the
    sample trains, and `ROUNDING_LATENCY` for each multiplication: by the reciprocal of softmax, by
    the slope (squared errors), by the rate (training). A response that is not taken adds its wait.

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.

    Members
    -------
    `token` : In(stream of shapes.token)
        Samples whose outputs are written.
    `done` : Out(stream of shapes.token)
        The same samples, once their response is sent and their update scalars are written.
    `response` : Out(stream of unsigned(32))
        Words of the samples' responses.
    `layer` : In(LAYER)
        Descriptor of the output layer.
    `settings` : In(SETTINGS)
        The unit uses the rate.
    `outputs` : In(memory read port of OUTPUT)
        Outputs and their slopes of all contexts.
    `targets` : In(memory read port of VALUE)
        Targets of all contexts.
    `errors` : In(memory write port of rows of N values, with an enable for each)
        Update scalars of the output layer of all contexts, a row for each group.
    `saturated` : Out(1)
        Pulse for each error or update scalar that is clipped.
    `exp` : Out(TablePort(EXP_SHAPE))
        The table of exponentials, see `Softmax`.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        engine, contexts = shapes.engine, shapes.contexts
        self._width = engine.groups * engine.neurons
        super().__init__(
            {
                "token": In(stream.Signature(shapes.token)),
                "done": Out(stream.Signature(shapes.token)),
                "response": Out(stream.Signature(unsigned(32))),
                "layer": In(LAYER),
                "settings": In(SETTINGS),
                "outputs": In(shapes.read(self._width, OUTPUT, contexts)),
                "targets": In(shapes.read(self._width, VALUE, contexts)),
                "errors": In(shapes.write(engine.groups, shapes.vector, contexts, granularity=1)),
                "saturated": Out(1),
                "exp": Out(TablePort(EXP_SHAPE)),
            }
        )
        self._softmax = Softmax(shapes)
        self._multiplier = RoundingMultiplier()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.softmax = softmax = self._softmax
        m.submodules.multiplier = self._multiplier
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
                banked_address(token.context, Mux(exponentials, softmax.unit, unit), self._width)
            ),
            self.targets.en.eq(1),
            self.targets.addr.eq(banked_address(token.context, unit, self._width)),
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
            with m.State("WRITE"):
                self._write(m, token.context, unit)
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
        """Add the states from the read of an output to its update scalar in the multiplier."""
        softmax, multiplier = self._softmax, self._multiplier
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
            m.next = "WRITE"

    def _multiply(
        self,
        m: Module,
        left: ValueLike,
        right: ValueLike,
        shift: ValueLike,
        start: ValueLike = 1,
    ) -> None:
        """Start a multiplication in this cycle."""
        multiplier = self._multiplier
        m.d.comb += [
            multiplier.start.eq(start),
            multiplier.left.eq(left),
            multiplier.right.eq(right),
            multiplier.shift.eq(shift),
        ]

    def _error(self, m: Module, value: Signal, target: Signal) -> tuple[Value, Value]:
        """Return output minus target, saturated to 16 bits, and whether it was clipped."""
        difference = Signal(signed(VALUE_WIDTH + 1))
        m.d.comb += difference.eq(value - target)
        return saturate(difference, VALUE_WIDTH)

    def _write(self, m: Module, context: Signal, unit: Signal) -> None:
        """Write an update scalar to its lane of a row.

        The first lane's write clears the others: lanes without a unit must read zero.
        """
        neurons = self.shapes.neurons
        bits = (neurons - 1).bit_length()
        lanes = [unit[:bits] == lane for lane in range(neurons)]
        m.d.comb += [
            self.errors.addr.eq(banked_address(context, unit >> bits, self.shapes.engine.groups)),
            self.errors.en.eq(Mux(lanes[0], ~0, Cat(lanes))),
        ]
        result = self._multiplier.result
        for lane, entry in enumerate(self.errors.data):
            m.d.comb += entry.eq(result if lane == 0 else Mux(lanes[0], 0, result))
