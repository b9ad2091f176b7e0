# SPDX-License-Identifier: BSD-2-Clause

"""The delta unit: shifts in both directions, rounding of halves, saturation, constant latency."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from support.benches import simulate, small_shapes
from support.effort import examples

from dualgate_hw.lanes.tangent.delta import DELTA_LATENCY, SHIFT_MAX, SHIFT_MIN, DeltaUnit
from dualgate_hw.lanes.tangent.layouts import delta_sum
from dualgate_sim.golden.exact import Tally, narrow

SHAPES = small_shapes(4, groups=16)
WIDTH = delta_sum(SHAPES).width
EDGE = 1 << (WIDTH - 1)
SUMS = (
    st.sampled_from([-EDGE, EDGE - 1, -1, 0, 1])
    | st.integers(-EDGE, EDGE - 1)
    | st.integers(-(1 << 17), 1 << 17)
    | st.builds(lambda bit, off: (1 << bit) + off, st.integers(0, WIDTH - 2), st.integers(-1, 1))
)
FRACS = st.integers(-60, 80) | st.integers(SHIFT_MIN, SHIFT_MAX) | st.integers(-2048, 2047)
TAGS = st.lists(st.tuples(SUMS, FRACS, st.integers(0, 3), st.booleans()), min_size=1, max_size=60)


def updated(delta: int, frac: int) -> tuple[int, int]:
    tally = Tally()
    shift = np.clip(frac, SHIFT_MIN, SHIFT_MAX)
    scalar = narrow(np.array([float(delta)]), shift, tally, "saturated_updates")
    return int(scalar[0]), tally.saturated_updates


@examples(40)
@given(TAGS)
def test_sums_become_update_scalars_as_in_the_golden_model(
    tags: list[tuple[int, int, int, bool]],
) -> None:
    unit = DeltaUnit(SHAPES)

    async def bench(ctx: Any) -> None:
        expected = {}
        for cycle in range(len(tags) + DELTA_LATENCY + 1):
            start = False
            if cycle < len(tags):
                delta, frac, slot, start = tags[cycle]
                ctx.set(unit.delta, delta)
                ctx.set(unit.frac, frac)
                ctx.set(unit.slot, slot)
                if start:
                    expected[cycle + DELTA_LATENCY] = (*updated(delta, frac), slot)
            ctx.set(unit.start, start)
            sampled = await ctx.tick().sample(unit.done, unit.update, unit.clipped, unit.done_slot)
            assert bool(sampled[2]) == (cycle in expected)
            if cycle in expected:
                assert sampled[3:] == expected[cycle]

    simulate(unit, bench)
