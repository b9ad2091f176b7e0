# SPDX-License-Identifier: BSD-2-Clause

"""Each counter adds up its own events, and all are cleared together."""

from typing import Any

import numpy as np
from amaranth import ResetInserter, Signal
from support.benches import simulate

from dualgate.contract.commands import COUNTERS
from dualgate_hw.common.counters import SETTLES, Counters


async def read(ctx: Any, counters: Counters) -> list[int]:
    values = []
    for index in range(len(COUNTERS)):
        ctx.set(counters.index, index)
        await ctx.tick().repeat(SETTLES)
        values.append(ctx.get(counters.value))
    return values


def test_every_counter_adds_its_own_events() -> None:
    counters = Counters(3)
    random = np.random.default_rng(0)

    async def bench(ctx: Any) -> None:
        totals = np.zeros(len(COUNTERS), np.int64)
        for _ in range(100):
            events = random.integers(8, size=len(COUNTERS)) * (random.random(len(COUNTERS)) < 0.5)
            ctx.set(counters.events, dict(zip(COUNTERS, events.tolist(), strict=True)))
            await ctx.tick()
            totals += events
        ctx.set(counters.events, dict.fromkeys(COUNTERS, 0))
        await ctx.tick()
        assert await read(ctx, counters) == totals.tolist()

    simulate(counters, bench)


def test_clearing_wins_over_events_and_counting_goes_on_from_zero() -> None:
    counters = Counters(1)

    async def bench(ctx: Any) -> None:
        ctx.set(counters.events, dict.fromkeys(COUNTERS, 1))
        await ctx.tick().repeat(5)
        ctx.set(counters.clear, 1)
        await ctx.tick()
        ctx.set(counters.clear, 0)
        ctx.set(counters.events, dict.fromkeys(COUNTERS, 0))
        await ctx.tick().repeat(2)
        # Events are registered before they are added: that of the clearing cycle still counts.
        assert await read(ctx, counters) == [1] * len(COUNTERS)

    simulate(counters, bench)


def test_a_reset_clears_what_a_memory_keeps() -> None:
    counters = Counters(1)
    reset = Signal()

    async def bench(ctx: Any) -> None:
        ctx.set(counters.events, dict.fromkeys(COUNTERS, 1))
        await ctx.tick().repeat(50)
        ctx.set(counters.events, dict.fromkeys(COUNTERS, 0))
        ctx.set(reset, 1)
        await ctx.tick()
        ctx.set(reset, 0)
        assert await read(ctx, counters) == [0] * len(COUNTERS)

    simulate(ResetInserter(reset)(counters), bench)
