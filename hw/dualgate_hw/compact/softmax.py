"""Softmax's numerators and the reciprocal of their sum, with the shared parts' help."""

from amaranth import Module, Mux, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from dualgate.rules import EXP_TABLE, SOFTMAX

from ..layouts import VALUE
from ..softmax import POWER_BITS
from ..tables import EXP_SHAPE, TablePort, own_table
from .parts import Places, Seen, Use

QUOTIENT_BITS = 16

LEAST = -(1 << (VALUE.width - 1))


class Softmax(wiring.Component):
    """exp(z - max z), and ``2**(bits + 15) / sum`` of them, see `rules.softmax_rule`.

    Takes ``5 * units + bits + 18`` cycles from `start` to `done`, with the bits of the largest sum
    there can be: two passes over the units, the power of two above the sum, a place a cycle, and
    a division of 16 steps.

    Parameters
    ----------
    places : Places

    Members
    -------
    use, seen : the shared parts
    start, done : pulses; `seen.layer` is the output layer
    power : the table's answer to the pre-activation that was the word read a cycle before
    reciprocal, bits : as in `rules.reciprocal`, after `done`, the first less 2**16
    """

    def __init__(self, places: Places) -> None:
        self.places = places
        self.sum_bits = (
            POWER_BITS + (places.shapes.engine.groups * places.shapes.neurons).bit_length()
        )
        super().__init__(
            {
                "use": Out(Use(places)),
                "seen": Out(Seen(places)),
                "start": In(1),
                "done": Out(1),
                "power": Out(POWER_BITS),
                "reciprocal": Out(signed(QUOTIENT_BITS)),
                "bits": Out(range(self.sum_bits + 1)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        use, seen = self.use, self.seen
        maximum = Signal(VALUE)
        unit = Signal(self.places.shapes.unit)
        total = Signal(self.sum_bits)
        remainder = Signal(self.sum_bits + 1)
        steps = Signal(range(max(QUOTIENT_BITS, self.sum_bits + 1)))
        difference = Signal(signed(len(remainder) + 1))
        fits, equal = difference >= 0, difference == 0
        m.d.comb += difference.eq(remainder - total)
        final = unit == seen.layer.outputs - 1
        self._look_up(m, maximum)
        with m.FSM():
            with m.State("IDLE"), m.If(self.start):
                m.d.sync += [unit.eq(0), total.eq(0), maximum.eq(LEAST)]
                m.d.sync += [remainder.eq(1), steps.eq(0), self.bits.eq(0), self.reciprocal.eq(0)]
                m.next = "READ"
            with m.State("READ"):
                m.d.comb += use.word_at.eq(self.places.outputs | unit)
                m.next = "COMPARE"
            with m.State("COMPARE"):
                with m.If(seen.word > maximum):
                    m.d.sync += maximum.eq(seen.word)
                m.d.sync += unit.eq(unit + 1)
                m.next = "READ"
                with m.If(final):
                    m.d.sync += unit.eq(0)
                    m.next = "READ_AGAIN"
            with m.State("READ_AGAIN"):
                m.d.comb += use.word_at.eq(self.places.outputs | unit)
                m.next = "LOOK_UP"
            with m.State("LOOK_UP"):
                m.next = "ADD"
            with m.State("ADD"):
                m.d.sync += [total.eq(total + self.power), unit.eq(unit + 1)]
                m.next = "READ_AGAIN"
                with m.If(final):
                    m.next = "RAISE"
            with m.State("RAISE"):
                # To the least power of two that is not below the sum.
                m.d.sync += steps.eq(steps + 1)
                with m.If(~fits):
                    m.d.sync += [remainder.eq(remainder << 1), self.bits.eq(self.bits + 1)]
                with m.If(steps == self.sum_bits):
                    m.d.sync += steps.eq(0)
                    m.next = "DIVIDE"
                    with m.If(equal):
                        # The quotient has a seventeenth bit, which is not kept, and no other.
                        m.d.sync += [remainder.eq(0), self.bits.eq(self.bits + 1)]
            with m.State("DIVIDE"):
                m.d.sync += [
                    remainder.eq(Mux(fits, difference, remainder) << 1),
                    self.reciprocal.eq(self.reciprocal << 1 | fits),
                    steps.eq(steps + 1),
                ]
                with m.If(steps == QUOTIENT_BITS - 1):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.comb += self.done.eq(1)
                m.next = "IDLE"
        return m

    def _look_up(self, m: Module, maximum: Signal) -> None:
        """The table's answer to the word that was read."""
        table = TablePort(EXP_SHAPE).create(path=("table",))
        own_table(m, table, EXP_TABLE)
        shift = SOFTMAX.index_shift
        distance = Signal(signed(len(maximum) + 1))
        index = Signal(len(maximum))
        beyond = Signal()
        m.d.comb += [
            distance.eq(maximum - self.seen.word),
            index.eq((distance + (1 << shift - 1)) >> shift),
            table.addr.eq(index),
            self.power.eq(Mux(beyond, 0, table.data)),
        ]
        m.d.sync += beyond.eq(index >= len(EXP_TABLE))
