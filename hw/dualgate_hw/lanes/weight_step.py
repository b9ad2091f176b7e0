# SPDX-License-Identifier: BSD-2-Clause

"""The weight step at the end of a batch: weights take a step, velocities keep their momentum."""

from amaranth import Cat, Const, Module, Mux, Signal, signed
from amaranth.hdl import Value
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import (
    APPLY_BIAS,
    DIGIT_WIDTH,
    MASTER_WIDTH,
    MOMENTUM_FRAC,
    VELOCITY_KEPT_WIDTH,
    VELOCITY_WIDTH,
)

from ..common.delay import delay
from ..common.mac import MAC_LATENCY, VectorClient
from ..common.rounding import saturate, shift_right_twice
from ..common.shapes import LAYER, MASTER, PRODUCT, SETTINGS, VELOCITY, Shapes, vector
from .memory.row_ports import RowPort
from .memory.touched_rows import touch, touched_row
from .strip_walk import StripWalk

STEP_WIDTH = MASTER_WIDTH + 3
"""Width of a step with half a unit, such that a step which does not fit clips every weight."""

FINE = LAYER["apply_shift"].width // 2
"""Places of the shift from velocity to master weight that its second cycle shifts."""

DIGITS = 3
"""Number of 16-bit factors that make a velocity, see `formats.VELOCITY_WIDTH`."""


