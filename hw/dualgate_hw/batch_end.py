"""A batch's end: every weight takes its step, every velocity keeps its momentum."""

from amaranth import Cat, Const, Module, Mux, Signal, signed
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

from .layouts import LAYER, MASTER, PRODUCT, SETTINGS, VELOCITY, Shapes, delay, vector
from .mac import MAC_LATENCY, VectorClient
from .rounding import saturate, shift_right
from .rows import RowPort

STEP_WIDTH = MASTER_WIDTH + 3
"""A step with half a unit, just wide enough that what does not fit clips every weight."""

SHIFT_BITS = LAYER["apply_shift"].width
"""Of the shift from velocity to master weight."""

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
    saturated : weights and velocities clipped in the cycle before
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
        row = Signal(self.shapes.row)
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
        later_shift = delay(m, shift, 1)
        # Bits of a velocity that a step of `STEP_WIDTH` bits has no place for.
        beyond = Signal(VELOCITY_WIDTH)
        m.d.sync += beyond.eq(((1 << VELOCITY_WIDTH) - 1) << shift << STEP_WIDTH - 2 - APPLY_BIAS)
        clipped_weights = []
        clipped_velocity = []
        for lane in range(neurons):
            step = self._step(m, shift, later_shift, beyond, velocity[lane])
            old = old_weights.word_select(lane, MASTER_WIDTH).as_signed()
            moved = Signal(signed(STEP_WIDTH + 1), name=f"moved_{lane}")
            # The step's last bit rounds it; there it takes one adder with the difference.
            m.d.sync += moved.eq((Cat(Const(1, 1), old).as_signed() + ~step) >> 1)
            weight, clipped = saturate(moved, MASTER_WIDTH)
            m.d.comb += self.port.new_weights[lane].eq(weight)
            clipped_weights.append(clipped)
            left = self._momentum(m, lane, delay(m, arrived, 1), velocity[lane])
            kept, clipped = saturate(left, VELOCITY_KEPT_WIDTH)
            m.d.comb += self.port.new_velocity[lane].eq(kept)
            clipped_velocity.append(clipped)
        m.d.comb += [
            self.port.weights_row.eq(delay(m, row, 5)),
            self.port.velocity_row.eq(delay(m, row, self.last_write)),
            self.port.write_weights.eq(delay(m, reads, 5)),
            self.port.write_velocity.eq(delay(m, reads, self.last_write)),
        ]
        clipped = [bit & self.port.write_weights for bit in clipped_weights]
        clipped += [bit & self.port.write_velocity for bit in clipped_velocity]
        counted = delay(m, Cat(clipped), 1)
        m.d.comb += self.saturated.eq(sum(counted[1:], counted[0]))

    def _step(
        self, m: Module, shift: Value, later_shift: Value, beyond: Signal, velocity: Signal
    ) -> Signal:
        """Velocity as master weights and half a unit more, two cycles; to be rounded.

        A step so large that it has no place clips any weight, whatever it is: the largest step
        stands for it.
        """
        fine = SHIFT_BITS // 2
        wide = Cat(Const(0, APPLY_BIAS + 1), velocity).as_signed()
        coarse = Signal(signed(STEP_WIDTH + (1 << fine) - 1))
        step = Signal(signed(STEP_WIDTH))
        later = Signal(VELOCITY)
        m.d.sync += later.eq(velocity)
        m.d.sync += coarse.eq(shift_right(wide, Cat(Const(0, fine), shift[fine:]), len(coarse)))
        negative = later[-1]
        large = ((later ^ negative.replicate(VELOCITY_WIDTH)) & beyond).any()
        bound = Cat((~negative).replicate(STEP_WIDTH - 1), negative)
        fits = shift_right(coarse, later_shift[:fine], STEP_WIDTH)
        m.d.sync += step.eq(Mux(large, bound, fits.as_unsigned()))
        return step

    def _momentum(self, m: Module, lane: int, begins: Value, velocity: Signal) -> Signal:
        """Velocity times momentum, rounded: three products of digits, put together.

        Only the lowest product reaches below the binary point, and its highest bit there rounds.
        """
        bits = velocity.as_unsigned()
        factors = [bits[:DIGIT_WIDTH], bits[DIGIT_WIDTH : 2 * DIGIT_WIDTH]]
        factors.append(bits[2 * DIGIT_WIDTH :])
        left = Signal(signed(VELOCITY_WIDTH + 1), name=f"left_{lane}")
        if self.arrays == DIGITS:
            for mac, factor in zip(self.macs, factors, strict=True):
                m.d.comb += [mac.valid.eq(begins), mac.left[0][lane].eq(factor)]
            low, middle, high = (product[lane] for product in self.products)
            lower = Signal(signed(PRODUCT.width + 1), name=f"lower_{lane}")
            upper = Signal(PRODUCT, name=f"upper_{lane}")
            m.d.sync += [
                lower.eq(self._rounded(low) + middle),
                upper.eq(high),
                left.eq(lower + (upper << DIGIT_WIDTH)),
            ]
        else:
            mac, product = self.macs[0], self.products[0][lane]
            total = Signal.like(left, name=f"total_{lane}")
            for index, factor in enumerate(factors):
                turn = delay(m, begins, index)
                with m.If(turn):
                    m.d.comb += [mac.valid.eq(1), mac.left[0][lane].eq(factor)]
                with m.If(delay(m, turn, MAC_LATENCY)):
                    if index == 0:
                        m.d.sync += total.eq(self._rounded(product))
                    else:
                        m.d.sync += total.eq(total + (product << (index - 1) * DIGIT_WIDTH))
            m.d.sync += left.eq(total)
        for mac in self.macs:
            m.d.comb += mac.right[lane].eq(self.settings.momentum)
        return left

    def _rounded(self, product: Value) -> Value:
        return (product >> MOMENTUM_FRAC) + product[MOMENTUM_FRAC - 1]
