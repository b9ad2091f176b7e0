# SPDX-License-Identifier: BSD-2-Clause

"""The loop at a batch's end: a row's weights take their step, its velocities their momentum."""

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import DIGIT_WIDTH, MASTER_WIDTH, MOMENTUM_FRAC, VALUE_WIDTH

from ..common.rounding import saturate
from ..common.shapes import PRODUCT, VALUE
from .parts import DIGIT_PLANES, Control, Places, Plane, row_layout
from .row_memory import lane_of

DIGITS = len(DIGIT_PLANES)

STEP_WIDTH = MASTER_WIDTH + 2
"""Width of a step. A step that does not fit moves every weight beyond its range."""

MOMENTUM_DROPS = 1 + MOMENTUM_FRAC // DIGIT_WIDTH
"""Digits by which a velocity times momentum is shifted down, plus one, see `RowStepLoop`."""


class RowStepLoop(wiring.Component):
    """Computes ``w -= v``, then ``v *= momentum``, for a row, a lane after the other.

    Each of the two multiplies the velocity by a number: by a power of two for the step, or by the
    momentum. The number is multiplied by the digits of the velocity, from the lowest to the highest
    and then by zeros. `_upper` adds up the products, shifted down by a digit (15 places) before
    each addition; the digit shifted out moves into `_digits` from above. So each zero shifts the
    result down by a whole digit. A shift by s places is a multiplication by ``2**k`` and a shift by
    s + k places, a multiple of 15.

    A lane takes ``35 + drops`` cycles.

    Parameters
    ----------
    places : Places
        Sizes of the engine's memories.

    Members
    -------
    `start` : In(1)
        Starts the loop. It has no effect while `busy`.
    `drops` : In(3)
        Number of digits by which the step is shifted down; sampled with `start`.
    `control` : Out(Control(places))
        Control of the shared datapath.
    `momentum` : Out(1)
        High if `scale` must be the momentum, low if it must be the power of two.
    `scale` : In(VALUE)
        The number that `momentum` selects, a cycle later.
    `row` : In(row_layout(neurons))
        Row word that was read last.
    `product` : In(PRODUCT)
        Whole product of the first lane, see `Multipliers`.
    `clips` : Out(range(2 * neurons + 1))
        Number of weights and velocities of the row that were clipped.
    `busy` : Out(1)
        High until the row is written.
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        neurons = places.shapes.neurons
        super().__init__(
            {
                "start": In(1),
                "drops": In(3),
                "control": Out(Control(places)),
                "momentum": Out(1),
                "scale": In(VALUE),
                "row": In(row_layout(neurons)),
                "product": In(PRODUCT),
                "clips": Out(range(2 * neurons + 1)),
                "busy": Out(1),
            }
        )
        self._lane = Signal(range(neurons))
        self._drops = Signal.like(self.drops)
        self._upper = Signal(signed(2 * VALUE_WIDTH))
        self._digits = Signal(DIGITS * DIGIT_WIDTH)
        # First the bit below `_digits`, which rounds the result; then the carry of the rounding.
        self._round = Signal()
        self._part = Signal(4)
        self._found = lane_of(self.row, self._lane)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("IDLE"))
            with m.State("IDLE"):
                m.d.sync += self._lane.eq(0)
                with m.If(self.start):
                    m.d.sync += [self._drops.eq(self.drops), self.clips.eq(0)]
                    self._begin(m, momentum=0)
            self._scale_states(m)
            self._weight_states(m)
            self._velocity_states(m)
        return m

    def _read(self, m: Module, plane: Value | Plane) -> None:
        """Read a word of the row; the current lane's part of it is `_found` a cycle later."""
        m.d.comb += [self.control.plane.eq(plane), self.control.read.eq(1)]

    def _count(self, m: Module, clips: Value) -> None:
        """Count a number if it is clipped."""
        m.d.sync += self.clips.eq(self.clips + clips)

    def _write(self, m: Module, plane: Plane, word: Value) -> None:
        """Write the current lane of a word of the row."""
        m.d.comb += [
            self.control.plane.eq(plane),
            self.control.row_write.eq(1 << self._lane),
            self.control.row_data.eq(word[:VALUE_WIDTH].replicate(self.places.shapes.neurons)),
        ]

    def _begin(self, m: Module, momentum: int) -> None:
        """Start to multiply the lane's velocity by the momentum or the power of two."""
        m.d.sync += [
            self.momentum.eq(momentum),
            self._part.eq(0),
            self._upper.eq(0),
            self._digits.eq(0),
            self._round.eq(0),
        ]
        m.next = "READ"

    def _scale_states(self, m: Module) -> None:
        """Multiply digit after digit: read it, load the operands, multiply, add the product."""
        control = self.control
        drops = Mux(self.momentum, MOMENTUM_DROPS, self._drops)
        with m.State("READ"):
            self._read(m, self._part)
            m.next = "LOAD"
        with m.State("LOAD"):
            m.d.comb += [
                control.load_scalar.eq(1),
                control.scalar.eq(self.scale),
                control.load_factor.eq(1),
                control.factor.eq(self._found),
                control.clear.eq(1),
            ]
            m.next = "STEP"
        with m.State("STEP"):
            m.d.comb += [control.step.eq(1), control.whole.eq(1)]
            m.next = "ADD"
        with m.State("ADD"):
            # Above the highest digit there is no plane to read: the product stays zero.
            m.d.comb += control.clear.eq(1)
            m.d.sync += [
                self._upper.eq((self._upper >> DIGIT_WIDTH) + self.product),
                self._part.eq(self._part + 1),
            ]
            with m.If(self._part != 0):
                self._move(m)
            with m.If(self._part < DIGITS - 1):
                m.next = "READ"
            with m.If(self._part == drops + (DIGITS - 1)):
                m.next = "LOWER"
                with m.If(self.momentum):
                    m.next = "TEST"

    def _move(self, m: Module) -> None:
        """Shift the result down by a digit."""
        m.d.sync += [
            self._digits.eq(Cat(self._digits[DIGIT_WIDTH:], self._upper[:DIGIT_WIDTH])),
            self._round.eq(self._digits[DIGIT_WIDTH - 1]),
        ]

    def _weight_states(self, m: Module) -> None:
        """Subtract the scaled velocity from the weight, clip, and write."""
        lower = Signal(VALUE_WIDTH)
        weight = Signal(MASTER_WIDTH)
        step = Cat(self._digits, self._upper)
        high = step[STEP_WIDTH - 1 :]
        far = high.any() & ~high.all()
        moved = Signal(signed(STEP_WIDTH + 1))
        near, clips = saturate(moved, MASTER_WIDTH)
        bound = Cat(step[-1].replicate(MASTER_WIDTH - 1), ~step[-1])
        m.d.comb += moved.eq(
            Cat(lower, self._found).as_signed() - step[:STEP_WIDTH].as_signed() - self._round
        )
        with m.State("LOWER"):
            self._read(m, Plane.LOWER)
            m.next = "UPPER"
        with m.State("UPPER"):
            self._read(m, Plane.UPPER)
            m.d.sync += lower.eq(self._found)
            m.next = "SUBTRACT"
        with m.State("SUBTRACT"):
            self._count(m, far | clips)
            m.d.sync += weight.eq(Mux(far, bound, near.as_unsigned()))
            m.next = "WRITE_LOWER"
        with m.State("WRITE_LOWER"):
            self._write(m, Plane.LOWER, weight)
            m.next = "WRITE_UPPER"
        with m.State("WRITE_UPPER"):
            self._write(m, Plane.UPPER, weight[VALUE_WIDTH:])
            self._begin(m, momentum=1)

    def _velocity_states(self, m: Module) -> None:
        """Clip the velocity times momentum, and round it while its digits are written."""
        far, negative = Signal(), Signal()
        sign = self._digits[-1]
        carries = self._digits[:-1].all() & ~sign & self._round
        clips = (self._upper != sign.replicate(len(self._upper)).as_signed()) | carries
        # A number just below the range is rounded up into it: it becomes the bound, and is no clip.
        rounds_to_bound = carries & self._upper.all()
        with m.State("TEST"):
            self._count(m, clips & ~rounds_to_bound)
            m.d.sync += [far.eq(clips), negative.eq(self._upper[-1])]
            m.next = "WRITE_0"
        for index, plane in enumerate(DIGIT_PLANES):
            with m.State(f"WRITE_{index}"):
                highest = index == DIGITS - 1
                digit = self._digits[:DIGIT_WIDTH]
                if highest:
                    digit = Cat(digit, digit[-1])
                total = Signal(VALUE_WIDTH, name=f"digit_{index}")
                m.d.comb += total.eq(digit + self._round)
                ones = DIGIT_WIDTH - highest
                bound = Cat((~negative).replicate(ones), negative.replicate(2) if highest else 0)
                word = total if highest else Cat(total[:DIGIT_WIDTH], 0)
                self._write(m, plane, Mux(far, bound, word))
                self._move(m)
                m.d.sync += self._round.eq(total[DIGIT_WIDTH])
                if not highest:
                    m.next = f"WRITE_{index + 1}"
                else:
                    m.d.sync += self._lane.eq(self._lane + 1)
                    self._begin(m, momentum=0)
                    with m.If(self._lane == self.places.shapes.neurons - 1):
                        m.next = "IDLE"
