# SPDX-License-Identifier: BSD-2-Clause

"""Updates: velocity[r][:] += a_r * u[:], over the entries of a list."""

from amaranth import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import DIGIT_WIDTH, VALUE_WIDTH

from ..common.shapes import PRODUCT
from .parts import DIGIT_PLANES, Control, Places, Plane, row_layout


class OuterProductLoop(wiring.Component):
    """Adds outer products to the velocities, digit by digit, since the row memory has one port.

    A row takes 7 cycles: its entry, then a read and a write for each of three digits.

    Parameters
    ----------
    places : Places

    Members
    -------
    start, count : entries, at least one
    control : what it asks for
    entry : at the place that is set
    row : the word of a row that was read
    products : see `Multipliers`
    busy : velocities are not complete
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        neurons = places.shapes.neurons
        super().__init__(
            {
                "start": In(1),
                "count": In(places.shapes.unit),
                "control": Out(Control(places)),
                "entry": In(places.shapes.entry),
                "row": In(row_layout(neurons)),
                "products": In(data.ArrayLayout(PRODUCT, neurons)),
                "busy": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        control = self.control
        left = Signal.like(self.count)
        self._add(m)
        with m.FSM() as fsm:
            m.d.comb += self.busy.eq(~fsm.ongoing("IDLE"))
            with m.State("IDLE"):
                m.d.sync += left.eq(self.count)
                with m.If(self.start):
                    m.next = "ENTRY"
            with m.State("ENTRY"):
                m.d.comb += [
                    control.clear.eq(1),
                    control.load_scalar.eq(1),
                    control.scalar.eq(self.entry.value),
                ]
                m.next = "READ_0"
            for digit, plane in enumerate(DIGIT_PLANES):
                last = digit == len(DIGIT_PLANES) - 1
                with m.State(f"READ_{digit}"):
                    m.d.comb += [control.plane.eq(plane), control.indexed.eq(1), control.read.eq(1)]
                    if digit == 0:
                        m.d.comb += [control.step.eq(1), control.whole.eq(1)]
                    if last:
                        # The entry stays for a cycle more.
                        m.d.comb += control.next.eq(1)
                        m.d.sync += left.eq(left - 1)
                    m.next = f"WRITE_{digit}"
                with m.State(f"WRITE_{digit}"):
                    m.d.comb += [
                        control.plane.eq(plane),
                        control.indexed.eq(1),
                        control.row_write.eq(~0),
                    ]
                    m.next = "ENTRY" if last else f"READ_{digit + 1}"
                    if last:
                        with m.If(left == 0):
                            m.next = "IDLE"
        return m

    def _add(self, m: Module) -> None:
        """The sums that are written: of digits read, of products, and of carries."""
        control = self.control
        writes, high = control.row_write.any(), control.plane == Plane.HIGH_DIGITS
        written = Signal(data.ArrayLayout(VALUE_WIDTH, self.places.shapes.neurons))
        for lane, (digit, product) in enumerate(zip(self.row, self.products, strict=True)):
            carry = Signal(name=f"carry_{lane}")
            part = Signal(VALUE_WIDTH, name=f"part_{lane}")
            total = Signal(VALUE_WIDTH, name=f"total_{lane}")
            with m.Switch(control.plane):
                with m.Case(Plane.LOW_DIGITS):
                    m.d.comb += part.eq(product.as_unsigned()[:DIGIT_WIDTH])
                with m.Case(Plane.MIDDLE_DIGITS):
                    m.d.comb += part.eq(product.as_unsigned()[DIGIT_WIDTH : 2 * DIGIT_WIDTH])
                with m.Case(Plane.HIGH_DIGITS):
                    m.d.comb += part.eq(product >> 2 * DIGIT_WIDTH)
            m.d.comb += total.eq(digit + part + carry)
            # A digit below the highest leaves its top bit to the next one.
            m.d.comb += written[lane].eq(Cat(total[:-1], total[-1] & high))
            with m.If(writes):
                m.d.sync += carry.eq(total[-1] & ~high)
        with m.If(writes):
            m.d.comb += control.row_data.eq(written)
