# SPDX-License-Identifier: BSD-2-Clause

"""Tangent sums: every product added once, and the shift that brings each vector into 16 bits."""

from typing import Any

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import data, memory, wiring
from support.benches import (
    SIZES,
    STALLS,
    attach,
    contents,
    numbers,
    simulate,
    small_shapes,
    watcher,
)

from dualgate_hw.common.mac import MAC_LATENCY, MacArray
from dualgate_hw.common.shapes import vector
from dualgate_hw.lanes.tangent.sums import TangentSums
from dualgate_sim.golden.tangents import normalise
from dualgate_sim.testing.streams import send

pytestmark = pytest.mark.slow

SLOTS = 4
GROUPS = 4
Step = dict[str, Any]
Products = list[tuple[int, list[int]]]
"""Row and scalars, one a lane, of each product of a sum."""


def steps_of(slot: int, groups: list[Products], lanes: int) -> list[Step]:
    """Return the steps of one slot's sums."""
    steps: list[Step] = []
    for group, products in enumerate(groups):
        meta = {"slot": slot, "group": group, "final": int(group == len(groups) - 1)}
        for index, (row, scalars) in enumerate(products):
            end = int(index == len(products) - 1)
            steps.append({"some": 1, "row": row, "scalar": scalars, "end": end, "meta": meta})
        if not products:
            steps.append({"some": 0, "row": 9, "scalar": [77] * lanes, "end": 1, "meta": meta})
    return steps


def run(
    lanes: int,
    slots: list[tuple[int, list[Products]]],
    weights: list[list[int]],
    odds: float = 0.0,
    rival: float = 0.0,
) -> tuple[list[Any], list[Any]]:
    """Add up (slot, products of each group); return the stored sums and the jobs."""
    neurons = len(weights[0])
    shapes = small_shapes(neurons, tangent_lanes=lanes)
    m = Module()
    m.submodules.sums = sums = TangentSums(shapes)
    m.submodules.mac = mac = MacArray(neurons, lanes, vectors=1, weights=1)
    totals = data.ArrayLayout(vector(neurons, shapes.tangent_sum), lanes)
    store = attach(m, "store", sums.sums, totals, SLOTS * GROUPS)
    other = mac.vector_clients[0]
    wiring.connect(m, sums.mac, mac.weight_clients[0])
    m.d.comb += [sums.product.eq(mac.product), other.right[0].eq(555)]
    m.d.comb += [left[0].eq(555) for left in other.left]
    m.submodules.weights = rows = memory.Memory(
        shape=vector(neurons), depth=len(weights), init=weights
    )
    read = rows.read_port()
    m.d.comb += [read.addr.eq(mac.row), mac.weight_row.eq(read.data)]
    watch, jobs = watcher(sums.complete, sums.job)
    stored: list[Any] = []
    random = np.random.default_rng(3)
    steps = [step for slot, groups in slots for step in steps_of(slot, groups, lanes)]

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


def added(groups: list[Products], weights: list[list[int]], lanes: int) -> np.ndarray:
    """Return the sums, (groups, lanes, neurons)."""
    total = np.zeros((len(groups), lanes, len(weights[0])), np.int64)
    for group, products in enumerate(groups):
        for row, scalars in products:
            total[group] += np.outer(scalars, weights[row])
    return total


def assert_normalised(job: dict[str, Any], sums: np.ndarray) -> None:
    assert job["alive"] == int(sums.any())
    for lane, shift in enumerate(job["shift"]):
        own = sums[:, lane].reshape(-1)
        mantissas, expected = normalise(own.astype(np.float64))
        assert shift == int(expected)
        assert (own >> shift).tolist() == mantissas.astype(np.int64).tolist()


def random_groups(random: np.random.Generator, lanes: int, empty: bool) -> list[Products]:
    """Products of a slot; a lane may be idle, and all scalars of one slot have the same size."""
    reach = 1 << int(random.integers(0, 16))
    used = random.random(lanes) < 0.7
    groups = []
    for _ in range(int(random.integers(1, GROUPS + 1))):
        count = 0 if empty else int(random.integers(0, 4))
        products: Products = []
        for row in random.integers(16, size=count).tolist():
            scalars = [scalar // reach for scalar in numbers(random, lanes)]
            products.append((row, (np.array(scalars) * used).tolist()))
        groups.append(products)
    return groups


@pytest.mark.parametrize(("neurons", "lanes"), SIZES)
@pytest.mark.parametrize("rival", [0.0, 0.5])
@pytest.mark.parametrize("odds", sorted({sender for sender, _ in STALLS}))
def test_sums_of_random_slots_are_complete_and_normalised(
    neurons: int, lanes: int, odds: float, rival: float
) -> None:
    random = np.random.default_rng(5)
    weights = [numbers(random, neurons) for _ in range(16)]
    groups = [random_groups(random, lanes, turn % 6 == 0) for turn in range(24)]
    slots = [(turn % SLOTS, some) for turn, some in enumerate(groups)]
    stored, jobs = run(lanes, slots, weights, odds, rival)
    assert [job["slot"] for job in jobs] == [slot for slot, _ in slots]
    for turn, ((slot, some), job) in enumerate(zip(slots, jobs, strict=True)):
        sums = added(some, weights, lanes)
        assert_normalised(job, sums)
        if turn >= len(slots) - SLOTS:
            assert stored[slot * GROUPS :][: len(sums)] == sums.tolist()


@pytest.mark.parametrize("lane", [0, 1])
@pytest.mark.parametrize(
    "total", [0, 1, -1, 32767, 32768, -32768, -32769, 65535, -65536, -65537, 1 << 30, -(1 << 30)]
)
def test_the_shift_changes_exactly_at_powers_of_two(total: int, lane: int) -> None:
    """The sum consists of two products, in the group that is not the last."""
    high, low = total >> 15, total & 0x7FFF
    weights = [[16384, 0], [1, 0], [0, 1]]
    scalars = [(0, high), (0, high), (1, low)]
    if abs(high) > 32767:
        scalars = [(0, high // 2)] * 4 + [(1, low)]
    last = [(2, 1)] if total else []
    # The other lane's sum is as different as possible: neither shift may affect the other.
    groups: list[Products] = [
        [(row, [scalar, 5 * bool(total)][:: 1 - 2 * lane]) for row, scalar in part]
        for part in (scalars if total else [], last)
    ]
    sums = added(groups, weights, 2)
    assert sums[0, lane, 0] == total
    _, (job,) = run(2, [(1, groups)], weights)
    assert_normalised(job, sums)


def test_a_slot_is_alive_while_any_of_its_sums_is_not_zero() -> None:
    weights = [[3, 0], [0, 0]]
    for scalars, row in (([1, 0], 0), ([0, -1], 0), ([0, 0], 0), ([1, 1], 1)):
        _, (job,) = run(2, [(1, [[(row, scalars)], []])], weights)
        assert job["alive"] == (row == 0 and any(scalars))


@pytest.mark.parametrize("sign", [1, -1])
def test_long_sums_of_the_largest_products_do_not_overflow(sign: int) -> None:
    weights = [[-32768, 1]]
    scalars = [-32768, 32767][::sign]
    groups: list[Products] = [[(0, scalars)] * (small_shapes(2).engine.activations - 1)]
    stored, (job,) = run(2, [(0, groups)], weights)
    sums = added(groups, weights, 2)
    assert np.abs(sums[0, :, 0]).min() > 1 << small_shapes(2).tangent_sum.width - 2
    assert stored[0] == sums[0].tolist()
    assert_normalised(job, sums)
