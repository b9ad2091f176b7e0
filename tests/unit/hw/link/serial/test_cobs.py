# SPDX-License-Identifier: BSD-2-Clause

"""COBS in gateware agrees with the package `cobs`, also on bytes that are not frames."""

import random
from typing import Any

import pytest
from amaranth.sim import Simulator
from cobs import cobs
from support.benches import STALLS, simulate

from dualgate_hw.link.serial.cobs import CobsDecoder, CobsEncoder
from dualgate_sim.testing.streams import receive, send

pytestmark = pytest.mark.slow


def bodies() -> list[bytes]:
    """Return frames with blocks that are empty, short, just full and longer."""
    dice = random.Random(4)
    found = [b"\0", b"\1", b"\0\0", b"\1\0", b"\0\1"]
    for length in (253, 254, 255, 509):
        found += [b"\7" * length, b"\7" * length + b"\0", b"\0" + b"\7" * length]
    for _ in range(10):
        length = dice.randrange(1, 300)
        found.append(bytes(dice.choice((0, 1, 255)) for _ in range(length)))
    return found


def decode(line: bytes) -> list[tuple[bytes, int]]:
    """Return each frame that the gateware finds, and whether it was whole."""
    decoder = CobsDecoder()
    found: list[tuple[bytes, int]] = []

    async def bench(ctx: Any) -> None:
        body = bytearray()
        ctx.set(decoder.encoded.valid, 1)
        out = decoder.decoded
        for byte in line:
            ctx.set(decoder.encoded.payload, byte)
            valid, what = (await ctx.tick().sample(out.valid, out.payload))[2:]
            if valid and what.end:
                found.append((bytes(body), what.whole))
                body.clear()
            elif valid:
                body.append(what.byte)

    simulator = Simulator(decoder)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return found


def test_frames_are_decoded() -> None:
    frames = bodies()
    line = b"".join(cobs.encode(body) + b"\0" for body in frames)
    assert decode(line) == [(body, 1) for body in frames]


def test_random_bytes_decode_as_the_package_has_it() -> None:
    dice = random.Random(5)
    line = bytes(dice.choice((0, 1, 2, 3, 4, 9, 255)) for _ in range(20_000)) + b"\0"
    expected = []
    for part in filter(None, line.split(b"\0")):
        try:
            expected.append((cobs.decode(part), 1))
        except cobs.DecodeError:
            expected.append((b"", 0))
    found = [(body if whole else b"", whole) for body, whole in decode(line)]
    assert found == expected
    assert any(whole for _, whole in found)
    assert not all(whole for _, whole in found)


@pytest.mark.parametrize("odds", STALLS[:4])
def test_frames_are_encoded(odds: tuple[float, float]) -> None:
    encoder = CobsEncoder()
    frames = bodies()
    expected = b"".join(cobs.encode(body) + b"\0" for body in frames)
    payloads = [
        {"byte": byte, "last": index == len(body) - 1}
        for body in frames
        for index, byte in enumerate(body)
    ]
    got: list[tuple[int, Any]] = []

    async def source(ctx: Any) -> None:
        await send(ctx, encoder.frame, payloads, odds[0], 1)

    async def sink(ctx: Any) -> None:
        got.extend(await receive(ctx, encoder.encoded, len(expected), odds[1], 2))

    simulate(encoder, source, sink, cycles=200_000)
    assert bytes(byte for _, byte in got) == expected


def test_encoding_a_long_frame_takes_a_byte_a_cycle_but_for_its_codes() -> None:
    encoder = CobsEncoder()
    body = b"\7" * 254 * 4
    taken: list[int] = []

    async def source(ctx: Any) -> None:
        payloads = [{"byte": byte, "last": at == len(body) - 1} for at, byte in enumerate(body)]
        taken.extend(await send(ctx, encoder.frame, payloads))

    async def sink(ctx: Any) -> None:
        await receive(ctx, encoder.encoded, len(body) + 5)

    simulate(encoder, source, sink)
    assert taken[-1] == len(body) - 1 + 3


def test_a_sink_that_never_takes_stops_the_source_and_loses_nothing() -> None:
    encoder = CobsEncoder()
    taken = 0

    async def bench(ctx: Any) -> None:
        nonlocal taken
        ctx.set(encoder.frame.valid, 1)
        ctx.set(encoder.frame.payload, {"byte": 5, "last": 0})
        for _ in range(2000):
            (ready,) = (await ctx.tick().sample(encoder.frame.ready))[2:]
            taken += ready
        ctx.set(encoder.frame.payload, {"byte": 5, "last": 1})
        ctx.set(encoder.encoded.ready, 1)
        out = bytearray()
        while not out.endswith(b"\0"):
            valid, byte, ready = (
                await ctx.tick().sample(
                    encoder.encoded.valid, encoder.encoded.payload, encoder.frame.ready
                )
            )[2:]
            if ready:
                taken += ctx.get(encoder.frame.valid)
                ctx.set(encoder.frame.valid, 0)
            if valid:
                out.append(byte)
        assert cobs.decode(bytes(out[:-1])) == b"\5" * taken

    simulate(encoder, bench)
    assert 500 < taken < 513
