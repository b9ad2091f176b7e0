# SPDX-License-Identifier: BSD-2-Clause

"""The numerators of softmax and the reciprocal of their sum."""

from amaranth import Module, Mux, Signal, unsigned
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.activations import EXP_TABLE, SOFTMAX
from dualgate.contract.formats import VALUE_WIDTH

from ...common.delay import delay
from ...common.shapes import OUTPUT, VALUE, Shapes
from ...common.tables import EXP_SHAPE, TablePort, own_table

POWER_BITS = 16
"""Width of a power, exp(z - max z)."""

RECIPROCAL_BITS = 17
"""Width of the reciprocal, and steps of the division."""

EXP_LATENCY = 5
"""Cycles from the read of a pre-activation to its power."""


class Softmax(wiring.Component):
    """exp(z - max z) of every output, and ``2**(bits + 15) / sum``, see `activations.softmax_rule`.

    A sample takes ``2 * units + 25`` cycles from `token` to `done`: two passes over the units, each
    with the latency of its pipeline, and a division of 17 steps. The next one is taken a cycle
    after `done`. With several cores, the second pass may have to wait for the table.

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.

    Members
    -------
    `enable` : In(1)
        The output layer has a softmax. Without it, samples pass from `token` to `done` in the same
        cycle.
    `token` : In(stream of shapes.token)
        Samples whose pre-activations are written.
    `done` : Out(stream of shapes.token)
        The same samples, once powers and reciprocal are complete. The payload is that of the sample
        in progress, too.
    `walking` : In(1)
        The powers of the sample before are being read, so that there is no place for new ones.
    `units` : In(shapes.unit)
        Number of outputs; constant while any sample is in progress.
    `unit` : Out(shapes.unit)
        Output whose pre-activation is wanted.
    `output` : In(OUTPUT)
        The output memory's entry, one cycle after its `unit`.
    `power_unit` : In(shapes.unit)
        Output whose power is wanted, after `done`.
    `power` : Out(POWER_BITS)
        The power, one cycle after its `power_unit`.
    `reciprocal` : Out(RECIPROCAL_BITS)
        The reciprocal as in `activations.reciprocal`; from `done` to 2 cycles, or more, after the
        last cycle of `walking`.
    `bits` : Out(range(sum_bits + 1))
        The bit length of the sum as in `activations.reciprocal`, valid as `reciprocal` is.
    `exp` : Out(TablePort(EXP_SHAPE))
        The table of exponentials, requested from the first pass to the last read, but not while
        `walking`, which may take until other cores have had the table. With a single core the port
        stays unconnected, because the component has its own table.
    """

    def __init__(self, shapes: Shapes) -> None:
        self._shared = shapes.engine.cores > 1
        self.sum_bits = POWER_BITS + shapes.unit.width
        super().__init__(
            {
                "enable": In(1),
                "token": In(stream.Signature(shapes.token)),
                "done": Out(stream.Signature(shapes.token)),
                "walking": In(1),
                "units": In(shapes.unit),
                "unit": Out(shapes.unit),
                "output": In(OUTPUT),
                "power_unit": In(shapes.unit),
                "power": Out(POWER_BITS),
                "reciprocal": Out(RECIPROCAL_BITS),
                "bits": Out(range(self.sum_bits + 1)),
                "exp": Out(TablePort(EXP_SHAPE)),
            }
        )
        self._powers = memory.Memory(
            shape=unsigned(POWER_BITS), depth=shapes.engine.groups * shapes.neurons, init=[]
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        exp = self.exp
        token = Signal(self.done.payload.shape())
        maximum = Signal(VALUE)
        total = Signal(self.sum_bits)
        remainder = Signal(self.sum_bits + 1)
        steps = Signal(range(RECIPROCAL_BITS + 1))
        reads = Signal()
        compares = Signal()
        # A block RAM takes most of a cycle: its data is registered before the comparison.
        value = Signal(VALUE)
        m.d.sync += value.eq(self.output.value)
        with m.If(delay(m, compares, 2) & (value > maximum)):
            m.d.sync += maximum.eq(value)
        power, power_valid = self._power(m, maximum, value, reads)
        final = self.unit == self.units - 1
        with m.If(power_valid):
            m.d.sync += total.eq(total + power)
        for bit in range(self.sum_bits):
            with m.If(total[bit]):
                m.d.sync += self.bits.eq(bit + 1)
        m.d.comb += self.done.payload.eq(token)
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += self.token.ready.eq(1)
                m.d.sync += [
                    token.eq(self.token.payload),
                    self.unit.eq(0),
                    total.eq(0),
                    maximum.eq(-(1 << (VALUE_WIDTH - 1))),
                ]
                with m.If(~self.enable):
                    m.d.comb += [
                        self.token.ready.eq(self.done.ready),
                        self.done.valid.eq(self.token.valid),
                        self.done.payload.eq(self.token.payload),
                    ]
                with m.Elif(self.token.valid):
                    m.next = "MAXIMUM"
            with m.State("MAXIMUM"):
                # The last comparison is complete when the first power uses the maximum.
                m.d.comb += [compares.eq(1), exp.wanted.eq(~self.walking)]
                m.d.sync += self.unit.eq(self.unit + 1)
                with m.If(final):
                    m.d.sync += self.unit.eq(0)
                    m.next = "TABLE"
                    with m.If(exp.wanted & exp.granted):
                        m.next = "POWERS"
            with m.State("TABLE"):
                m.d.comb += exp.wanted.eq(~self.walking)
                with m.If(exp.wanted & exp.granted):
                    m.next = "POWERS"
            with m.State("POWERS"):
                m.d.comb += [reads.eq(1), exp.wanted.eq(1)]
                m.d.sync += [self.unit.eq(self.unit + 1), steps.eq(0)]
                with m.If(final):
                    m.next = "DRAIN"
            with m.State("DRAIN"):
                m.d.comb += exp.wanted.eq(1)
                m.d.sync += steps.eq(steps + 1)
                with m.If(steps == EXP_LATENCY + 1):
                    m.d.sync += [steps.eq(0), remainder.eq((1 << self.bits) >> 2)]
                    m.next = "DIVIDE"
            with m.State("DIVIDE"):
                doubled = remainder << 1
                fits = doubled >= total
                m.d.sync += [
                    remainder.eq(Mux(fits, doubled - total, doubled)),
                    self.reciprocal.eq(self.reciprocal << 1 | fits),
                    steps.eq(steps + 1),
                ]
                with m.If(steps == RECIPROCAL_BITS - 1):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.done.valid.eq(1)
                with m.If(self.done.ready):
                    m.next = "IDLE"
        return m

    def _power(
        self, m: Module, maximum: Signal, value: Signal, reads: Signal
    ) -> tuple[Signal, Signal]:
        """Look up the powers and store them, in a pipeline of `EXP_LATENCY` cycles.

        Returns the power and whether it is valid.
        """
        if not self._shared:
            own_table(m, self.exp, EXP_TABLE)
        m.submodules.powers = self._powers
        read, write = self._powers.read_port(), self._powers.write_port()
        index = Signal(VALUE_WIDTH + 1)
        distance = maximum - value
        shift = SOFTMAX.index_shift
        m.d.sync += index.eq((distance + (1 << shift - 1)) >> shift)
        beyond = delay(m, index >= len(EXP_TABLE), 1)
        power = Signal(POWER_BITS)
        m.d.comb += self.exp.addr.eq(index)
        m.d.sync += power.eq(Mux(beyond, 0, self.exp.data))
        valid = delay(m, reads, EXP_LATENCY)
        m.d.comb += [
            write.addr.eq(delay(m, self.unit, EXP_LATENCY)),
            write.data.eq(power),
            write.en.eq(valid),
            read.addr.eq(self.power_unit),
            self.power.eq(read.data),
        ]
        return power, valid
