"""A batch's end: every weight takes its step, every velocity keeps its momentum."""

from amaranth import Module, Signal, signed
from amaranth.hdl import Value
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


class BatchEnd(wiring.Component):
    """w -= v, then v *= momentum, row after row.

    A row's velocity passes multipliers in three digits: at once where there are three arrays, one
    after the other on a single one. From `start` to `done` this takes ``period * rows + 2 * layers
    + 7`` cycles, with a period of 1 or 3. The step of the weights is computed beside.

    ::

        read  row  digits    products     sum  round  write velocity
         0     1     2          5          6     7          7
                   2, 3, 4    5, 6, 7      8     9          9       (one array)
                   round v  shift  subtract  write weights
                     2        3       4           5

    Parameters
    ----------
    shapes : Shapes
    arrays : int
        MAC arrays it may use, 3 or 1.

    Members
    -------
    start, done : pulses
    settings : momentum
    index, layer : descriptor wanted, read a cycle later
    macs, products : the MAC arrays, to itself
    port : the row memories
    saturated : weights and velocities clipped in this cycle
    """

    def __init__(self, shapes: Shapes, arrays: int) -> None:
        self.shapes = shapes
        self.arrays = arrays
        self.period = DIGITS // arrays
        self.last_write = 5 + self.period - 1 + 2
        super().__init__(
            {
                "start": In(1),
                "done": Out(1),
                "settings": In(SETTINGS),
                "index": Out(range(shapes.engine.layers)),
                "layer": In(LAYER),
                "macs": Out(VectorClient(shapes.neurons)).array(arrays),
                "products": In(vector(shapes.neurons, PRODUCT)).array(arrays),
                "port": Out(RowPort(shapes.neurons)),
                "saturated": Out(range(2 * shapes.neurons + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        layer = Signal(LAYER)
        row = Signal(INDEX)
        left = Signal(32)
        phase = Signal(range(DIGITS))
        drain = Signal(range(self.last_write))
        reads = Signal()
        m.d.comb += self.port.row.eq(row)
        with m.FSM():
            with m.State("IDLE"):
                m.d.sync += [self.index.eq(0), phase.eq(0), drain.eq(0)]
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
                m.d.sync += phase.eq(phase + 1)
                with m.If(phase == self.period - 1):
                    m.d.sync += [phase.eq(0), row.eq(row + 1), left.eq(left - 1)]
                    with m.If(left == 1):
                        m.d.sync += self.index.eq(self.index + 1)
                        m.next = "FETCH"
                        with m.If(layer.last):
                            m.next = "DRAIN"
            with m.State("DRAIN"):
                m.d.sync += drain.eq(drain + 1)
                with m.If(drain == self.last_write - self.period):
                    m.d.comb += self.done.eq(1)
                    m.next = "IDLE"
        self._row(m, layer, row, reads)
        return m

    def _row(self, m: Module, layer: data.View, row: Signal, reads: Signal) -> None:
        """One row: latched a cycle after its read, and then on its way in both directions."""
        neurons = self.shapes.neurons
        velocity = Signal(vector(neurons, VELOCITY))
        weights = Signal(vector(neurons, MASTER))
        arrived = delay(m, reads, 1)
        with m.If(arrived):
            m.d.sync += [velocity.eq(self.port.velocity), weights.eq(self.port.weights)]
        old_weights = delay(m, weights.as_value(), 2)
        shift = layer.apply_shift
        clipped_weights = []
        clipped_velocity = []
        for lane in range(neurons):
            step = self._step(m, shift, delay(m, shift, 1), velocity[lane])
            moved = Signal(signed(VELOCITY_WIDTH + APPLY_BIAS + 2), name=f"moved_{lane}")
            old = old_weights.word_select(lane, MASTER_WIDTH).as_signed()
            m.d.sync += moved.eq(old - step)
            clipped_weights.append(
                self._narrow(m, moved, self.port.new_weights[lane], MASTER_WIDTH)
            )
            left = self._momentum(m, lane, delay(m, arrived, 1), velocity[lane])
            clipped_velocity.append(
                self._narrow(m, left, self.port.new_velocity[lane], VELOCITY_KEPT_WIDTH)
            )
        m.d.comb += [
            self.port.weights_row.eq(delay(m, row, 5)),
            self.port.velocity_row.eq(delay(m, row, self.last_write)),
            self.port.write_weights.eq(delay(m, reads, 5)),
            self.port.write_velocity.eq(delay(m, reads, self.last_write)),
        ]
        clipped = [bit & self.port.write_weights for bit in clipped_weights]
        clipped += [bit & self.port.write_velocity for bit in clipped_velocity]
        m.d.comb += self.saturated.eq(sum(clipped[1:], clipped[0]))

    def _step(self, m: Module, shift: Value, later_shift: Value, velocity: Signal) -> Signal:
        """Velocity as master weights: a rounding shift, two cycles."""
        rounded = Signal(signed(VELOCITY_WIDTH + APPLY_BIAS + 2))
        step = Signal.like(rounded)
        m.d.sync += [
            rounded.eq((velocity << APPLY_BIAS) + ((1 << shift) >> 1)),
            step.eq(rounded >> later_shift),
        ]
        return step

    def _momentum(self, m: Module, lane: int, begins: Value, velocity: Signal) -> Signal:
        """Velocity times momentum, rounded: three products of digits, put together."""
        bits = velocity.as_unsigned()
        factors = [bits[:DIGIT_WIDTH], bits[DIGIT_WIDTH : 2 * DIGIT_WIDTH]]
        factors.append(bits[2 * DIGIT_WIDTH :])
        total = Signal(signed(VELOCITY_WIDTH + MOMENTUM_FRAC + 1), name=f"total_{lane}")
        left = Signal(signed(VELOCITY_WIDTH + 1), name=f"left_{lane}")
        if self.arrays == DIGITS:
            for mac, factor in zip(self.macs, factors, strict=True):
                m.d.comb += [mac.valid.eq(begins), mac.left[0][lane].eq(factor)]
            low, middle, high = (product[lane] for product in self.products)
            m.d.sync += total.eq(low + (middle << DIGIT_WIDTH) + (high << 2 * DIGIT_WIDTH))
        else:
            mac, product = self.macs[0], self.products[0][lane]
            for index, factor in enumerate(factors):
                turn = delay(m, begins, index)
                with m.If(turn):
                    m.d.comb += [mac.valid.eq(1), mac.left[0][lane].eq(factor)]
                with m.If(delay(m, turn, MAC_LATENCY)):
                    shifted = product << index * DIGIT_WIDTH
                    m.d.sync += total.eq(shifted if index == 0 else total + shifted)
        for mac in self.macs:
            m.d.comb += mac.right[lane].eq(self.settings.momentum)
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
