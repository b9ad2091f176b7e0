# SPDX-License-Identifier: BSD-2-Clause

"""The multipliers and the narrower (compact/multipliers.py)."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from support.benches import numbers, simulate
from support.effort import examples

from dualgate.contract.engine import EngineParameters
from dualgate.contract.formats import round_shift, saturate
from dualgate_hw.common.shapes import Shapes
from dualgate_hw.compact.multipliers import Multipliers, Narrower
from dualgate_hw.compact.parts import Places

NEURONS = 4
PLACES = Places(
    Shapes(EngineParameters(NEURONS, arrays=1, compact=1, inputs=256, activations=64), contexts=1)
)
LEAST, MOST = -(1 << 39), (1 << 39) - 1


async def request(ctx: Any, control: Any, **asked: int) -> None:
    """Drive control signals for a cycle."""
    for name, value in asked.items():
        ctx.set(getattr(control, name), value)
    await ctx.tick()
    for name in asked:
        ctx.set(getattr(control, name), 0)


async def load(ctx: Any, part: Multipliers, scalar: int, row: list[int]) -> None:
    ctx.set(part.row, [value & 0xFFFF for value in row])
    await request(ctx, part.control, load_scalar=1, scalar=scalar, load_row=1)


def test_a_lane_adds_up_the_products_of_a_list() -> None:
    part = Multipliers(PLACES)
    random = np.random.default_rng(2)
    scalars = numbers(random, 40)
    rows = [numbers(random, NEURONS) for _ in scalars]

    async def bench(ctx: Any) -> None:
        await request(ctx, part.control, clear=1)
        for scalar, row in zip(scalars, rows, strict=True):
            await load(ctx, part, scalar, row)
            await request(ctx, part.control, step=1)
        for lane in range(NEURONS):
            ctx.set(part.lane, lane)
            expected = sum(s * r[lane] for s, r in zip(scalars, rows, strict=True))
            assert ctx.get(part.sum) == expected

    simulate(part, bench)


def test_the_longest_sum_of_the_largest_products_does_not_overflow() -> None:
    part = Multipliers(PLACES)

    async def bench(ctx: Any) -> None:
        for scalar in (-32768, 32767, -1, 255):
            await load(ctx, part, scalar, [-32768, 32767, -32768, 32767])
            await request(ctx, part.control, clear=1)
            for _ in range(PLACES.terms):
                await request(ctx, part.control, step=1)
            for lane, factor in enumerate((-32768, 32767)):
                ctx.set(part.lane, lane)
                assert ctx.get(part.sum) == PLACES.terms * scalar * factor

    simulate(part, bench)


def test_a_whole_product_is_in_the_first_sum_after_a_step() -> None:
    part = Multipliers(PLACES)
    random = np.random.default_rng(4)

    async def bench(ctx: Any) -> None:
        for _ in range(20):
            (scalar,), row = numbers(random, 1), numbers(random, NEURONS)
            await load(ctx, part, scalar, row)
            await request(ctx, part.control, clear=1)
            await request(ctx, part.control, step=1, whole=1)
            found = [ctx.get(product) for product in part.products]
            assert found == [scalar * factor for factor in row]

    simulate(part, bench)


def test_factors_move_up_as_one_is_loaded_into_the_first_lane() -> None:
    part = Multipliers(PLACES)

    async def bench(ctx: Any) -> None:
        for factor in (3, -4, 5, -6):
            await request(ctx, part.control, load_factor=1, factor=factor)
        await request(ctx, part.control, load_scalar=1, scalar=1, clear=1)
        await request(ctx, part.control, step=1, whole=1)
        assert [ctx.get(product) for product in part.products] == [-6, 5, -4, 3]

    simulate(part, bench)


def test_the_first_lane_alone_clears_and_adds_while_others_keep_sums() -> None:
    part = Multipliers(PLACES)

    async def bench(ctx: Any) -> None:
        await load(ctx, part, 300, [1, 2, 3, 4])
        await request(ctx, part.control, clear=1)
        await request(ctx, part.control, step=1)
        await request(ctx, part.control, clear=1, alone=1, load_factor=1, factor=-7)
        await request(ctx, part.control, step=1, alone=1)
        found = []
        for lane in range(NEURONS):
            ctx.set(part.lane, lane)
            found.append(ctx.get(part.sum))
        assert found == [-2100, 600, 900, 1200]

    simulate(part, bench)


NUMBERS = st.one_of(
    st.integers(LEAST, MOST),
    st.integers(-70000, 70000),
    # Around the bounds of 16 bits and half a unit beyond them, whatever the shift.
    st.builds(
        lambda sign, near, shift: max(LEAST, min(MOST, (sign * (2 << 15) + near << shift) >> 1)),
        st.sampled_from([-1, 1]),
        st.integers(-3, 3),
        st.integers(0, 22),
    ),
)


@examples(8)
@given(cases=st.lists(st.tuples(NUMBERS, st.integers(0, 63), st.booleans()), min_size=30))
def test_a_number_is_shifted_rounded_and_clipped(
    cases: list[tuple[int, int, bool]],
) -> None:
    part = Narrower(PLACES)

    async def bench(ctx: Any) -> None:
        for number, shift, rounds in cases:
            ctx.set(part.shift, shift)
            ctx.set(part.rounds, rounds)
            await take(ctx, part, number)
            assert ctx.get(part.total) == number
            await ctx.tick()
            moved = number >> min(shift, 62)
            if rounds:
                moved = int(round_shift(np.int64(number), np.int64(min(shift, 62))))
            expected, clipped = saturate(np.array([moved]), 16)
            assert ctx.get(part.narrow) == expected[0]
            assert ctx.get(part.clipped) == clipped

    simulate(part, bench)


async def take(ctx: Any, part: Narrower, number: int, measure: int = 1) -> None:
    """Let the narrower take a number for a cycle."""
    for name, value in (("number", number), ("take", 1), ("measure", measure)):
        ctx.set(getattr(part, name), value)
    await ctx.tick()
    ctx.set(part.take, 0)


@examples(20)
@given(st.lists(st.lists(st.tuples(NUMBERS, st.booleans()), max_size=6), min_size=5))
def test_the_longest_of_several_magnitudes_is_measured(
    runs: list[list[tuple[int, bool]]],
) -> None:
    part = Narrower(PLACES)

    async def bench(ctx: Any) -> None:
        for run in runs:
            ctx.set(part.forget, 1)
            await ctx.tick()
            ctx.set(part.forget, 0)
            for number, measured in run:
                await take(ctx, part, number, measured)
            await ctx.tick().repeat(3)
            wanted = [number for number, measured in run if measured]
            magnitudes = [number if number >= 0 else ~number for number in wanted]
            highest = max([magnitude.bit_length() for magnitude in magnitudes], default=0) - 1
            assert ctx.get(part.highest) == max(0, highest)
            assert ctx.get(part.some) == any(wanted)

    simulate(part, bench)
