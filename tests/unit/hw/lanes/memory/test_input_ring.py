# SPDX-License-Identifier: BSD-2-Clause

"""The input ring returns lists as they were written, whatever the update lane reads meanwhile."""

from collections import deque
from typing import Any

import numpy as np
import pytest
from support.benches import numbers, simulate, small_shapes

from dualgate.contract.engine import EngineParameters
from dualgate_hw.common.shapes import Shapes
from dualgate_hw.lanes.memory.input_ring import InputRing
from dualgate_sim.testing.streams import plain

pytestmark = pytest.mark.slow

RING = 64


def shapes(listed: int) -> Shapes:
    small = small_shapes(2)
    return Shapes(small.engine, small.contexts, small.slots, small.threads, listed)


@pytest.mark.parametrize("listed", [16, RING, 0])
@pytest.mark.parametrize("busy", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_lists_are_readable_from_three_cycles_after_their_end_on(
    listed: int, busy: float, seed: int
) -> None:
    """Entries come without a gap; the update lane reads in every second cycle at most."""
    built = shapes(listed)
    part = InputRing(built)
    random = np.random.default_rng(seed)
    longest = built.engine.inputs
    flying: deque[tuple[int, list[Any]]] = deque()
    stays = 3 if listed == 0 else 2

    def entry(value: int) -> dict[str, int]:
        return {"value": value, "index": int(random.integers(longest))}

    async def fill(ctx: Any) -> None:
        context = 0
        ctx.set(part.inputs, longest - 1)
        await ctx.tick().repeat(3)
        for _ in range(60):
            while not ctx.get(part.room) or len(flying) == built.contexts:
                await leave(ctx)
            dropped = random.random() < 0.2
            count = int(random.integers(1, longest + 1))
            entries = [entry(value) for value in numbers(random, count)]
            for place, one in enumerate(entries):
                ctx.set(part.writer.entry, one)
                ctx.set(part.writer.en, 1)
                ctx.set(part.writer.end, not dropped and place == count - 1)
                await ctx.tick()
            ctx.set(part.writer.en, 0)
            ctx.set(part.writer.end, 0)
            first = ctx.get(part.writer.first)
            ctx.set(part.writer.drop, dropped)
            ctx.set(part.enters, not dropped)
            ctx.set(part.context, context)
            await ctx.tick()
            ctx.set(part.writer.drop, 0)
            ctx.set(part.enters, 0)
            await ctx.tick().repeat(2)
            if not dropped:
                flying.append((first, entries))
                check(ctx)
                context = (context + 1) % built.contexts
            if len(flying) > stays:
                await leave(ctx)

    async def leave(ctx: Any) -> None:
        check(ctx)
        flying.popleft()
        ctx.set(part.leaves, 1)
        await ctx.tick()
        ctx.set(part.leaves, 0)
        await ctx.tick().repeat(2)

    def check(ctx: Any) -> None:
        for first, entries in flying:
            for place, one in enumerate(entries):
                word = plain(ctx.get(part.store.data[(first + place // 2) % built.pairs]))
                assert word[place % 2] == one

    async def read(ctx: Any) -> None:
        while True:
            await ctx.tick()
            wants = random.random() < busy
            ctx.set(part.update.en, wants)
            ctx.set(part.update.addr, int(random.integers(built.pairs)))
            await ctx.tick()
            ctx.set(part.update.en, 0)

    simulate(part, fill, watch=[read])


def test_either_port_reads_and_a_list_begins_where_it_was_written() -> None:
    built = shapes(RING)
    part = InputRing(built)
    entries = [{"value": -value, "index": value} for value in range(1, 6)]

    async def bench(ctx: Any) -> None:
        ctx.set(part.update.en, 0)
        for context in range(2):
            for place, one in enumerate(entries):
                ctx.set(part.writer.entry, one)
                ctx.set(part.writer.en, 1)
                ctx.set(part.writer.end, place == len(entries) - 1)
                await ctx.tick()
            ctx.set(part.writer.en, 0)
            ctx.set(part.context, context)
            await ctx.tick().repeat(2)
            ctx.set(part.enters, 1)
            await ctx.tick()
            ctx.set(part.enters, 0)
        ctx.set(part.begin.addr, 1)
        await ctx.tick()
        assert ctx.get(part.begin.data) == 3
        for port in (part.value, part.update):
            for pair in range(2):
                ctx.set(port.addr, 3 + pair)
                ctx.set(port.en, 1)
                await ctx.tick()
                ctx.set(port.en, 0)
                await ctx.tick().repeat(2)
                assert plain(ctx.get(port.data)) == entries[2 * pair : 2 * pair + 2]

    simulate(part, bench)


@pytest.mark.parametrize("listed", [8, 24, 100])
def test_a_ring_is_a_power_of_two_and_holds_the_longest_list(listed: int) -> None:
    with pytest.raises(ValueError, match=f"a ring of {listed} entries for lists of 16"):
        Shapes(EngineParameters(2, inputs=16), listed=listed)
