# SPDX-License-Identifier: BSD-2-Clause

"""The MAC array gives exact products at a constant latency, in order of priority."""

from typing import Any

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import memory
from support.benches import numbers, simulate

from dualgate_hw.common.mac import MAC_LATENCY, MacArray, VectorClient, WeightClient, attach
from dualgate_hw.common.shapes import vector
from dualgate_sim.testing.streams import plain

ROWS = 8


def with_weights(array: MacArray, weights: list[list[int]]) -> Module:
    m = Module()
    m.submodules.array = array
    m.submodules.weights = store = memory.Memory(
        shape=vector(array.neurons), depth=ROWS, init=weights
    )
    read = store.read_port()
    m.d.comb += [read.addr.eq(array.row), array.weight_row.eq(read.data)]
    return m


@pytest.mark.parametrize(("neurons", "vectors", "weights"), [(2, 2, 2), (4, 1, 2), (1, 0, 1)])
@pytest.mark.parametrize("lanes", [1, 2, 3])
@pytest.mark.parametrize("odds", [0.1, 0.5, 1.0])
def test_random_requests_get_their_products_in_order_of_priority(
    neurons: int, vectors: int, weights: int, lanes: int, odds: float
) -> None:
    random = np.random.default_rng(vectors)
    rows = [numbers(random, neurons) for _ in range(ROWS)]
    array = MacArray(neurons, lanes, vectors, weights)
    clients = [*array.vector_clients, *array.weight_clients]

    def ask(ctx: Any, index: int) -> list[list[int]]:
        """Put a new request on a client's port; returns the expected products."""
        port = clients[index]
        if index < vectors:
            left, right = [numbers(random, neurons) for _ in range(lanes)], numbers(random, neurons)
            ctx.set(port.left, left)
            ctx.set(port.right, right)
            return [[a * b for a, b in zip(own, right, strict=True)] for own in left]
        row, scalars = int(random.integers(ROWS)), numbers(random, lanes)
        ctx.set(port.row, row)
        ctx.set(port.scalar, scalars)
        return [[scalar * weight for weight in rows[row]] for scalar in scalars]

    async def bench(ctx: Any) -> None:
        waiting: list[list[list[int]] | None] = [None] * len(clients)
        due: dict[int, tuple[int, list[list[int]]]] = {}
        for cycle in range(150):
            for index, port in enumerate(clients):
                if waiting[index] is None and random.random() < odds:
                    waiting[index] = ask(ctx, index)
                ctx.set(port.valid, waiting[index] is not None)
            handshakes = [signal for port in clients for signal in (port.ready, port.done)]
            product, *seen = (await ctx.tick().sample(array.product, *handshakes))[2:]
            ready, done = seen[0::2], seen[1::2]
            asking = [index for index, request in enumerate(waiting) if request is not None]
            first = asking[0] if asking else len(clients)
            assert list(ready) == [index <= first for index in range(len(clients))]
            owner, expected = due.pop(cycle, (None, None))
            assert list(done) == [index == owner for index in range(len(clients))]
            if expected is not None:
                assert plain(product) == expected
            if asking:
                request = waiting[first]
                assert request is not None
                due[cycle + MAC_LATENCY] = (first, request)
                waiting[first] = None

    simulate(with_weights(array, rows), bench)


def test_the_largest_product_does_not_overflow() -> None:
    low = -32768
    array = MacArray(2, lanes=1, vectors=1, weights=1)

    async def bench(ctx: Any) -> None:
        port, other = array.vector_clients[0], array.weight_clients[0]
        ctx.set(port.left, [[low, low]])
        ctx.set(port.right, [low, 32767])
        ctx.set(port.valid, 1)
        await ctx.tick()
        ctx.set(port.valid, 0)
        ctx.set(other.scalar, [low])
        ctx.set(other.valid, 1)
        await ctx.tick().repeat(MAC_LATENCY - 1)
        assert plain(ctx.get(array.product)) == [[1 << 30, low * 32767]]
        await ctx.tick()
        assert plain(ctx.get(array.product)) == [[low * 32767, 1 << 30]]

    simulate(with_weights(array, [[32767, low]]), bench)


@pytest.mark.parametrize("lanes", [1, 2, 3])
def test_a_client_of_one_lane_multiplies_zeros_in_the_others(lanes: int) -> None:
    array = MacArray(2, lanes, vectors=1, weights=1)
    m = with_weights(array, [[5, -7]])
    by_vector, by_weight = VectorClient(2).create(), WeightClient().create()
    attach(m, by_vector, array.vector_clients[0])
    attach(m, by_weight, array.weight_clients[0])
    zeros = [[0, 0]] * (lanes - 1)

    async def bench(ctx: Any) -> None:
        ctx.set(by_vector.left, [[3, 4]])
        ctx.set(by_vector.right, [10, 100])
        ctx.set(by_weight.scalar, [9])
        ctx.set(by_vector.valid, 1)
        ctx.set(by_weight.valid, 1)
        assert (ctx.get(by_vector.ready), ctx.get(by_weight.ready)) == (1, 0)
        await ctx.tick()
        ctx.set(by_vector.valid, 0)
        assert ctx.get(by_weight.ready)
        await ctx.tick().repeat(MAC_LATENCY - 1)
        assert (ctx.get(by_vector.done), ctx.get(by_weight.done)) == (1, 0)
        assert plain(ctx.get(array.product)) == [[30, 400], *zeros]
        await ctx.tick()
        assert (ctx.get(by_vector.done), ctx.get(by_weight.done)) == (0, 1)
        assert plain(ctx.get(array.product)) == [[45, -63], *zeros]

    simulate(m, bench)
