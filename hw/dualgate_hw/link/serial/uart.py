# SPDX-License-Identifier: BSD-2-Clause

"""UART, 8 data bits, no parity, one stop bit: bits on a pin from and to streams of bytes."""

from amaranth import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.hdl import Value
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

FRACTION_BITS = 8
DIVISOR = unsigned(16 + FRACTION_BITS)
"""Clock cycles of a bit, with `FRACTION_BITS` bits after the binary point."""

LEAST_CYCLES = 4
"""Fewest clock cycles of a bit; 12 Mbaud take a clock of 48 MHz."""

DATA_BITS = 8


def divisor_for(clock_hz: float, baud: float) -> int:
    """The divisor for a clock and a rate.

    Raises
    ------
    ValueError
        When the clock is too slow for the rate, or a bit takes too many cycles to be counted.
    """
    divisor = round(clock_hz / baud * (1 << FRACTION_BITS))
    if not LEAST_CYCLES << FRACTION_BITS <= divisor < 1 << DIVISOR.width:
        raise ValueError(
            f"{baud:g} baud from {clock_hz:g} Hz: give from {LEAST_CYCLES} to "
            f"{(1 << DIVISOR.width - FRACTION_BITS) - 1} cycles a bit"
        )
    return divisor


class BitClock(wiring.Component):
    """Divides the clock by a number that need not be whole; edges are off by less than a cycle.

    Parameters
    ----------
    none

    Members
    -------
    divisor : `DIVISOR`
    restart : begin anew; `half` says whether the first tick comes after half a bit or a whole one
    tick : the last cycle of a bit
    """

    def __init__(self) -> None:
        super().__init__({"divisor": In(DIVISOR), "restart": In(1), "half": In(1), "tick": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cycle = 1 << FRACTION_BITS
        # A tick may leave up to one cycle to the next bit, which the sum below takes along.
        left = Signal(DIVISOR.width + 1)
        m.d.comb += self.tick.eq(left < 2 * cycle)
        with m.If(self.restart):
            m.d.sync += left.eq(Mux(self.half, self.divisor >> 1, self.divisor))
        with m.Elif(self.tick):
            m.d.sync += left.eq(left + self.divisor - cycle)
        with m.Else():
            m.d.sync += left.eq(left - cycle)
        return m


class UartReceiver(wiring.Component):
    """Bytes from a pin. A byte whose stop bit is missing is dropped.

    Each bit is looked at once, in its middle. The pin may change at any time.

    Members
    -------
    pin : serial input, high while idle
    divisor : `DIVISOR`
    bytes : stream out, always taken; a byte comes in the middle of its stop bit
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "pin": In(1, init=1),
                "divisor": In(DIVISOR),
                "bytes": Out(stream.Signature(8, always_ready=True)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        level = Signal(init=1)
        shift = Signal(DATA_BITS)
        place = Signal(range(DATA_BITS))
        m.submodules.synchronizer = FFSynchronizer(self.pin, level, init=1)
        m.submodules.clock = clock = BitClock()
        m.d.comb += [
            clock.divisor.eq(self.divisor),
            clock.half.eq(1),
            self.bytes.payload.eq(shift),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += clock.restart.eq(1)
                with m.If(~level):
                    m.next = "START"
            with m.State("START"), m.If(clock.tick):
                m.next = "DATA"
                with m.If(level):
                    m.next = "IDLE"
            with m.State("DATA"), m.If(clock.tick):
                m.d.sync += [shift.eq(Cat(shift[1:], level)), place.eq(place + 1)]
                with m.If(place == DATA_BITS - 1):
                    m.d.sync += place.eq(0)
                    m.next = "STOP"
            with m.State("STOP"), m.If(clock.tick):
                m.d.comb += [self.bytes.valid.eq(level), clock.restart.eq(1)]
                # At once: the next start bit of a sender that is a little fast is near.
                m.next = "BREAK"
                with m.If(level):
                    m.next = "IDLE"
            with m.State("BREAK"):
                m.d.comb += clock.restart.eq(1)
                with m.If(level):
                    m.next = "IDLE"
        return m


class UartTransmitter(wiring.Component):
    """Bytes to a pin, without a pause between them while there are any.

    Members
    -------
    bytes : stream in
    divisor : `DIVISOR`
    pin : serial output, high while idle
    """

    def __init__(self) -> None:
        super().__init__(
            {"bytes": In(stream.Signature(8)), "divisor": In(DIVISOR), "pin": Out(1, init=1)}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        frame_bits = DATA_BITS + 2
        shift = Signal(frame_bits, init=-1)
        left = Signal(range(frame_bits + 1))
        m.submodules.clock = clock = BitClock()
        ends: Value = (left == 1) & clock.tick
        m.d.comb += [
            clock.divisor.eq(self.divisor),
            clock.restart.eq(left == 0),
            self.bytes.ready.eq((left == 0) | ends),
            self.pin.eq(shift[0]),
        ]
        with m.If((left != 0) & clock.tick):
            m.d.sync += [shift.eq(Cat(shift[1:], Const(1, 1))), left.eq(left - 1)]
        with m.If(self.bytes.valid & self.bytes.ready):
            m.d.sync += [
                shift.eq(Cat(Const(0, 1), self.bytes.payload, Const(1, 1))),
                left.eq(frame_bits),
            ]
        return m
