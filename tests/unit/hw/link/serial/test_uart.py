# SPDX-License-Identifier: BSD-2-Clause

"""The UART works at every rate in both directions, and tolerates faulty lines."""

import random
from itertools import pairwise
from typing import Any

import pytest
from amaranth import Module
from support.benches import simulate

from dualgate_hw.link.serial.uart import (
    FRACTION_BITS,
    LEAST_CYCLES,
    BitClock,
    UartReceiver,
    UartTransmitter,
    divisor_for,
)
from dualgate_sim.testing.streams import send

pytestmark = pytest.mark.slow

DIVISORS = [4.0, 4.17, 5.5, 8.34, 41.67]
BYTES = [0x00, 0xFF, 0x55, 0xAA, 0x80, 0x01, *random.Random(1).randbytes(8)]


def fixed(cycles: float) -> int:
    return round(cycles * (1 << FRACTION_BITS))


def collect(ctx: Any, receiver: UartReceiver, got: list[int]) -> Any:
    async def watch(ctx: Any) -> None:
        while True:
            port = receiver.bytes
            valid, byte = (await ctx.tick().sample(port.valid, port.payload))[2:]
            if valid:
                got.append(byte)

    return watch


class Wave:
    """Drives a pin with edges at exact times, in cycles; a cycle samples the level at its end.

    Parameters
    ----------
    cycles : float
        Of a bit.
    phase : float
        Where in a cycle the first edge lies.
    """

    def __init__(self, cycles: float, phase: float) -> None:
        self.cycles = cycles
        self.time = phase + 3
        self.edges: list[tuple[float, int]] = []

    def bits(self, *levels: int) -> None:
        for level in levels:
            self.edges.append((self.time, level))
            self.time += self.cycles

    def byte(self, value: int, stop: int = 1) -> None:
        self.bits(0, *(value >> bit & 1 for bit in range(8)), stop)

    def drive(self, receiver: UartReceiver) -> Any:
        async def bench(ctx: Any) -> None:
            edges = list(self.edges)
            for cycle in range(int(self.time + 4 * self.cycles) + 8):
                while edges and edges[0][0] <= cycle + 1:
                    ctx.set(receiver.pin, edges.pop(0)[1])
                await ctx.tick()

        return bench


def receive(wave: Wave, cycles: float) -> list[int]:
    receiver = UartReceiver()
    got: list[int] = []

    async def start(ctx: Any) -> None:
        ctx.set(receiver.divisor, fixed(cycles))
        await wave.drive(receiver)(ctx)

    simulate(receiver, start, watch=[collect(None, receiver, got)], cycles=200_000)
    return got


@pytest.mark.parametrize("cycles", DIVISORS)
@pytest.mark.parametrize("phase", [0.0, 0.4, 0.9])
def test_bytes_are_received_at_every_rate_and_phase(cycles: float, phase: float) -> None:
    wave = Wave(cycles, phase)
    for byte in BYTES:
        wave.byte(byte)
    assert receive(wave, cycles) == BYTES


@pytest.mark.parametrize("cycles", [4.0, 8.34, 25.0])
@pytest.mark.parametrize("error", [-0.02, 0.02])
@pytest.mark.parametrize("phase", [0.0, 0.5, 0.9])
def test_a_sender_may_be_two_percent_off(cycles: float, error: float, phase: float) -> None:
    wave = Wave(cycles * (1 + error), phase)
    for byte in BYTES:
        wave.byte(byte)
    assert receive(wave, cycles) == BYTES


def test_a_byte_without_stop_bit_is_dropped_and_the_next_is_found() -> None:
    wave = Wave(8, 0.2)
    wave.byte(0x33)
    wave.byte(0x44, stop=0)
    wave.bits(0, 0, 0, 1)
    wave.byte(0x55)
    assert receive(wave, 8) == [0x33, 0x55]


def test_a_spike_is_no_start_bit() -> None:
    wave = Wave(8, 0.2)
    wave.byte(0x12)
    wave.bits(1, 1)
    wave.edges += [(wave.time, 0), (wave.time + 2, 1)]
    wave.time += 16
    wave.byte(0x34)
    assert receive(wave, 8) == [0x12, 0x34]


@pytest.mark.parametrize("cycles", DIVISORS)
def test_bytes_leave_at_the_rate_and_without_a_pause(cycles: float) -> None:
    transmitter = UartTransmitter()
    levels: list[int] = []

    async def watch(ctx: Any) -> None:
        while True:
            (level,) = (await ctx.tick().sample(transmitter.pin))[2:]
            levels.append(level)

    async def bench(ctx: Any) -> None:
        ctx.set(transmitter.divisor, fixed(cycles))
        await send(ctx, transmitter.bytes, BYTES)
        await ctx.tick().repeat(int(12 * cycles))

    simulate(transmitter, bench, watch=[watch], cycles=200_000)
    start = levels.index(0)
    exact = fixed(cycles) / (1 << FRACTION_BITS)
    for index, byte in enumerate(BYTES):
        bits = [0, *(byte >> bit & 1 for bit in range(8)), 1]
        for bit, level in enumerate(bits):
            middle = start + (10 * index + bit + 0.5) * exact
            assert levels[int(middle)] == level, (index, bit)
    assert all(levels[start + int(10 * len(BYTES) * exact) + 1 :])


def test_a_bit_clock_loses_no_fraction() -> None:
    clock = BitClock()
    ticks: list[int] = []

    async def bench(ctx: Any) -> None:
        ctx.set(clock.divisor, fixed(8 + 85 / 256))
        for cycle in range(256 * 40):
            (tick,) = (await ctx.tick().sample(clock.tick))[2:]
            if tick:
                ticks.append(cycle)

    simulate(clock, bench)
    gaps = [after - before for before, after in pairwise(ticks[1:])]
    assert set(gaps) == {8, 9}
    assert sum(gaps[:1024]) == 1024 * 8 + 85 * 4


@pytest.mark.parametrize("cycles", [4.0, 8.34])
def test_what_is_sent_is_received(cycles: float) -> None:
    m = Module()
    m.submodules.transmitter = transmitter = UartTransmitter()
    m.submodules.receiver = receiver = UartReceiver()
    m.d.comb += receiver.pin.eq(transmitter.pin)
    got: list[int] = []

    async def bench(ctx: Any) -> None:
        ctx.set(transmitter.divisor, fixed(cycles))
        ctx.set(receiver.divisor, fixed(cycles))
        await send(ctx, transmitter.bytes, BYTES, 0.4, 1)
        await ctx.tick().repeat(int(12 * cycles))

    simulate(m, bench, watch=[collect(None, receiver, got)])
    assert got == BYTES


def test_a_rate_is_cycles_with_a_fraction() -> None:
    assert divisor_for(48e6, 12e6) == LEAST_CYCLES << FRACTION_BITS
    assert divisor_for(25e6, 3e6) == round(25 / 3 * 256)


@pytest.mark.parametrize(("clock", "baud"), [(25e6, 12e6), (100e6, 9)])
def test_a_rate_that_the_clock_cannot_make_is_refused(clock: float, baud: float) -> None:
    with pytest.raises(ValueError, match="give from 4 to 65535 cycles a bit"):
        divisor_for(clock, baud)
