"""Multipliers that add up, and the unit that narrows (compact/multipliers.py)."""

from typing import Any

import numpy as np
import pytest
from amaranth import Module
from benches import numbers, simulate
from hypothesis import given, settings
from hypothesis import strategies as st

from dualgate.engine import EngineParameters
from dualgate.formats import round_shift, saturate
from dualgate_hw.compact.multipliers import Multipliers, Narrower
from dualgate_hw.compact.parts import Places
from dualgate_hw.layouts import Shapes

NEURONS = 4
PLACES = Places(
    Shapes(EngineParameters(NEURONS, arrays=1, compact=1, inputs=256, activations=64), contexts=1)
)
LEAST, MOST = -(1 << 39), (1 << 39) - 1


async def request(ctx: Any, use: Any, **asked: int) -> None:
    """Ask for something for a cycle."""
    for name, value in asked.items():
        ctx.set(getattr(use, name), value)
    await ctx.tick()
    for name in asked:
        ctx.set(getattr(use, name), 0)


async def load(ctx: Any, part: Multipliers, scalar: int, row: list[int]) -> None:
    ctx.set(part.row, [value & 0xFFFF for value in row])
    await request(ctx, part.use, load_scalar=1, scalar=scalar, load_row=1)


def test_a_lane_adds_up_the_products_of_a_list() -> None:
    part = Multipliers(PLACES)
    random = np.random.default_rng(2)
    scalars = numbers(random, 40)
    rows = [numbers(random, NEURONS) for _ in scalars]

    async def bench(ctx: Any) -> None:
        await request(ctx, part.use, clear=1)
        for scalar, row in zip(scalars, rows, strict=True):
            await load(ctx, part, scalar, row)
            await request(ctx, part.use, step=1)
        for lane in range(NEURONS):
            ctx.set(part.use.lane, lane)
            expected = sum(s * r[lane] for s, r in zip(scalars, rows, strict=True))
            assert ctx.get(part.sum) == expected

    simulate(part, bench)


def test_the_longest_sum_of_the_largest_products_does_not_overflow() -> None:
    part = Multipliers(PLACES)

    async def bench(ctx: Any) -> None:
        for scalar in (-32768, 32767, -1, 255):
            await load(ctx, part, scalar, [-32768, 32767, -32768, 32767])
            await request(ctx, part.use, clear=1)
            for _ in range(PLACES.terms):
                await request(ctx, part.use, step=1)
            for lane, factor in enumerate((-32768, 32767)):
                ctx.set(part.use.lane, lane)
                assert ctx.get(part.sum) == PLACES.terms * scalar * factor

    simulate(part, bench)


def test_a_whole_product_is_in_the_first_sum_after_a_step() -> None:
    part = Multipliers(PLACES)
    random = np.random.default_rng(4)

    async def bench(ctx: Any) -> None:
        for _ in range(20):
            (scalar,), row = numbers(random, 1), numbers(random, NEURONS)
            await load(ctx, part, scalar, row)
            await request(ctx, part.use, clear=1)
            await request(ctx, part.use, step=1, whole=1)
            found = [ctx.get(product) for product in part.products]
            assert found == [scalar * factor for factor in row]

    simulate(part, bench)


def test_factors_move_down_as_one_is_loaded_into_the_last_lane() -> None:
    part = Multipliers(PLACES)

    async def bench(ctx: Any) -> None:
        for factor in (3, -4, 5, -6):
            await request(ctx, part.use, load_factor=1, factor=factor)
        await request(ctx, part.use, load_scalar=1, scalar=1, clear=1)
        await request(ctx, part.use, step=1, whole=1)
        assert [ctx.get(product) for product in part.products] == [3, -4, 5, -6]

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


@settings(max_examples=8)
@given(cases=st.lists(st.tuples(NUMBERS, st.integers(0, 63), st.booleans()), min_size=30))
def test_a_number_is_measured_shifted_rounded_and_clipped(
    cases: list[tuple[int, int, bool]],
) -> None:
    m = Module()
    m.submodules.part = part = Narrower(PLACES)
    use = part.use

    async def bench(ctx: Any) -> None:
        for number, shift, rounds in cases:
            await request(ctx, use, hold=1, direct=number)
            assert ctx.get(part.total) == number
            assert ctx.get(part.nonzero) == (number != 0)
            assert ctx.get(part.bits) == (number if number >= 0 else ~number).bit_length()
            await request(ctx, use, shift=shift, rounds=int(rounds))
            moved = number >> min(shift, 62)
            if rounds:
                moved = int(round_shift(np.int64(number), np.int64(min(shift, 62))))
            expected, clipped = saturate(np.array([moved]), 16)
            assert ctx.get(part.narrow) == expected[0]
            assert ctx.get(part.clipped) == clipped

    simulate(m, bench)


@pytest.mark.parametrize("lane", range(NEURONS))
def test_the_sum_that_is_taken_is_narrowed_two_cycles_later(lane: int) -> None:
    part = Narrower(PLACES)

    async def bench(ctx: Any) -> None:
        ctx.set(part.sum, 1000 + lane)
        await request(ctx, part.use, take=1, lane=lane)
        ctx.set(part.sum, 0)
        await request(ctx, part.use, shift=1)
        assert ctx.get(part.narrow) == (1000 + lane) >> 1

    simulate(part, bench)