class WeightStep(wiring.Component):
    """``w -= v``, then ``v *= momentum``, strip after strip of every touched row.

    A row that is not touched has velocities of zero, with which the step changes nothing. If the
    list of touched rows is incomplete, the step visits all rows, layer after layer.

    A strip's velocity passes the multipliers in three digits: at once if there are three arrays,
    one digit after the other on a single array. From `start` to `done` this takes
    ``period * strips * touched rows + 8`` cycles, with a period of 1 or 3, or
    ``period * strips * rows + 2 * layers + 7`` for all rows. The step of the weights is computed at
    the same time.

    ::

        read  strip  digits    products     sum  round  write velocity
         0      1      2          5          6     7          7
                     2, 3, 4    5, 6, 7      8     9          9       (one array)
                     shift  rest of it  subtract  write weights
                       2        3          4           5
                  read weights  strip
                       2          3

    Parameters
    ----------
    shapes : Shapes
        Widths of the engine.
    arrays : int
        Number of MAC arrays that the component may use, 3 or 1.

    Members
    -------
    `start` : In(1)
        Pulse that starts the step. No lane may be working until `done`.
    `done` : Out(1)
        Pulse: the last strip is written in this cycle.
    `settings` : In(SETTINGS)
        The component uses the momentum.
    `index` : Out(range(layers))
        Index of the wanted layer descriptor.
    `layer` : In(LAYER)
        The descriptor, one cycle after its `index`.
    `complete` : In(1)
        Whether all rows with a velocity that is not zero are listed, with `start`.
    `touched` : In(stream of touched_row(shapes))
        The list, from the cycle after `start` on.
    `kept` : Out(touch(shapes))
        A row that is written with a velocity that is not zero.
    `macs` : Out(array of arrays VectorClient(strip))
        Client ports of the MAC arrays. No other client makes requests meanwhile.
    `products` : In(array of arrays vector(strip, PRODUCT))
        Products of the arrays, with `macs[n].done`.
    `port` : Out(RowPort(shapes))
        Port of the row memories. The data to write are zero while no step is in progress.
    `weights`, `velocity` : Out(vector(strip, MASTER)), Out(vector(strip, VELOCITY))
        The strips that the port read, one cycle later.
    `saturated` : Out(range(2 * strip + 1))
        Number of weights and velocities that were clipped in the cycle before.
    """

    def __init__(self, shapes: Shapes, arrays: int) -> None:
        self.shapes = shapes
        self.arrays = arrays
        self._period = DIGITS // arrays
        self._last_write = 5 + self._period - 1 + 2
        super().__init__(
            {
                "start": In(1),
                "done": Out(1),
                "settings": In(SETTINGS),
                "index": Out(range(shapes.engine.layers)),
                "layer": In(LAYER),
                "complete": In(1),
                "touched": In(stream.Signature(touched_row(shapes))),
                "kept": Out(touch(shapes)),
                "macs": Out(VectorClient(shapes.strip)).array(arrays),
                "products": In(vector(shapes.strip, PRODUCT)).array(arrays),
                "port": Out(RowPort(shapes)),
                "weights": Out(vector(shapes.strip, MASTER)),
                "velocity": Out(vector(shapes.strip, VELOCITY)),
                "saturated": Out(range(2 * shapes.strip + 1)),
            }
        )
        self._walk = StripWalk(shapes, self._period, self._last_write + 1 - self._period)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.walk = walk = self._walk
        wiring.connect(m, wiring.flipped(self.touched), walk.touched)
        m.d.comb += [
            walk.start.eq(self.start),
            walk.complete.eq(self.complete),
            walk.layer.eq(self.layer),
            self.index.eq(walk.index),
            self.done.eq(walk.done),
        ]
        self._strip(m, walk.shift, walk.strip, walk.reads, walk.idle)
        return m

    def _strip(self, m: Module, shift: Value, strip: Value, reads: Value, idle: Value) -> None:
        """Read a strip, compute its new weights and velocities, and write both.

        The velocities are addressed for as long as they are needed, so that no register has to hold
        them; the weights are addressed two cycles later, when they are needed.
        """
        arrived = delay(m, reads, 1)
        shifts = delay(m, shift, 2)
        m.d.comb += [
            self.port.velocity_from.eq(strip),
            self.port.weights_from.eq(delay(m, strip, 2)),
        ]
        m.d.sync += [self.velocity.eq(self.port.velocity), self.weights.eq(self.port.weights)]
        clipped_weights = []
        clipped_velocity = []
        remains = []
        for lane in range(self.shapes.strip):
            old = self.weights[lane]
            weight, clipped = self._moved(m, shifts, self.velocity[lane], old, idle)
            m.d.comb += self.port.new_weights[lane].eq(weight)
            clipped_weights.append(clipped)
            left = self._momentum(m, lane, delay(m, arrived, 1), self.velocity[lane])
            with m.If(idle):
                m.d.sync += left.eq(0)
            kept, clipped = saturate(left, VELOCITY_KEPT_WIDTH)
            m.d.comb += self.port.new_velocity[lane].eq(kept)
            clipped_velocity.append(clipped)
            remains.append(left.any())
        m.d.comb += [
            self.port.weights_to.eq(delay(m, strip, 5)),
            self.port.velocity_to.eq(delay(m, strip, self._last_write)),
            self.port.write_weights.eq(delay(m, reads, 5)),
            self.port.write_velocity.eq(delay(m, reads, self._last_write)),
        ]
        self._keep(m, delay(m, shifts, self._last_write - 2), Cat(remains).any())
        clipped = [bit & self.port.write_weights for bit in clipped_weights]
        clipped += [bit & self.port.write_velocity for bit in clipped_velocity]
        counted = delay(m, Cat(clipped), 1)
        m.d.comb += self.saturated.eq(sum(counted[1:], counted[0]))

    def _keep(self, m: Module, shift: Value, remains: Value) -> None:
        """List a row whose velocity is not zero when its last strip is written."""
        bits = self.shapes.strip_bits
        port, entry = self.port, self.kept.entry
        before = Signal()
        last = port.velocity_to[:bits] == self.shapes.engine.strips - 1
        with m.If(port.write_velocity):
            m.d.sync += before.eq(port.new_listed & ~last)
        m.d.comb += [
            port.new_listed.eq(port.write_velocity & (remains | before)),
            self.kept.valid.eq(port.new_listed & last),
            entry.row.eq(port.velocity_to[bits:]),
            entry.shift.eq(shift),
        ]

    def _moved(
        self, m: Module, shift: Value, velocity: Signal, old: Value, idle: Value
    ) -> tuple[Value, Value]:
        """Return the weight after its step, three cycles after the velocity, and whether it clips.

        A step too large for `STEP_WIDTH` clips every weight, whatever its value.
        """
        wide = Cat(Const(0, APPLY_BIAS + 1), velocity).as_signed()
        step = Signal(signed(STEP_WIDTH))
        too_large = Signal()
        moved = Signal(signed(STEP_WIDTH + 1))
        clips = Signal()
        falls = Signal()
        shifted, lost = shift_right_twice(m, wide, shift, STEP_WIDTH, FINE)
        m.d.sync += [
            step.eq(shifted),
            too_large.eq(lost),
            # The step's last bit rounds it, as the carry of the difference, without another adder.
            moved.eq((Cat(Const(1, 1), old).as_signed() + ~step) >> 1),
            clips.eq(too_large),
            falls.eq(~step[-1]),
        ]
        with m.If(idle):
            m.d.sync += [moved.eq(0), clips.eq(0)]
        return saturate(moved, MASTER_WIDTH, clips, Mux(clips, falls, moved[-1]))

    def _momentum(self, m: Module, lane: int, begins: Value, velocity: Signal) -> Signal:
        """Return velocity times momentum, rounded: the sum of the products of three digits.

        Only the lowest product has bits below the binary point; the highest of them rounds.
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
                # The half of the lowest digit's product rounds as the carry of this adder.
                lower.eq((Cat(Const(1, 1), middle).as_signed() + (low >> MOMENTUM_FRAC - 1)) >> 1),
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
                        half = product[MOMENTUM_FRAC - 1]
                        m.d.sync += total.eq((product >> MOMENTUM_FRAC) + half)
                    else:
                        m.d.sync += total.eq(total + (product << (index - 1) * DIGIT_WIDTH))
            m.d.sync += left.eq(total)
        for mac in self.macs:
            m.d.comb += mac.right[lane].eq(self.settings.momentum)
        return left
