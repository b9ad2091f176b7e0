"""Tangent sums: every product added once, and the shift that brings a vector into 16 bits."""

from typing import Any

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import memory
from benches import STALLS, attach, contents, numbers, simulate, small_shapes, watcher

from dualgate_hw.layouts import ACC, vector
from dualgate_hw.mac import MAC_LATENCY, MacArray
from dualgate_hw.sums import TangentSums
from dualgate_sim import golden
from dualgate_sim.streams import send

NEURONS = 2
SHAPES = small_shapes(NEURONS)
GROUPS = SHAPES.engine.groups
Step = dict[str, Any]


def steps_of(slot: int, groups: list[list[tuple[int, int]]]) -> list[Step]:
    """The steps of one slot's sums; `groups` has (row, scalar) of each product."""
    steps: list[Step] = []
    for group, products in enumerate(groups):
        meta = {"slot": slot, "group": group, "final": int(group == len(groups) - 1)}
        for index, (row, scalar) in enumerate(products):
            end = int(index == len(products) - 1)
            steps.append({"some": 1, "row": row, "scalar": scalar, "end": end, "meta": meta})
        if not products:
            steps.append({"some": 0, "row": 9, "scalar": 77, "end": 1, "meta": meta})
    return steps


def run(steps: list[Step], weights: list[list[int]], odds: float, rival: float) -> tuple[Any, ...]:
    """Returns the stored sums, and the jobs that were announced."""
    m = Module()
    m.submodules.sums = sums = TangentSums(SHAPES)
    m.submodules.mac = mac = MacArray(NEURONS, vectors=1, weights=1)
    store = attach(m, "store", sums.sums, vector(NEURONS, ACC), SHAPES.slots * GROUPS)
    client, other = mac.weight_clients[0], mac.vector_clients[0]
    m.d.comb += [
        client.valid.eq(sums.mac.valid),
        client.row.eq(sums.mac.row),
        client.scalar.eq(sums.mac.scalar),
        sums.mac.ready.eq(client.ready),
        sums.mac.done.eq(client.done),
        sums.product.eq(mac.product),
        other.left[0].eq(555),
        other.right[0].eq(555),
    ]
    m.submodules.weights = rows = memory.Memory(
        shape=vector(NEURONS), depth=len(weights), init=weights
    )
    read = rows.read_port()
    m.d.comb += [read.addr.eq(mac.row), mac.weight_row.eq(read.data)]
    watch, jobs = watcher(sums.complete, sums.job)
    stored: list[Any] = []
    random = np.random.default_rng(3)

    async def bench(ctx: Any) -> None:
        await send(ctx, sums.step, steps, odds, 1)
        await ctx.tick().repeat(MAC_LATENCY + 4)
        stored.extend(contents(ctx, store))

    async def compete(ctx: Any) -> None:
        while True:
            ctx.set(other.valid, random.random() < rival)
            await ctx.tick()

    simulate(m, bench, watch=[watch, compete])
    return stored, [job for _, job in jobs]


def added(groups: list[list[tuple[int, int]]], weights: list[list[int]]) -> np.ndarray:
    total = np.zeros((len(groups), NEURONS), np.int64)
    for group, products in enumerate(groups):
        for row, scalar in products:
            total[group] += scalar * np.array(weights[row])
    return total


def assert_normalised(job: dict[str, int], sums: np.ndarray) -> None:
    assert job["alive"] == int(sums.any())
    mantissas, shift = golden.normalise(sums.reshape(-1).astype(np.float64))
    assert job["shift"] == int(shift)
    assert (sums.reshape(-1) >> job["shift"]).tolist() == mantissas.astype(np.int64).tolist()


@pytest.mark.parametrize("rival", [0.0, 0.5])
@pytest.mark.parametrize("odds", sorted({sender for sender, _ in STALLS}))
def test_sums_of_random_slots_are_complete_and_normalised(odds: float, rival: float) -> None:
    random = np.random.default_rng(5)
    weights = [numbers(random, NEURONS) for _ in range(16)]
    slots = []
    for turn in range(24):
        groups = []
        for _ in range(int(random.integers(1, GROUPS + 1))):
            count = int(random.integers(0, 4)) * (turn % 6 != 0)
            rows = random.integers(16, size=count).tolist()
            groups.append(list(zip(rows, numbers(random, count), strict=True)))
        slots.append(groups)
    steps = [step for turn, groups in enumerate(slots) for step in steps_of(turn % 4, groups)]
    stored, jobs = run(steps, weights, odds, rival)
    assert [job["slot"] for job in jobs] == [turn % 4 for turn in range(len(slots))]
    for turn, (groups, job) in enumerate(zip(slots, jobs, strict=True)):
        sums = added(groups, weights)
        assert_normalised(job, sums)
        if turn >= len(slots) - 4:
            first = job["slot"] * GROUPS
            assert stored[first : first + len(sums)] == sums.tolist()


@pytest.mark.parametrize(
    "total", [0, 1, -1, 32767, 32768, -32768, -32769, 65535, -65536, -65537, 1 << 30, -(1 << 30)]
)
def test_the_shift_changes_exactly_at_powers_of_two(total: int) -> None:
    """The sum is put together from two products, in the group that is not the last."""
    high, low = total >> 15, total & 0x7FFF
    weights = [[16384, 0], [1, 0], [0, 1]]
    groups = [[(0, high), (0, high), (1, low)], [(2, 1)]] if total else [[], []]
    if abs(high) > 32767:
        high //= 2
        groups[0] = [(0, high)] * 4 + [(1, low)]
    sums = added(groups, weights)
    assert sums[0, 0] == total
    _, (job,) = run(steps_of(1, groups), weights, 0.0, 0.0)
    assert_normalised(job, sums)


@pytest.mark.parametrize("sign", [1, -1])
def test_long_sums_of_the_largest_products_do_not_overflow(sign: int) -> None:
    weights = [[-32768, 1]]
    groups = [[(0, -32768 * sign if sign > 0 else 32767)] * 3000]
    stored, (job,) = run(steps_of(0, groups), weights, 0.0, 0.0)
    sums = added(groups, weights)
    assert abs(int(sums[0, 0])) > 1 << 41
    assert stored[0] == sums[0].tolist()
    assert_normalised(job, sums)
