"""The row memory of the compact engine, and entries of it (compact/store.py)."""

from typing import Any

import numpy as np
import pytest
from amaranth import Module
from benches import simulate

from dualgate.engine import EngineParameters
from dualgate.formats import DIGIT_WIDTH
from dualgate_hw.compact.parts import Places, Plane
from dualgate_hw.compact.store import EntryAccess, RowStore
from dualgate_hw.layouts import Shapes

NEURONS = 4


def parts(rows: int) -> tuple[Module, RowStore, EntryAccess]:
    """A memory whose `use` is the access's, as between samples."""
    engine = EngineParameters(NEURONS, arrays=1, compact=1, rows=rows, inputs=8, activations=8)
    places = Places(Shapes(engine, contexts=1))
    m = Module()
    m.submodules.store = store = RowStore(places)
    m.submodules.access = access = EntryAccess(places)
    for name in ("plane", "row", "row_write", "row_data"):
        m.d.comb += getattr(store.use, name).eq(getattr(access.use, name))
    m.d.comb += access.seen.row.eq(store.read)
    return m, store, access


@pytest.mark.parametrize("rows", [5, 8])
def test_weights_and_velocities_are_read_as_written_in_the_cycles_stated(rows: int) -> None:
    m, _, access = parts(rows)
    entries = access.entries
    random = np.random.default_rng(rows)
    values = {
        wide: random.integers(-limit, limit, (rows, NEURONS)).tolist()
        for wide, limit in ((0, 1 << 31), (1, 1 << 45))
    }
    values[1][0] = [-(1 << 45), (1 << 45) - 1, -1, 0]
    values[0][0] = [-(1 << 31), (1 << 31) - 1, -1, 0]

    async def run(ctx: Any, what: str) -> tuple[int, int]:
        ctx.set(getattr(entries, what), 1)
        cycles = 1
        while not ctx.get(entries.done):
            await ctx.tick()
            cycles += 1
        found = ctx.get(entries.entry)
        await ctx.tick()
        ctx.set(getattr(entries, what), 0)
        return found, cycles

    async def bench(ctx: Any) -> None:
        for what, most in (("write", (2, 3)), ("read", (3, 4))):
            for wide, lines in values.items():
                ctx.set(entries.wide, wide)
                for row, line in enumerate(lines):
                    for lane, value in enumerate(line):
                        ctx.set(entries.row, row)
                        ctx.set(entries.lane, lane)
                        ctx.set(entries.new_entry, value)
                        found, cycles = await run(ctx, what)
                        assert cycles == most[wide]
                        if what == "read":
                            kept = found if wide else (found + (1 << 31)) % (1 << 32) - (1 << 31)
                            assert kept == value

    simulate(m, bench)


@pytest.mark.parametrize(("rows", "vectors"), [(6, 2), (8, 2), (4, 4), (3, 4)])
def test_planes_do_not_share_a_word(rows: int, vectors: int) -> None:
    """Nor do sums, of which there may be more than rows: one for each unit of a layer."""
    engine = EngineParameters(NEURONS, arrays=1, compact=1, rows=rows, vectors=vectors)
    store = RowStore(Places(Shapes(engine, contexts=1)))
    words = {
        (plane, row): 1 + 100 * plane + row
        for plane in Plane
        for row in range(vectors * NEURONS if plane is Plane.SUMS else rows)
    }

    async def bench(ctx: Any) -> None:
        ctx.set(store.use.row_write, (1 << NEURONS) - 1)
        for (plane, row), word in words.items():
            ctx.set(store.use.plane, plane)
            ctx.set(store.use.row, row)
            ctx.set(store.use.row_data, word)
            await ctx.tick()
        ctx.set(store.use.row_write, 0)
        for (plane, row), word in words.items():
            ctx.set(store.use.plane, plane)
            ctx.set(store.use.row, row)
            await ctx.tick()
            assert ctx.get(store.read) == word

    simulate(store, bench)


def test_a_velocity_lies_in_the_digits_that_momentum_multiplies() -> None:
    m, store, access = parts(8)
    entries = access.entries
    velocity = -123456789012

    async def bench(ctx: Any) -> None:
        for name, value in (("wide", 1), ("row", 3), ("lane", 2), ("new_entry", velocity)):
            ctx.set(getattr(entries, name), value)
        ctx.set(entries.write, 1)
        await ctx.tick().repeat(3)
        ctx.set(entries.write, 0)
        ctx.set(entries.read, 1)
        digits = []
        for _ in range(3):
            await ctx.tick()
            digits.append(ctx.get(store.read) >> 32 & 0xFFFF)
        low, middle, high = digits
        high -= (high & 0x8000) << 1
        assert low + (middle << DIGIT_WIDTH) + (high << 2 * DIGIT_WIDTH) == velocity

    simulate(m, bench)
