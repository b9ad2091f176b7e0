# SPDX-License-Identifier: BSD-2-Clause

"""The error unit: a sample's outputs and targets become its response and its update scalars."""

from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.activations import SOFTMAX

from ...common.delay import delay
from ...common.shapes import LAYER, OUTPUT, SETTINGS, VALUE, Shapes, banked_address
from ...common.tables import EXP_SHAPE, TablePort
from .arithmetic import SCALAR_LATENCY, VALUE_LATENCY, OutputArithmetic
from .responder import Responder
from .softmax import Softmax


def step(shapes: Shapes) -> data.StructLayout:
    """Return the layout of what enters the pipeline in a cycle: a header or an output of a sample.

    An entry that is neither is empty. `last` marks the sample's last output.
    """
    flags = {name: unsigned(1) for name in ("header", "output", "last")}
    return data.StructLayout({**flags, "token": shapes.token})


class ErrorUnit(wiring.Component):
    """Finishes a sample's forward pass in a pipeline that takes an output a cycle.

    ::

        token --> Softmax --> walk --> memories --> OutputArithmetic --> errors --> queue --> done
                                                           |
                                                           +--> Responder --> response

    From the cycle in which a token is taken to `done` it takes ``outputs + 11`` cycles, and before
    them, for a softmax, the ``2 * outputs + 25`` of `Softmax`. It takes the next token after
    ``outputs + 1`` cycles, or ``2 * outputs + 26`` for a softmax. A response that is not taken
    adds its wait once the queue of `Responder` is full; a token that is not taken adds none.

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.

    Members
    -------
    `token` : In(stream of shapes.token)
        Samples whose outputs are written.
    `done` : Out(stream of shapes.token)
        The same samples, once their update scalars are written. Words of their responses may still
        be waiting.
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
    `saturated` : Out(range(3))
        Number of errors and update scalars that are clipped, to be counted.
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
                "saturated": Out(range(3)),
                "exp": Out(TablePort(EXP_SHAPE)),
            }
        )
        self._softmax = Softmax(shapes)
        self._arithmetic = OutputArithmetic(self._softmax.sum_bits)
        self._responder = Responder()
        # The queue has a place for every context, so that it is never full.
        self._finished = fifo.SyncFIFO(width=shapes.token.size, depth=contexts)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.softmax = softmax = self._softmax
        m.submodules.arithmetic = arithmetic = self._arithmetic
        m.submodules.responder = self._responder
        m.submodules.finished = self._finished
        if self.shapes.engine.cores > 1:
            wiring.connect(m, wiring.flipped(self.exp), softmax.exp)
        wiring.connect(m, wiring.flipped(self.token), softmax.token)
        m.d.comb += [
            softmax.enable.eq(self.layer.activation == SOFTMAX.code),
            softmax.units.eq(self.layer.outputs),
            softmax.output.eq(self.outputs.data),
            arithmetic.output.eq(self.outputs.data),
            arithmetic.target.eq(self.targets.data),
            arithmetic.power.eq(softmax.power),
            arithmetic.softmax.eq(softmax.enable),
            arithmetic.sloped.eq(self.layer.sloped),
            arithmetic.settings.eq(self.settings),
            arithmetic.reciprocal.eq(softmax.reciprocal),
            arithmetic.bits.eq(softmax.bits),
        ]
        entering = self._walk(m)
        valued = delay(m, entering, 1 + VALUE_LATENCY)
        scaled = delay(m, valued, SCALAR_LATENCY - VALUE_LATENCY)
        self._respond(m, entering, valued)
        self._write(m, scaled)
        self._finish(m, scaled)
        trains = valued.output & valued.token.train
        scales = scaled.output & scaled.token.train
        m.d.comb += self.saturated.eq(
            (trains & arithmetic.error_clipped) + (scales & arithmetic.scalar_clipped)
        )
        return m

    def _walk(self, m: Module) -> data.View:
        """Read the outputs of sample after sample; returns what enters the pipeline."""
        softmax, responder = self._softmax, self._responder
        token = Signal(self.shapes.token)
        unit = Signal(self.shapes.unit)
        final = unit == self.layer.outputs - 1
        entering = Signal(step(self.shapes))
        m.d.comb += entering.token.eq(token)
        with m.FSM() as fsm:
            with m.State("HEADER"):
                m.d.comb += [
                    softmax.done.ready.eq(responder.room),
                    entering.header.eq(softmax.done.valid & responder.room),
                    entering.token.eq(softmax.done.payload),
                ]
                m.d.sync += [token.eq(softmax.done.payload), unit.eq(0)]
                with m.If(entering.header):
                    m.next = "OUTPUTS"
            with m.State("OUTPUTS"), m.If(responder.room):
                m.d.comb += [entering.output.eq(1), entering.last.eq(final)]
                m.d.sync += unit.eq(unit + 1)
                with m.If(final):
                    m.next = "HEADER"
        walked = banked_address(token.context, unit, self._width)
        asked = banked_address(softmax.done.payload.context, softmax.unit, self._width)
        m.d.comb += [
            softmax.walking.eq(fsm.ongoing("OUTPUTS")),
            softmax.power_unit.eq(unit),
            self.outputs.en.eq(1),
            self.outputs.addr.eq(Mux(softmax.enable, asked, walked)),
            self.targets.en.eq(1),
            self.targets.addr.eq(walked),
        ]
        return entering

    def _respond(self, m: Module, entering: data.View, valued: data.View) -> None:
        """Hand headers and values to the responder, which promised to have room for them."""
        responder = self._responder
        wiring.connect(m, responder.response, wiring.flipped(self.response))
        m.d.comb += [
            responder.coming.eq(entering.header | entering.output),
            responder.put.eq(valued.header | valued.output),
            responder.answer.header.eq(valued.header),
            responder.answer.value.eq(
                Mux(valued.header, valued.token.train, self._arithmetic.value)
            ),
            responder.outputs.eq(self.layer.outputs),
        ]

    def _write(self, m: Module, scaled: data.View) -> None:
        """Write an update scalar to its lane of a row.

        The first lane's write clears the others: lanes without a unit must read zero.
        """
        neurons = self.shapes.neurons
        bits = (neurons - 1).bit_length()
        unit = Signal(self.shapes.unit)
        with m.If(scaled.output):
            m.d.sync += unit.eq(Mux(scaled.last, 0, unit + 1))
        lanes = [unit[:bits] == lane for lane in range(neurons)]
        row = banked_address(scaled.token.context, unit >> bits, self.shapes.engine.groups)
        m.d.comb += self.errors.addr.eq(row)
        with m.If(scaled.output & scaled.token.train):
            m.d.comb += self.errors.en.eq(Mux(lanes[0], ~0, Cat(lanes)))
        scalar = self._arithmetic.scalar
        for lane, entry in enumerate(self.errors.data):
            m.d.comb += entry.eq(scalar if lane == 0 else Mux(lanes[0], 0, scalar))

    def _finish(self, m: Module, scaled: data.View) -> None:
        """Queue the samples whose last update scalar is written."""
        finished = self._finished
        m.d.comb += [
            finished.w_en.eq(scaled.last),
            finished.w_data.eq(scaled.token),
            finished.r_en.eq(self.done.ready),
            self.done.valid.eq(finished.r_rdy),
            self.done.payload.eq(finished.r_data),
        ]
