"""Counters: what happened, as the host reads it."""

from amaranth import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from dualgate.commands import COUNTERS

COUNTER_WIDTH = 64


class Counters(wiring.Component):
    """One counter for each of `commands.COUNTERS`.

    Parameters
    ----------
    increment : int
        Bits of the largest increment.

    Members
    -------
    events : what to add in this cycle, by name
    clear : reset all; wins over events
    index, value : read a counter; a cycle of latency
    """

    def __init__(self, increment: int) -> None:
        super().__init__(
            {
                "events": In(data.StructLayout({name: increment for name in COUNTERS})),
                "clear": In(1),
                "index": In(range(len(COUNTERS))),
                "value": Out(COUNTER_WIDTH),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        for index, name in enumerate(COUNTERS):
            event = Signal.like(self.events[name], name=f"{name}_event")
            count = Signal(COUNTER_WIDTH, name=name)
            m.d.sync += [event.eq(self.events[name]), count.eq(count + event)]
            with m.If(self.clear):
                m.d.sync += count.eq(0)
            with m.If(self.index == index):
                m.d.sync += self.value.eq(count)
        return m
