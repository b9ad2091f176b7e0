# SPDX-License-Identifier: BSD-2-Clause

"""The rounding multiplier narrows exact products, at a constant latency."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from support.benches import simulate
from support.effort import examples

from dualgate.contract.formats import saturate
from dualgate_hw.common.rounding import ROUNDING_LATENCY, RoundingMultiplier

FACTOR = st.sampled_from([-(1 << 17), (1 << 17) - 1, -1, 0, 1, 1 << 14]) | st.integers(
    -(1 << 17), (1 << 17) - 1
)
REQUESTS = st.lists(st.tuples(FACTOR, FACTOR, st.integers(0, 63), st.booleans()), min_size=1)


def narrowed(left: int, right: int, shift: int) -> tuple[int, int]:
    rounded = (left * right + ((1 << shift) >> 1)) >> shift
    clipped, count = saturate(np.array([rounded]), 16)
    return int(clipped[0]), count


@examples(30)
@given(REQUESTS)
def test_products_are_rounded_half_upwards_and_saturated(
    requests: list[tuple[int, int, int, bool]],
) -> None:
    unit = RoundingMultiplier()

    async def bench(ctx: Any) -> None:
        expected: dict[int, tuple[int, int]] = {}
        last = None
        for cycle in range(len(requests) + ROUNDING_LATENCY + 2):
            start = False
            if cycle < len(requests):
                left, right, shift, start = requests[cycle]
                ctx.set(unit.left, left)
                ctx.set(unit.right, right)
                ctx.set(unit.shift, shift)
                if start:
                    expected[cycle + ROUNDING_LATENCY] = narrowed(left, right, shift)
            ctx.set(unit.start, start)
            sampled = await ctx.tick().sample(unit.done, unit.result, unit.clipped)
            done, result, clipped = sampled[2:]
            assert bool(done) == (cycle in expected)
            last = expected.get(cycle, last)
            if last is not None:
                assert (result, clipped) == last

    simulate(unit, bench)
