# SPDX-License-Identifier: BSD-2-Clause

"""Counters of events, which the host reads."""

from amaranth import Array, Module, Mux, Signal, unsigned
from amaranth.hdl import ValueLike
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.commands import COUNTERS

from .delay import delay

COUNTER_WIDTH = 64

TURNS = len(COUNTERS)

SETTLES = 2 * TURNS + 3
"""Cycles after which the counter at `index` includes every event that came before."""


class Counters(wiring.Component):
    """A counter of `COUNTER_WIDTH` bits for each name in `commands.COUNTERS`.

    The counters are words of a memory and share an adder. Each counter has a narrow register beside
    the memory that collects its events; the adder adds these registers to the memory in rotation,
    one per cycle.

    Parameters
    ----------
    increment : int
        Bits of the largest increment.

    Members
    -------
    `events` : In(StructLayout of the names in COUNTERS)
        Increment of each counter in this cycle.
    `clear` : In(1)
        Sets all counters to zero; it has priority over `events`.
    `index` : In(range(TURNS))
        Counter to read.
    `value` : Out(COUNTER_WIDTH)
        That counter, valid `SETTLES` cycles after `index` was set.
    """

    def __init__(self, increment: int) -> None:
        super().__init__(
            {
                "events": In(data.StructLayout({name: increment for name in COUNTERS})),
                "clear": In(1),
                "index": In(range(TURNS)),
                "value": Out(COUNTER_WIDTH),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.totals = totals = memory.Memory(
            shape=unsigned(COUNTER_WIDTH), depth=TURNS, init=[]
        )
        read, write = totals.read_port(), totals.write_port()
        # After a reset the adder handles counter 0 first, so that counter 1 is the next to read.
        turn = Signal(range(TURNS), init=1)
        added = Signal(range(TURNS))
        m.d.sync += [turn.eq(Mux(turn == TURNS - 1, 0, turn + 1)), added.eq(turn)]
        # A flag for each counter that was cleared and whose word was not written since. Initially
        # all are set, because a reset does not change a memory.
        fresh = Signal(TURNS, init=(1 << TURNS) - 1)
        waiting = Array(self._wait(m, name, added == i) for i, name in enumerate(COUNTERS))
        old = Signal(COUNTER_WIDTH)
        more = Signal.like(waiting[0])
        m.d.comb += [
            read.addr.eq(turn),
            write.addr.eq(delay(m, added, 1)),
            write.data.eq(old + more),
            write.en.eq(1),
        ]
        m.d.sync += [
            old.eq(Mux(fresh.bit_select(added, 1), 0, read.data)),
            more.eq(waiting[added]),
            fresh.bit_select(added, 1).eq(0),
        ]
        with m.If(self.clear):
            m.d.sync += [fresh.eq(~0), old.eq(0), more.eq(0)]
        with m.If(write.addr == self.index):
            m.d.sync += self.value.eq(write.data)
        return m

    def _wait(self, m: Module, name: str, taken: ValueLike) -> Signal:
        """Collect the events of a counter since the adder took them last, in a register."""
        event = Signal.like(self.events[name], name=f"{name}_event")
        waiting = Signal(len(event) + TURNS.bit_length(), name=f"{name}_waiting")
        m.d.sync += [event.eq(self.events[name]), waiting.eq(Mux(taken, 0, waiting) + event)]
        with m.If(self.clear):
            m.d.sync += waiting.eq(0)
        return waiting
