# SPDX-License-Identifier: BSD-2-Clause

"""The loop of outer products: velocity[r][:] += a_r * u[:], over the entries of a list."""

from amaranth import Cat, Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.formats import DIGIT_WIDTH, VALUE_WIDTH

from ..common.shapes import PRODUCT
from .parts import DIGIT_PLANES, Control, Places, Plane, row_layout


class OuterProductLoop(wiring.Component):
    """Adds the outer product of a list and the lanes' factors to rows of velocities.

    The row memory has one port, and a velocity lies in three digits. So a row takes 7 cycles: one
    to load its entry, then a read and a write for each digit. The loop is busy for ``7 * count``
    cycles, counted from the one after `start`.

    Parameters
    ----------
    places : Places
        Sizes of the engine's memories.

    Members
    -------
    `start` : In(1)
        Starts the loop. It has no effect while `busy`.
    `count` : In(places.shapes.unit)
        Number of entries, at least one; sampled with `start`.
    `control` : Out(Control(places))
        Control of the shared datapath.
    `entry` : In(places.shapes.entry)
        Entry at the current place.
    `row` : In(row_layout(neurons))
        Row word that was read last.
    `products` : In(ArrayLayout(PRODUCT, neurons))
        Whole products of the lanes, see `Multipliers`.
    `busy` : Out(1)
        High until the velocities are complete.
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
                        # The memory of lists answers a cycle later, so the entry stays valid for
                        # the last write.
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
        """Drive the word to write: in each lane the sum of digit, product's digit and carry."""
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
            # The top bit of a digit below the highest is the carry into the next digit.
            m.d.comb += written[lane].eq(Cat(total[:-1], total[-1] & high))
            with m.If(writes):
                m.d.sync += carry.eq(total[-1] & ~high)
        with m.If(writes):
            m.d.comb += control.row_data.eq(written)
