# SPDX-License-Identifier: BSD-2-Clause

"""The multipliers, which accumulate their products, and the narrower of sums."""

from amaranth import Cat, Const, Module, Mux, Signal, signed
from amaranth.hdl import Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import VALUE_WIDTH

from ..common.rounding import WINDOW, saturate, shift_right, with_half
from ..common.shapes import PRODUCT, VALUE, vector
from .parts import BYTE, SHIFT_BITS, Control, Places, row_layout


class Multipliers(wiring.Component):
    """Two multipliers with accumulators for each of N lanes, one for either byte of a scalar.

    A lane multiplies its factor by the scalar that all lanes share. Its sum is
    ``first * 256 + second``, where `first` adds up the products of the scalar's upper byte and
    `second` those of the lower byte: each stays within the accumulator of a DSP block. For a
    `whole` product the first multiplier takes the entire scalar, and after a single step from zero
    its accumulator is the product.

    A step multiplies the operands loaded in earlier cycles; the sum is valid a cycle later.

    Parameters
    ----------
    places : Places
        Sizes of the engine's memories.

    Members
    -------
    `control` : In(Control(places))
        Control of the shared datapath; uses the members from `clear` on.
    `row` : In(row_layout(neurons))
        Row word that was read last.
    `products` : Out(ArrayLayout(PRODUCT, neurons))
        Whole products of the lanes, valid after a `whole` step.
    `lane` : In(range(neurons))
        Lane whose sum is read.
    `sum` : Out(places.total)
        Sum of that lane.
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        neurons = places.shapes.neurons
        super().__init__(
            {
                "control": In(Control(places)),
                "row": In(row_layout(neurons)),
                "products": Out(data.ArrayLayout(PRODUCT, neurons)),
                "lane": In(range(neurons)),
                "sum": Out(places.total),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        control = self.control
        neurons = self.places.shapes.neurons
        scalar = Signal(VALUE, reset_less=True)
        factors = Signal(vector(neurons), reset_less=True)
        with m.If(control.load_scalar):
            m.d.sync += scalar.eq(control.scalar)
        with m.If(control.load_row):
            m.d.sync += factors.eq(self.row)
        with m.If(control.load_factor):
            m.d.sync += factors.eq(Cat(control.factor, factors.as_value()[:-VALUE_WIDTH]))
        upper = Signal(VALUE)
        lower = Signal(signed(BYTE + 1))
        m.d.comb += [
            upper.eq(Mux(control.whole, scalar, scalar >> BYTE)),
            lower.eq(scalar[:BYTE]),
        ]
        first, second = (
            [self._accumulate(m, operand, lane, factors[lane]) for lane in range(neurons)]
            for operand in (upper, lower)
        )
        for product, found in zip(self.products, first, strict=True):
            m.d.comb += product.eq(found)
        m.d.comb += self.sum.eq((self._selected(m, first) << BYTE) + self._selected(m, second))
        return m

    def _accumulate(self, m: Module, operand: Value, lane: int, factor: Value) -> Signal:
        """Build an accumulator of products.

        It is cleared by loading `step`, which is zero then, because `clear` and `step` exclude each
        other. Synthesis does not know that; it would turn a constant zero into a reset of the
        register, and a register with a reset does not fit into the DSP block.
        """
        total = Signal(self.places.accumulator, reset_less=True)
        spared = self.control.alone if lane else Const(0)
        with m.If((self.control.clear | self.control.step) & ~spared):
            m.d.sync += total.eq(
                Mux(
                    self.control.clear,
                    self.control.step.replicate(len(total)).as_signed(),
                    total + operand * factor,
                )
            )
        return total

    def _selected(self, m: Module, sums: list[Signal]) -> Signal:
        """Select the sum of `lane`."""
        found = Signal(self.places.accumulator)
        with m.Switch(self.lane):
            for lane, total in enumerate(sums):
                with m.Case(lane):
                    m.d.comb += found.eq(total)
        return found


class Narrower(wiring.Component):
    """Shifts, rounds and clips a number to 16 bits, and measures numbers.

    ::

        number -> total -> shift, round, clip -> narrow
               +> OR of the magnitudes  -------------> highest
        cycle 0       1                         2      3

    Parameters
    ----------
    places : Places
        Sizes of the engine's memories.

    Members
    -------
    `take` : In(1)
        Takes a number.
    `number` : In(places.total)
        The number.
    `measure` : In(1)
        Measures the number that is taken.
    `forget` : In(1)
        Forgets all measured numbers.
    `shift` : In(SHIFT_BITS)
        Number of places by which the number that was taken last is shifted down.
    `rounds` : In(1)
        Rounds to nearest if high, otherwise down.
    `total` : Out(places.total)
        The number that was taken last.
    `narrow` : Out(VALUE)
        That number, shifted and clipped, a cycle later.
    `clipped` : Out(1)
        High if `narrow` was clipped.
    `highest` : Out(range(places.total.width))
        Position of the highest bit set in any measured magnitude; the magnitude of a negative
        number is its ones' complement.
    `some` : Out(1)
        High if any measured number was not zero.
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        super().__init__(
            {
                "take": In(1),
                "number": In(places.total),
                "measure": In(1),
                "forget": In(1),
                "shift": In(SHIFT_BITS),
                "rounds": In(1),
                "total": Out(places.total),
                "narrow": Out(VALUE),
                "clipped": Out(1),
                "highest": Out(range(places.total.width)),
                "some": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        total = self.total
        counts = Signal()
        longest = Signal(len(total) - 1)
        m.d.sync += counts.eq(self.take & self.measure)
        with m.If(self.take):
            m.d.sync += total.eq(self.number)
        with m.If(counts):
            magnitude = total ^ total[-1].replicate(len(total))
            m.d.sync += [
                longest.eq(longest | magnitude[:-1]),
                self.some.eq(self.some | (total != 0)),
            ]
        with m.If(self.forget):
            m.d.sync += [longest.eq(0), self.some.eq(0)]
        m.d.sync += self.highest.eq(_highest(longest)[1])
        shifted, lost = shift_right(m, with_half(total), self.shift, WINDOW)
        narrowed, clipped = saturate((shifted + self.rounds) >> 1, VALUE_WIDTH, lost, shifted[-1])
        m.d.sync += [self.narrow.eq(narrowed), self.clipped.eq(clipped)]
        return m


def _highest(value: Value) -> tuple[Value, Value]:
    """Whether any bit is set, and the position of the highest one, by halving."""
    if len(value) == 1:
        return value, Const(0, 0)
    half = 1 << (len(value) - 1).bit_length() - 1
    low_some, low = _highest(value[:half])
    high_some, high = _highest(value[half:])
    width = half.bit_length() - 1
    place = Cat(Mux(high_some, high, low)[:width], high_some) if width else high_some
    return low_some | high_some, place
