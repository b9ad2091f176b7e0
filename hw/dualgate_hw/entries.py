"""Single weights and velocities, as the decoder speaks of them; and whole rows from them."""

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from .layouts import INDEX, MASTER, VELOCITY
from .rows import RowPort


class EntryPort(wiring.Signature):
    """Access to one weight or velocity after the other, never while a sample is in flight.

    Rows are read and written whole, their lanes in order from 0.

    Parameters
    ----------
    neurons : int
        N, the lanes of a row.

    Members
    -------
    row, lane : which entry
    wide : a velocity, otherwise a weight, which is the lowest 32 bits of an entry
    read, write : high until `done`
    done : `entry` is the one wanted, or `new_entry` was taken
    """

    def __init__(self, neurons: int) -> None:
        super().__init__(
            {
                "row": Out(INDEX),
                "lane": Out(range(neurons)),
                "wide": Out(1),
                "read": Out(1),
                "write": Out(1),
                "new_entry": Out(VELOCITY),
                "entry": In(VELOCITY),
                "done": In(1),
            }
        )


class RowEntries(wiring.Component):
    """Entries of memories that are read and written a row at a time.

    A row is collected before it is written, and kept while it is read. An entry takes a cycle, the
    last of a row that is written one more and the first of a row that is read two more.

    Parameters
    ----------
    neurons : int

    Members
    -------
    entries : `EntryPort`
    port : `RowPort`
    """

    def __init__(self, neurons: int) -> None:
        self.neurons = neurons
        super().__init__({"entries": In(EntryPort(neurons)), "port": Out(RowPort(neurons))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        entries, port = self.entries, self.port
        width = VELOCITY.width
        row = Signal(self.neurons * width)
        shifted = Cat(row[width:], entries.new_entry)
        for lane in range(self.neurons):
            m.d.comb += [
                port.new_weights[lane].eq(row[lane * width :][: MASTER.width]),
                port.new_velocity[lane].eq(row[lane * width :][:width]),
            ]
        for address in (port.row, port.weights_row, port.velocity_row):
            m.d.comb += address.eq(entries.row)
        m.d.comb += entries.entry.eq(row[:width])
        last = entries.lane == self.neurons - 1
        with m.FSM():
            with m.State("IDLE"):
                with m.If(entries.write):
                    m.d.sync += row.eq(shifted)
                    m.d.comb += entries.done.eq(~last)
                    with m.If(last):
                        m.next = "STORE"
                with m.If(entries.read):
                    m.next = "LOAD"
            with m.State("STORE"):
                m.d.comb += [
                    port.write_weights.eq(~entries.wide),
                    port.write_velocity.eq(entries.wide),
                    entries.done.eq(1),
                ]
                m.next = "IDLE"
            with m.State("LOAD"):
                weights = Cat(
                    Cat(lane, lane[-1].replicate(width - len(lane))) for lane in port.weights
                )
                m.d.sync += row.eq(Mux(entries.wide, port.velocity.as_value(), weights))
                m.next = "SHOW"
            with m.State("SHOW"), m.If(entries.read):
                m.d.comb += entries.done.eq(1)
                m.d.sync += row.eq(shifted)
                with m.If(last):
                    m.next = "IDLE"
        return m
