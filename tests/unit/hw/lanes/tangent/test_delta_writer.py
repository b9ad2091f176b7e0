# SPDX-License-Identifier: BSD-2-Clause

"""The delta writer: update scalars at their units' places, and rows cleared in between."""

from typing import Any

from amaranth import Module
from support.benches import attach, contents, simulate, small_shapes

from dualgate_hw.lanes.tangent.delta import DELTA_LATENCY
from dualgate_hw.lanes.tangent.delta_writer import DeltaWriter

SHAPES = small_shapes(4, tangent_lanes=3)
STALE = [9, 9, 9, 9]
CHUNK = {
    "context": 2,
    "layer": 1,
    "address": 5,
    "present": 0b101,
    "unit": [3, 0, 1],
    "frac": [2, 0, -1],
}
"""A chunk with two of three tags; the absent one has entry 0 for its unit."""


def run(cycle_of_clear: int) -> tuple[Any, list[int], Any]:
    """End a chunk in cycle 0, and request a clear in a later one.

    Returns the memory of update scalars, the cycles in which a clear was granted, and the counts of
    saturation in each cycle.
    """
    m = Module()
    m.submodules.writer = writer = DeltaWriter(SHAPES)
    depth = SHAPES.engine.vectors * SHAPES.contexts
    store = attach(m, "deltas", writer.deltas, SHAPES.vector, depth, [STALE] * depth)
    found: list[Any] = []
    granted: list[int] = []
    saturated: list[int] = []

    async def bench(ctx: Any) -> None:
        for lookup in (writer.contracting, writer.ending):
            ctx.set(lookup.chunk, CHUNK)
        ctx.set(writer.clear_context, 1)
        ctx.set(writer.clear_address, 3)
        # The note comes a cycle before the sums.
        ctx.set(writer.next_note, {"note": {"slot": 2}, "gain": [1, 0, 0]})
        await ctx.tick()
        ctx.set(writer.next_note, {"note": {"slot": 0}, "gain": [7, 7, 7]})
        ctx.set(writer.note, {"note": {"slot": 2}})
        ctx.set(writer.delta, [80, 1, 1 << 15])
        ctx.set(writer.contracted, 1)
        for cycle in range(DELTA_LATENCY + 3):
            ctx.set(writer.clear, cycle >= cycle_of_clear and not granted)
            ended = (ctx.get(writer.ended.valid), ctx.get(writer.ended.slot))
            assert ended[0] == (cycle == DELTA_LATENCY)
            if ended[0]:
                assert ended[1] == ctx.get(writer.ending.slot) == 2
            if ctx.get(writer.clear) and ctx.get(writer.clear_ready):
                granted.append(cycle)
            saturated.append(ctx.get(writer.saturated))
            await ctx.tick()
            ctx.set(writer.contracted, 0)
        found.extend(contents(ctx, store))

    simulate(m, bench)
    return found, granted, saturated


def expected() -> list[list[int]]:
    """Return the memory after the chunk's write and the clear of another row."""
    rows = [STALE] * (SHAPES.engine.vectors * SHAPES.contexts)
    rows[2 * SHAPES.engine.vectors + 5] = [9, 32767, 9, 10]
    rows[1 * SHAPES.engine.vectors + 3] = [0, 0, 0, 0]
    return rows


def test_present_tags_are_written_to_their_units_alone() -> None:
    found, _, saturated = run(0)
    assert found == expected()
    assert saturated == [int(cycle == DELTA_LATENCY) for cycle in range(DELTA_LATENCY + 3)]


def test_a_clear_waits_only_for_the_cycle_of_a_write() -> None:
    for cycle in range(DELTA_LATENCY + 2):
        found, granted, _ = run(cycle)
        assert found == expected()
        assert granted == [cycle + (cycle == DELTA_LATENCY)]
