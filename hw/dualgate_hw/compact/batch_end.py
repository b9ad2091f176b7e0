# SPDX-License-Identifier: BSD-2-Clause

"""A batch's end: the weights of a row take their step, its velocities keep their momentum."""

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import DIGIT_WIDTH, MASTER_WIDTH, MOMENTUM_FRAC, VALUE_WIDTH

from ..common.rounding import saturate
from ..common.shapes import PRODUCT, VALUE
from .parts import DIGIT_PLANES, Places, Plane, Use, row_layout
from .store import lane_of

DIGITS = len(DIGIT_PLANES)

STEP_WIDTH = MASTER_WIDTH + 2
"""What does not fit a step of so many bits clips every weight."""

MOMENTUM_DROPS = 1 + MOMENTUM_FRAC // DIGIT_WIDTH
"""Places that a velocity times momentum is moved down by, and one, see `BatchEnd`."""


class BatchEnd(wiring.Component):
    """``w -= v``, then ``v *= momentum``: a lane of a row after the other.

    Both scale a velocity: by a power of two, or by momentum. The products of its digits, each 15
    places above the one before, are added up in `upper`; what lies below its last 15 places moves
    on to `digits` as the next product comes. Zeros that follow as further products move it down
    by whole digits. So a shift of s places is ``2**k``, and s + k places down.

    A lane takes ``35 + drops`` cycles.

    Parameters
    ----------
    places : Places

    Members
    -------
    start, drops : digits that a step is moved down by
    use : what it asks for
    momentum, scale : which number it multiplies by: momentum, or the power of two; that number, a
        cycle later
    row : the word of the row that was read
    product : of the first lane, see `Multipliers`
    clips : how many weights and velocities of the row were clipped
    busy : the row is not done
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        neurons = places.shapes.neurons
        super().__init__(
            {
                "start": In(1),
                "drops": In(3),
                "use": Out(Use(places)),
                "momentum": Out(1),
                "scale": In(VALUE),
                "row": In(row_layout(neurons)),
                "product": In(PRODUCT),
                "clips": Out(range(2 * neurons + 1)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._lane = Signal(range(self.places.shapes.neurons))
        self._drops = Signal.like(self.drops)
        self._upper = Signal(signed(2 * VALUE_WIDTH))
        self._digits = Signal(DIGITS * DIGIT_WIDTH)
        # The place below the last digit, which rounds; later a carry.
        self._round = Signal()
        self._part = Signal(4)
        self._found = lane_of(self.row, self._lane)
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
        m.d.comb += [self.use.plane.eq(plane), self.use.read.eq(1)]

    def _clip(self, m: Module, clips: Value) -> None:
        m.d.sync += self.clips.eq(self.clips + clips)

    def _write(self, m: Module, plane: Plane, word: Value) -> None:
        """Write a word of the lane in work."""
        m.d.comb += [
            self.use.plane.eq(plane),
            self.use.row_write.eq(1 << self._lane),
            self.use.row_data.eq(word[:VALUE_WIDTH].replicate(self.places.shapes.neurons)),
        ]

    def _begin(self, m: Module, momentum: int) -> None:
        """Scale the lane's velocity."""
        m.d.sync += [
            self.momentum.eq(momentum),
            self._part.eq(0),
            self._upper.eq(0),
            self._digits.eq(0),
            self._round.eq(0),
        ]
        m.next = "READ"

    def _scale_states(self, m: Module) -> None:
        use = self.use
        drops = Mux(self.momentum, MOMENTUM_DROPS, self._drops)
        with m.State("READ"):
            self._read(m, self._part)
            m.next = "LOAD"
        with m.State("LOAD"):
            m.d.comb += [
                use.load_scalar.eq(1),
                use.scalar.eq(self.scale),
                use.load_factor.eq(1),
                use.factor.eq(self._found),
                use.clear.eq(1),
            ]
            m.next = "STEP"
        with m.State("STEP"):
            m.d.comb += [use.step.eq(1), use.whole.eq(1)]
            m.next = "ADD"
        with m.State("ADD"):
            # Behind the last digit there are only zeros.
            m.d.comb += use.clear.eq(1)
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
        m.d.sync += [
            self._digits.eq(Cat(self._digits[DIGIT_WIDTH:], self._upper[:DIGIT_WIDTH])),
            self._round.eq(self._digits[DIGIT_WIDTH - 1]),
        ]

    def _weight_states(self, m: Module) -> None:
        """The weight less the scaled velocity, clipped."""
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
            self._clip(m, far | clips)
            m.d.sync += weight.eq(Mux(far, bound, near.as_unsigned()))
            m.next = "WRITE_LOWER"
        with m.State("WRITE_LOWER"):
            self._write(m, Plane.LOWER, weight)
            m.next = "WRITE_UPPER"
        with m.State("WRITE_UPPER"):
            self._write(m, Plane.UPPER, weight[VALUE_WIDTH:])
            self._begin(m, momentum=1)

    def _velocity_states(self, m: Module) -> None:
        """What momentum leaves, clipped, rounded as its digits are written."""
        far, negative = Signal(), Signal()
        sign = self._digits[-1]
        all_ones = self._digits[:-1].all() & ~sign
        clips = (self._upper != sign.replicate(len(self._upper)).as_signed()) | (
            all_ones & self._round
        )
        with m.State("TEST"):
            self._clip(m, clips)
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
