# SPDX-License-Identifier: BSD-2-Clause

"""UART with 8 data bits, no parity and one stop bit: bits on pins and streams of bytes."""

from amaranth import Cat, Const, Module, Mux, Signal, unsigned
from amaranth.hdl import Value
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

FRACTION_BITS = 8
DIVISOR = unsigned(16 + FRACTION_BITS)
"""Clock cycles of a bit, with `FRACTION_BITS` bits after the binary point."""

LEAST_CYCLES = 4
"""Fewest clock cycles of a bit; 12 Mbaud need a clock of 48 MHz."""

DATA_BITS = 8


def divisor_for(clock_hz: float, baud: float) -> int:
    """Return the divisor for a clock and a rate.

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

    Members
    -------
    `divisor` : In(DIVISOR)
        Clock cycles of a bit.
    `restart` : In(1)
        Restarts the count.
    `half` : In(1)
        With `restart`: the first tick comes after half a bit instead of a whole one.
    `tick` : Out(1)
        High in the last cycle of each bit.
    """

    def __init__(self) -> None:
        super().__init__({"divisor": In(DIVISOR), "restart": In(1), "half": In(1), "tick": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cycle = 1 << FRACTION_BITS
        # A tick leaves up to one cycle over; the sum below carries it into the next bit.
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
    """Receives bytes from a pin; it drops a byte whose stop bit is missing.

    It samples each bit once, in its middle. The pin may be asynchronous to the clock.

    Members
    -------
    `pin` : In(1)
        Serial input, high while idle.
    `divisor` : In(DIVISOR)
        Clock cycles of a bit.
    `bytes` : Out(stream of unsigned(8), always ready)
        Received bytes; each is valid for one cycle in the middle of its stop bit.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "pin": In(1, init=1),
                "divisor": In(DIVISOR),
                "bytes": Out(stream.Signature(8, always_ready=True)),
            }
        )
        self._level = Signal(init=1)
        self._synchronizer = FFSynchronizer(self.pin, self._level, init=1)
        self._clock = BitClock()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        level = self._level
        shift = Signal(DATA_BITS)
        place = Signal(range(DATA_BITS))
        m.submodules.synchronizer = self._synchronizer
        m.submodules.clock = clock = self._clock
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
                # In the middle of the stop bit: a fast sender may begin the next start bit early.
                m.next = "BREAK"
                with m.If(level):
                    m.next = "IDLE"
            with m.State("BREAK"):
                m.d.comb += clock.restart.eq(1)
                with m.If(level):
                    m.next = "IDLE"
        return m


class UartTransmitter(wiring.Component):
    """Sends bytes to a pin, without a pause between bytes as long as the stream has some.

    Members
    -------
    `bytes` : In(stream of unsigned(8))
        Bytes to send.
    `divisor` : In(DIVISOR)
        Clock cycles of a bit.
    `pin` : Out(1)
        Serial output, high while idle.
    """

    def __init__(self) -> None:
        super().__init__(
            {"bytes": In(stream.Signature(8)), "divisor": In(DIVISOR), "pin": Out(1, init=1)}
        )
        self._clock = BitClock()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        frame_bits = DATA_BITS + 2
        shift = Signal(frame_bits, init=-1)
        left = Signal(range(frame_bits + 1))
        m.submodules.clock = clock = self._clock
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
