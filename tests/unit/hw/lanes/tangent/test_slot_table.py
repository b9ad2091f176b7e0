# SPDX-License-Identifier: BSD-2-Clause

"""The slot table: slots are offered in turn, and a chunk is kept until its last tag ends."""

from typing import Any

import pytest
from support.benches import simulate, small_shapes

from dualgate_hw.lanes.tangent.slot_table import ENDINGS, SlotTable
from dualgate_sim.testing.streams import plain

LANES = 2
SHAPES = small_shapes(4, tangent_lanes=LANES)
SLOTS = SHAPES.slots
LOOKUPS = ("scaled", "pruned", "contracting", "ending")


def chunk_of(slot: int, context: int) -> dict[str, Any]:
    """Return a chunk that differs in every field from those of other slots."""
    return {
        "context": context,
        "layer": slot % 2,
        "origin": slot % 3,
        "address": 5 + slot,
        "present": 1 + slot % 3,
        "unit": [slot, 3 - slot],
        "frac": [10 + slot, -slot],
    }


async def fill(ctx: Any, table: SlotTable, contexts: list[int]) -> None:
    """Let a chunk of each of the contexts take the slot on offer, one a cycle; then settle."""
    for slot, context in enumerate(contexts):
        assert ctx.get(table.slot) == slot
        assert ctx.get(table.slot_free)
        ctx.set(table.chunk, chunk_of(slot, context))
        ctx.set(table.chunk_start, 1)
        await ctx.tick()
    ctx.set(table.chunk_start, 0)
    await ctx.tick()


async def end(ctx: Any, table: SlotTable, slot: int, place: int = 0) -> None:
    """End the chunk in a slot."""
    ctx.set(table.endings[place], {"valid": 1, "slot": slot})
    await ctx.tick()
    ctx.set(table.endings[place], {"valid": 0, "slot": slot})


def look_up(ctx: Any, table: SlotTable, slot: int, name: str = "ending") -> Any:
    """Read the chunk of a slot."""
    lookup = getattr(table, name)
    ctx.set(lookup.slot, slot)
    return plain(ctx.get(lookup.chunk))


def test_every_lookup_reads_each_slot_s_chunk() -> None:
    table = SlotTable(SHAPES)

    async def bench(ctx: Any) -> None:
        await fill(ctx, table, [0, 1, 2, 3])
        for name in LOOKUPS:
            for slot in range(SLOTS):
                assert look_up(ctx, table, slot, name) == chunk_of(slot, slot)

    simulate(table, bench)


def test_a_chunk_is_visible_and_busy_two_cycles_after_its_start() -> None:
    table = SlotTable(SHAPES)
    seen = []

    async def bench(ctx: Any) -> None:
        ctx.set(table.context, 3)
        ctx.set(table.origin, 1)
        ctx.set(table.chunk, chunk_of(1, 3))
        ctx.set(table.chunk_start, 1)
        for _ in range(4):
            visible = look_up(ctx, table, 0) == chunk_of(1, 3)
            seen.append((ctx.get(table.slot), visible, ctx.get(table.found)))
            await ctx.tick()
            ctx.set(table.chunk_start, 0)

    simulate(table, bench)
    assert seen == [(0, False, 0), (1, False, 0), (1, True, 1), (1, True, 1)]


def test_the_offer_passes_over_busy_slots_only_while_seeds_wait() -> None:
    table = SlotTable(SHAPES)

    async def bench(ctx: Any) -> None:
        await fill(ctx, table, [0] * SLOTS)
        await end(ctx, table, 2)
        await ctx.tick().repeat(3)
        assert (ctx.get(table.slot), ctx.get(table.slot_free)) == (0, 0)
        ctx.set(table.seeding, 1)
        for slot in (0, 1, 2, 2):
            assert (ctx.get(table.slot), ctx.get(table.slot_free)) == (slot, int(slot == 2))
            await ctx.tick()

    simulate(table, bench)


def test_stored_vectors_move_their_slot_alone_on_by_a_layer_and_gains() -> None:
    table = SlotTable(SHAPES)

    async def bench(ctx: Any) -> None:
        await fill(ctx, table, [1] * SLOTS)
        ctx.set(table.gain, [7, -20])
        ctx.set(table.stored, {"valid": 1, "slot": 2})
        await ctx.tick()
        ctx.set(table.stored.valid, 0)
        await ctx.tick()
        for slot in range(SLOTS):
            expected = chunk_of(slot, 1)
            if slot == 2:
                expected |= {"layer": 1, "frac": [12 + 7, -2 - 20]}
            assert look_up(ctx, table, slot) == expected

    simulate(table, bench)


@pytest.mark.parametrize("place", range(ENDINGS))
def test_each_ending_frees_its_slot_alone(place: int) -> None:
    table = SlotTable(SHAPES)

    async def bench(ctx: Any) -> None:
        await fill(ctx, table, list(range(SLOTS)))
        for ended in range(SLOTS):
            await end(ctx, table, ended, place)
            for context in range(SLOTS):
                ctx.set(table.context, context)
                for origin in range(3):
                    ctx.set(table.origin, origin)
                    mine = context > ended and origin == context % 3
                    assert ctx.get(table.found) == mine

    simulate(table, bench)


def test_three_slots_can_end_in_the_same_cycle() -> None:
    table = SlotTable(SHAPES)

    async def bench(ctx: Any) -> None:
        await fill(ctx, table, list(range(SLOTS)))
        ctx.set(table.endings, [{"valid": 1, "slot": slot} for slot in (3, 0, 1)])
        await ctx.tick()
        busy = []
        for context in range(SLOTS):
            ctx.set(table.context, context)
            ctx.set(table.origin, context % 3)
            busy.append(ctx.get(table.found))
        assert busy == [0, 0, 1, 0]

    simulate(table, bench)
