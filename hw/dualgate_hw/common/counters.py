# SPDX-License-Identifier: BSD-2-Clause

"""Counters: what happened, as the host reads it."""

from amaranth import Array, Module, Mux, Signal, unsigned
from amaranth.hdl import ValueLike
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.commands import COUNTERS

from .delay import delay

COUNTER_WIDTH = 64

TURNS = len(COUNTERS)

SETTLES = 2 * TURNS + 3
"""Cycles after which a counter that is read shows everything that happened before."""


class Counters(wiring.Component):
    """One counter for each of `commands.COUNTERS`.

    They are words of a memory and share an adder: what happens waits beside it, a few bits for each
    counter, which are added up in turns.

    Parameters
    ----------
    increment : int
        Bits of the largest increment.

    Members
    -------
    events : what to add in this cycle, by name
    clear : reset all; wins over events
    index, value : read a counter; `SETTLES` cycles of latency
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
        # After a reset the adder begins with counter 0, so that the next turn is 1's.
        turn = Signal(range(TURNS), init=1)
        added = Signal(range(TURNS))
        m.d.sync += [turn.eq(Mux(turn == TURNS - 1, 0, turn + 1)), added.eq(turn)]
        # Counters that were cleared, and whose word was not written since. All of them begin so: a
        # reset leaves memories as they are.
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
        """What happened since the counter's last turn."""
        event = Signal.like(self.events[name], name=f"{name}_event")
        waiting = Signal(len(event) + TURNS.bit_length(), name=f"{name}_waiting")
        m.d.sync += [event.eq(self.events[name]), waiting.eq(Mux(taken, 0, waiting) + event)]
        with m.If(self.clear):
            m.d.sync += waiting.eq(0)
        return waiting
