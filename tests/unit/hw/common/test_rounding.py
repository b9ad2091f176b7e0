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
REQUESTS = st.lists(st.tuples(FACTOR, FACTOR, st.integers(0, 63)), min_size=1)


def narrowed(left: int, right: int, shift: int) -> tuple[int, int]:
    rounded = (left * right + ((1 << shift) >> 1)) >> shift
    clipped, count = saturate(np.array([rounded]), 16)
    return int(clipped[0]), count


@examples(30)
@given(REQUESTS)
def test_a_product_a_cycle_is_rounded_half_upwards_and_saturated(
    requests: list[tuple[int, int, int]],
) -> None:
    unit = RoundingMultiplier()
    results = []

    async def bench(ctx: Any) -> None:
        for left, right, shift in requests + [(0, 0, 0)] * ROUNDING_LATENCY:
            ctx.set(unit.left, left)
            ctx.set(unit.right, right)
            ctx.set(unit.shift, shift)
            results.append((await ctx.tick().sample(unit.result, unit.clipped))[2:])

    simulate(unit, bench)
    assert results[ROUNDING_LATENCY:] == [narrowed(*request) for request in requests]
