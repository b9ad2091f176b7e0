"""Multipliers that add up what they multiply, and the unit that narrows a sum."""

from amaranth import Cat, Module, Mux, Signal, signed
from amaranth.hdl import Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from dualgate.formats import VALUE_WIDTH

from ..layouts import PRODUCT, VALUE, vector
from ..rounding import WINDOW, saturate, shift_right, with_half
from .parts import BYTE, Places, Seen, Use


class Multipliers(wiring.Component):
    """Two multipliers for each of N lanes: one for either byte of a scalar.

    So a sum stays within the accumulators that DSP blocks have of their own: a lane's sum is
    ``first * 256 + second``. Where a product is `whole`, the first multiplier has the scalar
    entire, and its accumulator after a single step is the product.

    Parameters
    ----------
    places : Places

    Members
    -------
    use : of `Use`, the members from `clear` to `lane`; a step multiplies operands loaded before
    row : the row that was read
    products : see `Seen`
    sum : of the lane that `use` names
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        neurons = places.shapes.neurons
        super().__init__(
            {
                "use": In(Use(places)),
                "row": In(data.ArrayLayout(VALUE_WIDTH, neurons)),
                "products": Out(data.ArrayLayout(PRODUCT, neurons)),
                "sum": Out(places.total),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        use = self.use
        neurons = self.places.shapes.neurons
        scalar = Signal(VALUE, reset_less=True)
        factors = Signal(vector(neurons), reset_less=True)
        with m.If(use.load_scalar):
            m.d.sync += scalar.eq(use.scalar)
        with m.If(use.load_row):
            m.d.sync += factors.eq(self.row)
        with m.If(use.load_factor):
            m.d.sync += factors.eq(Cat(factors.as_value()[VALUE_WIDTH:], use.factor))
        upper = Signal(VALUE)
        lower = Signal(signed(BYTE + 1))
        m.d.comb += [
            upper.eq(Mux(use.whole, scalar, scalar >> BYTE)),
            lower.eq(scalar[:BYTE]),
        ]
        first, second = (
            [self._accumulate(m, operand, factor) for factor in factors]
            for operand in (upper, lower)
        )
        for product, found in zip(self.products, first, strict=True):
            m.d.comb += product.eq(found)
        m.d.comb += self.sum.eq((self._of(m, first) << BYTE) + self._of(m, second))
        return m

    def _accumulate(self, m: Module, operand: Value, factor: Value) -> Signal:
        """A sum of products.

        It is cleared by loading a zero that synthesis cannot tell from any other number, `step`:
        a reset of any kind would keep the register out of the DSP block.
        """
        total = Signal(self.places.accumulator, reset_less=True)
        with m.If(self.use.clear | self.use.step):
            m.d.sync += total.eq(
                Mux(
                    self.use.clear,
                    self.use.step.replicate(len(total)).as_signed(),
                    total + operand * factor,
                )
            )
        return total

    def _of(self, m: Module, sums: list[Signal]) -> Signal:
        """The sum of the lane that is named."""
        found = Signal(self.places.accumulator)
        with m.Switch(self.use.lane):
            for lane, total in enumerate(sums):
                with m.Case(lane):
                    m.d.comb += found.eq(total)
        return found


class Narrower(wiring.Component):
    """Measures a number, and shifts, rounds and clips it to 16 bits.

    ::

        sum or number -> total -> bits, nonzero
                               -> shift, round, clip -> narrow
        cycle 0            1                               2

    Parameters
    ----------
    places : Places

    Members
    -------
    use : of `Use`, the members from `take` on
    sum : of `Multipliers`
    total, nonzero, bits, narrow, clipped : see `Seen`
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        seen = Seen(places).members
        names = ("total", "nonzero", "bits", "narrow", "clipped")
        super().__init__(
            {
                "use": In(Use(places)),
                "sum": In(places.total),
                **{name: seen[name].flip() for name in names},
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        use, total = self.use, self.total
        with m.If(use.take):
            m.d.sync += total.eq(self.sum)
        with m.If(use.hold):
            m.d.sync += total.eq(use.direct)
        magnitude = total ^ total[-1].replicate(len(total))
        m.d.comb += self.nonzero.eq(magnitude.any() | total[-1])
        for bit in range(len(total)):
            with m.If(magnitude[bit]):
                m.d.comb += self.bits.eq(bit + 1)
        # One place is kept below the binary point, where a half is added, and one above 16 bits:
        # what is just beyond the least number may be rounded to it.
        moved, _ = shift_right(m, with_half(total), use.shift, WINDOW)
        rounded = Signal(signed(WINDOW))
        m.d.comb += rounded.eq((moved + use.rounds) >> 1)
        near, clips = saturate(rounded, VALUE_WIDTH)
        far = self.bits > use.shift + VALUE_WIDTH
        bound = Cat((~total[-1]).replicate(VALUE_WIDTH - 1), total[-1])
        m.d.sync += [
            self.narrow.eq(Mux(far, bound, near.as_unsigned())),
            self.clipped.eq(far | clips),
        ]
        return m
