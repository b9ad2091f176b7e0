"""A batch's end: every weight takes its step, every velocity keeps its momentum."""

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from dualgate.formats import DIGIT_WIDTH, MASTER_WIDTH, MOMENTUM_FRAC, VALUE_WIDTH

from ..layouts import SETTINGS
from ..rounding import saturate
from .parts import DIGIT_PLANES, Places, Plane, Seen, Use, load_numbers
from .store import DIGITS, lane_of

STEP_WIDTH = MASTER_WIDTH + 2
"""What does not fit a step of so many bits clips every weight."""

MOMENTUM_DROPS = 1 + MOMENTUM_FRAC // DIGIT_WIDTH
"""Places that a velocity times momentum is moved down by, and one, see `BatchEnd`."""


class BatchEnd(wiring.Component):
    """w -= v, then v *= momentum: an entry after the other, and none of a row without velocity.

    Both scale a velocity: by a power of two, or by momentum. The products of its digits, each 15
    places above the one before, are added up in `upper`; what lies below its last 15 places moves
    on to `digits` as the next product comes. Zeros that follow as further products move it down
    by whole digits. So a shift of s places is ``2**k``, and s + k places down.

    Parameters
    ----------
    places : Places

    Members
    -------
    use, seen : the shared parts
    start, settings, done : pulse; momentum; pulse
    saturated : pulse for each clipped weight or velocity
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        super().__init__(
            {
                "use": Out(Use(places)),
                "seen": Out(Seen(places)),
                "start": In(1),
                "settings": In(SETTINGS),
                "done": Out(1),
                "saturated": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        shapes = self.places.shapes
        self._index = Signal(range(shapes.engine.layers))
        self._group = Signal(shapes.group)
        self._input = Signal(shapes.unit)
        self._row = Signal.like(self.use.row)
        self._lane = Signal(range(shapes.neurons))
        self._momentum = Signal()
        self._upper = Signal(signed(2 * VALUE_WIDTH))
        self._digits = Signal(DIGITS * DIGIT_WIDTH)
        # The place below the last digit, which rounds; later a carry.
        self._round = Signal()
        self._shift = Signal(signed(7))
        self._drops = Signal(3)
        self._part = Signal(4)
        with m.FSM():
            self._row_states(m)
            self._scale_states(m)
            self._weight_states(m)
            self._velocity_states(m)
        return m

    def _row_states(self, m: Module) -> None:
        use, seen, layer = self.use, self.seen, self.seen.layer
        some = Signal()
        with m.State("IDLE"), m.If(self.start):
            m.d.sync += self._index.eq(0)
            m.next = "FETCH"
        with m.State("FETCH"):
            m.d.comb += [use.fetch.eq(1), use.index.eq(self._index)]
            m.d.sync += [
                self._row.eq(layer.weight_base),
                self._group.eq(0),
                self._input.eq(0),
                self._shift.eq(1 - layer.apply_shift),
                self._drops.eq(0),
            ]
            with m.If(seen.fetched):
                m.next = "SHIFT"
        with m.State("SHIFT"):
            m.next = "ROW"
            with m.If(self._shift < 0):
                m.d.sync += [
                    self._shift.eq(self._shift + DIGIT_WIDTH),
                    self._drops.eq(self._drops + 1),
                ]
                m.next = "SHIFT"
        with m.State("ROW"):
            self._address(m, Plane.LOW_DIGITS)
            m.d.sync += [self._part.eq(1), some.eq(0), self._lane.eq(0)]
            m.next = "LOOK"
        with m.State("LOOK"):
            self._address(m, self._part)
            m.d.sync += [self._part.eq(self._part + 1), some.eq(some | seen.row.as_value().any())]
            with m.If(self._part == DIGITS):
                m.next = "LOOKED"
        with m.State("LOOKED"):
            self._begin(m, momentum=0)
            with m.If(~some):
                m.next = "NEXT"
        with m.State("NEXT"):
            m.d.sync += [self._row.eq(self._row + 1), self._input.eq(self._input + 1)]
            m.next = "ROW"
            with m.If(self._input == layer.inputs):
                m.d.sync += [self._input.eq(0), self._group.eq(self._group + 1)]
                with m.If(self._group == layer.groups - 1):
                    m.d.sync += self._index.eq(self._index + 1)
                    m.next = "FETCH"
                    with m.If(layer.last):
                        m.d.comb += self.done.eq(1)
                        m.next = "IDLE"

    def _address(self, m: Module, plane: Value | Plane) -> None:
        m.d.comb += [self.use.plane.eq(plane), self.use.row.eq(self._row)]

    def _write(self, m: Module, plane: Plane, word: Value) -> None:
        """Write a word of the lane in work."""
        self._address(m, plane)
        m.d.comb += [
            self.use.row_write.eq(1 << self._lane),
            self.use.row_data.eq(word[:VALUE_WIDTH].replicate(self.places.shapes.neurons)),
        ]

    def _begin(self, m: Module, momentum: int) -> None:
        """Scale the lane's velocity."""
        m.d.sync += [
            self._momentum.eq(momentum),
            self._part.eq(0),
            self._upper.eq(0),
            self._digits.eq(0),
            self._round.eq(0),
        ]
        m.next = "READ"

    def _scale_states(self, m: Module) -> None:
        use, seen = self.use, self.seen
        neurons = self.places.shapes.neurons
        drops = Mux(self._momentum, MOMENTUM_DROPS, self._drops)
        power = (1 << self._shift[:4])[:VALUE_WIDTH]
        with m.State("READ"):
            self._address(m, self._part)
            m.next = "LOAD"
        with m.State("LOAD"):
            scale = Mux(self._momentum, self.settings.momentum, power)
            load_numbers(m, use, scale, lane_of(seen.row, self._lane))
            m.d.comb += use.clear.eq(1)
            m.next = "STEP"
        with m.State("STEP"):
            m.d.comb += [use.step.eq(1), use.whole.eq(1)]
            m.next = "ADD"
        with m.State("ADD"):
            # Behind the last digit there are only zeros.
            m.d.comb += use.clear.eq(1)
            m.d.sync += [
                self._upper.eq((self._upper >> DIGIT_WIDTH) + seen.products[neurons - 1]),
                self._part.eq(self._part + 1),
            ]
            with m.If(self._part != 0):
                self._move(m)
            with m.If(self._part < DIGITS - 1):
                m.next = "READ"
            with m.If(self._part == drops + (DIGITS - 1)):
                m.next = "LOWER"
                with m.If(self._momentum):
                    m.next = "TEST"

    def _move(self, m: Module) -> None:
        m.d.sync += [
            self._digits.eq(Cat(self._digits[DIGIT_WIDTH:], self._upper[:DIGIT_WIDTH])),
            self._round.eq(self._digits[DIGIT_WIDTH - 1]),
        ]

    def _weight_states(self, m: Module) -> None:
        """The weight less the scaled velocity, clipped."""
        seen = self.seen
        lower = Signal(VALUE_WIDTH)
        weight = Signal(MASTER_WIDTH)
        step = Cat(self._digits, self._upper)
        high = step[STEP_WIDTH - 1 :]
        far = high.any() & ~high.all()
        found = lane_of(seen.row, self._lane)
        moved = Signal(signed(STEP_WIDTH + 1))
        near, clips = saturate(moved, MASTER_WIDTH)
        bound = Cat(step[-1].replicate(MASTER_WIDTH - 1), ~step[-1])
        m.d.comb += moved.eq(
            Cat(lower, found).as_signed() - step[:STEP_WIDTH].as_signed() - self._round
        )
        with m.State("LOWER"):
            self._address(m, Plane.LOWER)
            m.next = "UPPER"
        with m.State("UPPER"):
            self._address(m, Plane.UPPER)
            m.d.sync += lower.eq(found)
            m.next = "SUBTRACT"
        with m.State("SUBTRACT"):
            m.d.comb += self.saturated.eq(far | clips)
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
            m.d.comb += self.saturated.eq(clips)
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
                        m.next = "NEXT"
