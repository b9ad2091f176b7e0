"""A batch's end: every weight takes its step, every velocity keeps its momentum."""

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from dualgate.formats import (
    APPLY_BIAS,
    DIGIT_WIDTH,
    MASTER_WIDTH,
    MOMENTUM_FRAC,
    VELOCITY_KEPT_WIDTH,
    VELOCITY_WIDTH,
)

from .layouts import INDEX, LAYER, MASTER, PRODUCT, SETTINGS, VELOCITY, Shapes, delay, vector
from .mac import MAC_LATENCY, VectorClient
from .rows import RowPort

DIGITS = 3
"""A velocity is three 16-bit factors, see `formats.VELOCITY_WIDTH`."""

LAST_WRITE = 9
"""Cycles from a row's read to its velocity's write."""


class BatchEnd(wiring.Component):
    """w -= v, then v *= momentum, row after row.

    Takes ``3 * rows + 2 * layers + 8`` cycles from `start` to `done`: a row's velocity passes the
    multipliers in three digits. The step of its weights is computed beside them.

    ::

        read  row  digit 0  digit 1  digit 2  products     round  write velocity
         0     1      2        3        4     5  6  7        8      9
                   round v  shift    subtract write weights

    Parameters
    ----------
    shapes : Shapes

    Members
    -------
    start, done : pulses
    settings : momentum
    index, layer : descriptor wanted, read a cycle later
    mac, product : the MAC array, to itself
    port : the row memories
    saturated : weights or velocities clipped in this cycle
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        super().__init__(
            {
                "start": In(1),
                "done": Out(1),
                "settings": In(SETTINGS),
                "index": Out(range(shapes.engine.layers)),
                "layer": In(LAYER),
                "mac": Out(VectorClient(shapes.neurons)),
                "product": In(vector(shapes.neurons, PRODUCT)),
                "port": Out(RowPort(shapes.neurons)),
                "saturated": Out(range(shapes.neurons + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer = Signal(LAYER)
        row = Signal(INDEX)
        left = Signal(32)
        phase = Signal(range(DIGITS))
        drain = Signal(range(LAST_WRITE))
        reads = Signal()
        m.d.comb += self.port.row.eq(row)
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [self.index.eq(0), phase.eq(0)]
                with m.If(self.start):
                    m.next = "FETCH"
            with m.State("FETCH"):
                m.next = "LAYER"
            with m.State("LAYER"):
                m.d.sync += [
                    layer.eq(self.layer),
                    row.eq(self.layer.weight_base),
                    left.eq(self.layer.groups * (self.layer.inputs + 1)),
                ]
                m.next = "ROWS"
            with m.State("ROWS"):
                m.d.comb += reads.eq(phase == 0)
                m.d.sync += phase.eq(Mux(phase == DIGITS - 1, 0, phase + 1))
                with m.If(phase == DIGITS - 1):
                    m.d.sync += [row.eq(row + 1), left.eq(left - 1)]
                    with m.If(left == 1):
                        # The shift of the last row was used by the time a new one arrives.
                        m.d.sync += [drain.eq(0), self.index.eq(self.index + 1)]
                        m.next = "FETCH"
                        with m.If(layer.last):
                            m.next = "DRAIN"
            with m.State("DRAIN"):
                m.d.sync += drain.eq(drain + 1)
                with m.If(drain == LAST_WRITE - DIGITS):
                    m.d.comb += self.done.eq(1)
                    m.next = "IDLE"
        self._row(m, layer, row, reads)
        return m

    def _row(self, m: Module, layer: data.View, row: Signal, reads: Signal) -> None:
        """One row: latched a cycle after its read, multiplied in the three that follow."""
        neurons = self.shapes.neurons
        velocity = Signal(vector(neurons, VELOCITY))
        weights = Signal(vector(neurons, MASTER))
        arrived = delay(m, reads, 1)
        digits = [delay(m, arrived, 1 + index) for index in range(DIGITS)]
        with m.If(arrived):
            m.d.sync += [velocity.eq(self.port.velocity), weights.eq(self.port.weights)]
        m.d.comb += self.mac.valid.eq(digits[0] | digits[1] | digits[2])
        write_weights = delay(m, digits[2], 1)
        write_velocity = delay(m, digits[2], LAST_WRITE - 4)
        clipped_weights = []
        clipped_velocity = []
        for lane in range(neurons):
            step = self._step(m, layer.apply_shift, velocity[lane])
            moved = Signal(signed(VELOCITY_WIDTH + APPLY_BIAS + 2), name=f"moved_{lane}")
            m.d.sync += moved.eq(weights[lane] - step)
            clipped_weights.append(
                self._narrow(m, moved, self.port.new_weights[lane], MASTER_WIDTH)
            )
            self._multiply(m, lane, digits, velocity[lane])
            left = self._momentum(m, lane, digits)
            clipped_velocity.append(
                self._narrow(m, left, self.port.new_velocity[lane], VELOCITY_KEPT_WIDTH)
            )
        m.d.comb += [
            self.port.write_row.eq(Mux(write_weights, delay(m, row, 5), delay(m, row, LAST_WRITE))),
            self.port.write_weights.eq(write_weights),
            self.port.write_velocity.eq(write_velocity),
        ]
        for write, clipped in (
            (write_weights, clipped_weights),
            (write_velocity, clipped_velocity),
        ):
            with m.If(write):
                m.d.comb += self.saturated.eq(sum(clipped[1:], clipped[0]))

    def _step(self, m: Module, shift: Signal, velocity: Signal) -> Signal:
        """Velocity as master weights: a rounding shift, two cycles."""
        rounded = Signal(signed(VELOCITY_WIDTH + APPLY_BIAS + 2))
        step = Signal.like(rounded)
        m.d.sync += [
            rounded.eq((velocity << APPLY_BIAS) + ((1 << shift) >> 1)),
            step.eq(rounded >> shift),
        ]
        return step

    def _multiply(self, m: Module, lane: int, digits: list[Signal], velocity: Signal) -> None:
        bits = velocity.as_unsigned()
        low, middle = bits[:DIGIT_WIDTH], bits[DIGIT_WIDTH : 2 * DIGIT_WIDTH]
        high = bits[2 * DIGIT_WIDTH :]
        m.d.comb += [
            self.mac.left[lane].eq(Mux(digits[0], low, Mux(digits[1], middle, high))),
            self.mac.right[lane].eq(self.settings.momentum),
        ]

    def _momentum(self, m: Module, lane: int, digits: list[Signal]) -> Signal:
        """Digits' products put together and rounded."""
        total = Signal(signed(VELOCITY_WIDTH + MOMENTUM_FRAC + 1), name=f"total_{lane}")
        left = Signal(signed(VELOCITY_WIDTH + 1), name=f"left_{lane}")
        product = self.product[lane]
        for index, digit in enumerate(digits):
            with m.If(delay(m, digit, MAC_LATENCY)):
                shifted = product << index * DIGIT_WIDTH
                m.d.sync += total.eq(shifted if index == 0 else total + shifted)
        m.d.sync += left.eq((total + (1 << MOMENTUM_FRAC - 1)) >> MOMENTUM_FRAC)
        return left

    def _narrow(self, m: Module, wide: Signal, narrow: Signal, width: int) -> Signal:
        """Saturate; returns whether it did."""
        limit = 1 << (width - 1)
        clipped = Signal()
        m.d.comb += narrow.eq(wide)
        for beyond, bound in ((wide > limit - 1, limit - 1), (wide < -limit, -limit)):
            with m.If(beyond):
                m.d.comb += [narrow.eq(bound), clipped.eq(1)]
        return clipped
