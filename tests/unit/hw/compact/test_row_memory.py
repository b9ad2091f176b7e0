# SPDX-License-Identifier: BSD-2-Clause

"""The row memory of the compact engine (compact/row_memory.py)."""

from typing import Any

import pytest
from support.benches import simulate

from dualgate.contract.engine import EngineParameters
from dualgate_hw.common.shapes import Shapes
from dualgate_hw.compact.parts import Places, Plane
from dualgate_hw.compact.row_memory import RowMemory

NEURONS = 4


def store_of(rows: int, vectors: int) -> RowMemory:
    engine = EngineParameters(NEURONS, arrays=1, compact=1, rows=rows, vectors=vectors)
    return RowMemory(Places(Shapes(engine, contexts=1)))


@pytest.mark.parametrize(("rows", "vectors"), [(6, 2), (8, 2), (4, 4), (3, 4)])
def test_planes_do_not_share_a_word(rows: int, vectors: int) -> None:
    """Nor do sums, of which there may be more than rows: one for each unit of a layer."""
    store = store_of(rows, vectors)
    words = {
        (plane, row): 1 + 100 * plane + row
        for plane in Plane
        for row in range(vectors * NEURONS if plane is Plane.SUMS else rows)
    }

    async def bench(ctx: Any) -> None:
        ctx.set(store.control.row_write, (1 << NEURONS) - 1)
        for (plane, row), word in words.items():
            ctx.set(store.control.plane, plane)
            ctx.set(store.row, row)
            ctx.set(store.control.row_data, word)
            await ctx.tick()
        ctx.set(store.control.row_write, 0)
        ctx.set(store.control.read, 1)
        for (plane, row), word in words.items():
            ctx.set(store.control.plane, plane)
            ctx.set(store.row, row)
            await ctx.tick()
            assert ctx.get(store.read.as_value()) == word

    simulate(store, bench)


def test_a_word_that_was_read_stays_until_another_is_read() -> None:
    store = store_of(8, 2)

    async def bench(ctx: Any) -> None:
        for row in (1, 2):
            ctx.set(store.row, row)
            ctx.set(store.control.row_data, 11 * row)
            ctx.set(store.control.row_write, 0b0001)
            await ctx.tick()
        ctx.set(store.control.row_write, 0)
        ctx.set(store.row, 1)
        ctx.set(store.control.read, 1)
        await ctx.tick()
        ctx.set(store.control.read, 0)
        ctx.set(store.row, 2)
        await ctx.tick().repeat(3)
        assert ctx.get(store.read[0]) == 11

    simulate(store, bench)
