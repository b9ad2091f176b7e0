# SPDX-License-Identifier: BSD-2-Clause

"""Single weights and velocities, as the decoder speaks of them; and strips of rows from them."""

from amaranth import Cat, Const, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import ceil_log2

from ...common.shapes import INDEX, MASTER, VELOCITY, Shapes, vector


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
    done : `entry` is the one wanted, or `new_entry` was taken; of no account without a request
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
    """Entries of memories that are read and written a strip at a time.

    A strip is collected before it is written, and stays where it was read. An entry that is written
    takes two cycles, one that is read one, and the first of a strip that is read two more.

    Parameters
    ----------
    shapes : Shapes

    Members
    -------
    entries : `EntryPort`
    strip : the strip to read or write
    weights, velocity : that strip, two cycles later
    write_weights, write_velocity, new_strip : a strip to write; zero where there is none
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = shapes
        super().__init__(
            {
                "entries": In(EntryPort(shapes.neurons)),
                "strip": Out(shapes.strip_index),
                "weights": In(vector(shapes.strip, MASTER)),
                "velocity": In(vector(shapes.strip, VELOCITY)),
                "write_weights": Out(1),
                "write_velocity": Out(1),
                "new_strip": Out(vector(shapes.strip, VELOCITY)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        entries = self.entries
        lane = entries.lane[: ceil_log2(self.shapes.strip)]
        strip = entries.lane[len(lane) :]
        new_strip = self.new_strip.as_value()
        last = lane == self.shapes.strip - 1
        collects = Signal()
        stored = Signal()
        with m.If(collects):
            m.d.sync += new_strip.eq(Cat(new_strip[VELOCITY.width :], entries.new_entry))
        with m.If(stored):
            m.d.sync += new_strip.eq(0)
        m.d.comb += self.strip.eq(Cat(strip, entries.row))
        # Every lane but the one wanted is masked, which takes fewer LUTs than to choose.
        shown = Const(0, VELOCITY.width)
        for index in range(self.shapes.strip):
            mine = lane == index
            velocity = self.velocity[index].as_unsigned()
            weight = self.weights[index].as_unsigned()
            shown |= velocity & (mine & entries.wide).replicate(VELOCITY.width)
            shown |= weight & (mine & ~entries.wide).replicate(MASTER.width)
        m.d.comb += entries.entry.eq(shown)
        with m.FSM():
            with m.State("IDLE"):
                with m.If(entries.write):
                    m.d.comb += collects.eq(1)
                    m.next = "TAKEN"
                    with m.If(last):
                        m.next = "STORE"
                with m.If(entries.read):
                    m.next = "LOAD"
            # No path leads from a request back to the decoder.
            with m.State("TAKEN"):
                m.d.comb += entries.done.eq(1)
                m.next = "IDLE"
            with m.State("STORE"):
                m.d.comb += [
                    self.write_weights.eq(~entries.wide),
                    self.write_velocity.eq(entries.wide),
                    entries.done.eq(1),
                    stored.eq(1),
                ]
                m.next = "IDLE"
            with m.State("LOAD"):
                m.next = "SHOW"
            with m.State("SHOW"):
                m.d.comb += entries.done.eq(1)
                with m.If(entries.read & last):
                    m.next = "IDLE"
        return m
