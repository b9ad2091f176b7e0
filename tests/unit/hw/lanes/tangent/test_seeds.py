# SPDX-License-Identifier: BSD-2-Clause

"""Seeds: the chunks that start, their jobs, and the cycles that the walk takes."""

from typing import Any

import pytest
from amaranth import Module
from support.benches import attach, descriptors, flagged_job, simulate, small_shapes, watcher

from dualgate.contract.engine import EngineParameters
from dualgate.contract.layout import Layout
from dualgate.contract.network import Network
from dualgate_hw.lanes.tangent.seeds import Seeds

NEURONS = 4
LANES = [1, 2, 3]
NETWORK = Network((2, 6, 5, 3), ("sigmoid", "relu"))
SLOPES = [[5, 0, 7, 16384], [0, 9, 0, 0], [3, -2, 16384, 1], [16384, 0, 0, 0]]
"""Rows of the two hidden layers: units 0 to 3, 4 and 5; then 0 to 3, and 4."""

LAYERS = Layout(NETWORK, EngineParameters(NEURONS).grown(NETWORK), 12).descriptors


def part(m: Module, lanes: int, slopes: list[list[int]]) -> Seeds:
    shapes = small_shapes(NEURONS, tangent_lanes=lanes)
    m.submodules.seeds = seeds = Seeds(shapes)
    descriptors(m, seeds, LAYERS)
    attach(m, "slopes", seeds.slopes, shapes.vector, 64, slopes)
    return seeds


def run(lanes: int) -> tuple[list[tuple[int, Any]], list[tuple[int, Any]], int]:
    """Return the jobs, the chunks started and the cycles spent; slot and taker are always there."""
    m = Module()
    context = [[0] * NEURONS] * 16
    seeds = part(m, lanes, context * 2 + SLOPES)
    words = watcher(seeds.job.valid, seeds.job.payload)
    chunks = watcher(seeds.chunk_start, seeds.chunk)
    spent: list[int] = []

    async def bench(ctx: Any) -> None:
        for signal in (seeds.slot_free, seeds.job.ready, seeds.clear_ready):
            ctx.set(signal, 1)
        ctx.set(seeds.slot, 3)
        ctx.set(seeds.sample, 2)
        ctx.set(seeds.start, 1)
        await ctx.tick()
        ctx.set(seeds.start, 0)
        cycles = 0
        while ctx.get(seeds.active):
            await ctx.tick()
            cycles += 1
        spent.append(cycles)

    simulate(m, bench, watch=[words[0], chunks[0]])
    return words[1], chunks[1], spent[0]


def chunks_of(slopes: list[int], lanes: int) -> list[list[int]]:
    """Return the units of each chunk: those with a slope, `lanes` at a time."""
    seeded = [unit for unit, slope in enumerate(slopes) if slope]
    return [seeded[start : start + lanes] for start in range(0, len(seeded), lanes)]


def expected(lanes: int) -> tuple[list[Any], list[Any]]:
    """Return the jobs and the chunks of `SLOPES`."""
    words, chunks = [], []
    places = [(0, 0), (0, 1), (1, 0), (1, 1)]
    for address, ((index, group), slopes) in enumerate(zip(places, SLOPES, strict=True)):
        following = LAYERS[index + 1]
        for units in chunks_of(slopes, lanes):
            absent = lanes - len(units)
            chunks.append(
                {
                    "context": 2,
                    "layer": index + 1,
                    "origin": index,
                    "address": address,
                    "present": (1 << len(units)) - 1,
                    "unit": [*units, *[0] * absent],
                    "frac": [(16, 14)[index]] * lanes,
                }
            )
            for target in range(following["groups"]):
                # With a single lane the flag alone selects the entry.
                scalars = [slopes] if lanes == 1 else [[0] * NEURONS for _ in range(lanes)]
                for lane, unit in enumerate(units):
                    scalars[lane][unit] = slopes[unit]
                first = following["weight_base"] + target * (following["inputs"] + 1)
                words.append(
                    flagged_job(
                        sum(1 << unit for unit in units),
                        scalars=scalars,
                        row=first + group * NEURONS,
                        end=1,
                        meta={
                            "slot": 3,
                            "group": target,
                            "final": int(target == following["groups"] - 1),
                        },
                    )
                )
    return words, chunks


@pytest.mark.parametrize("lanes", LANES)
def test_nonzero_slopes_start_chunks_of_k_tags_for_each_next_group(
    lanes: int,
) -> None:
    words, chunks, _ = run(lanes)
    assert ([word for _, word in words], [chunk for _, chunk in chunks]) == expected(lanes)
    assert len(chunks) == {1: 9, 2: 6, 3: 5}[lanes]


@pytest.mark.parametrize("lanes", LANES)
def test_cycles_are_those_stated(lanes: int) -> None:
    words, _, cycles = run(lanes)
    layers, slope_words = 2, 4
    # The output layer ends the walk; its descriptor takes 2 cycles.
    assert cycles == 3 * layers + 4 * slope_words + len(words) + 2


@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("missing", ["slot_free", "job"])
def test_no_chunk_starts_without_a_slot_or_a_taker(missing: str, lanes: int) -> None:
    m = Module()
    seeds = part(m, lanes, SLOPES)
    watch, chunks = watcher(seeds.chunk_start, seeds.slot)

    async def bench(ctx: Any) -> None:
        ctx.set(seeds.clear_ready, 1)
        ctx.set(seeds.slot_free, missing != "slot_free")
        ctx.set(seeds.job.ready, missing != "job")
        ctx.set(seeds.start, 1)
        await ctx.tick()
        ctx.set(seeds.start, 0)
        await ctx.tick().repeat(60)
        assert ctx.get(seeds.active)

    simulate(m, bench, watch=[watch])
    assert chunks == []


def test_seeds_wait_until_the_slopes_of_their_layer_are_written() -> None:
    m = Module()
    seeds = part(m, 1, SLOPES)
    watch, chunks = watcher(seeds.chunk_start, seeds.chunk.origin)
    counts = []

    async def bench(ctx: Any) -> None:
        for port in (seeds.clear_ready, seeds.slot_free, seeds.job.ready, seeds.partial):
            ctx.set(port, 1)
        ctx.set(seeds.start, 1)
        await ctx.tick()
        ctx.set(seeds.start, 0)
        for written in range(3):
            ctx.set(seeds.written, written)
            await ctx.tick().repeat(60)
            counts.append(len(chunks))
            assert ctx.get(seeds.active) == (written < 2)

    simulate(m, bench, watch=[watch])
    assert [origin for _, origin in chunks] == [0] * 4 + [1] * 5
    assert counts == [0, 4, 9]
