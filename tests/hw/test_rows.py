"""The row memories: two halves of a weight, velocity, and who may touch them when."""

from typing import Any

import numpy as np
from benches import simulate, small_shapes

from dualgate_hw.rows import RowMemories
from dualgate_sim.streams import plain

NEURONS = 2
ROWS = 8


def wide(random: np.random.Generator, bits: int) -> list[list[int]]:
    limit = 1 << (bits - 1)
    numbers = random.integers(-limit, limit, (ROWS, NEURONS))
    numbers[0] = -limit, limit - 1
    return numbers.tolist()


async def write(
    ctx: Any, rows: RowMemories, weights: list[Any] | None, velocity: list[Any] | None
) -> None:
    port = rows.port
    for row in range(ROWS):
        ctx.set(port.weights_row, row)
        ctx.set(port.velocity_row, row)
        for enable, numbers, new in (
            (port.write_weights, weights, port.new_weights),
            (port.write_velocity, velocity, port.new_velocity),
        ):
            ctx.set(enable, numbers is not None)
            if numbers is not None:
                ctx.set(new, numbers[row])
        await ctx.tick()
    ctx.set(port.write_weights, 0)
    ctx.set(port.write_velocity, 0)


async def read(ctx: Any, rows: RowMemories) -> tuple[list[Any], list[Any]]:
    weights, velocity = [], []
    for row in range(ROWS):
        ctx.set(rows.port.row, row)
        await ctx.tick()
        weights.append(plain(ctx.get(rows.port.weights)))
        velocity.append(plain(ctx.get(rows.port.velocity)))
    return weights, velocity


def test_rows_come_back_as_they_were_written() -> None:
    random = np.random.default_rng(0)
    weights, velocity = wide(random, 32), wide(random, 46)
    rows = RowMemories(small_shapes(NEURONS, rows=ROWS), readers=2)

    async def bench(ctx: Any) -> None:
        ctx.set(rows.exclusive, 1)
        await write(ctx, rows, weights, velocity)
        assert await read(ctx, rows) == (weights, velocity)
        other = wide(random, 32)
        await write(ctx, rows, other, None)
        assert await read(ctx, rows) == (other, velocity)

    simulate(rows, bench)


def test_every_mac_array_reads_the_upper_half_of_its_own_row() -> None:
    random = np.random.default_rng(1)
    weights = wide(random, 32)
    rows = RowMemories(small_shapes(NEURONS, rows=ROWS), readers=2)

    async def bench(ctx: Any) -> None:
        ctx.set(rows.exclusive, 1)
        await write(ctx, rows, weights, None)
        ctx.set(rows.exclusive, 0)
        for row in range(ROWS):
            other = (3 * row + 1) % ROWS
            ctx.set(rows.rows[0], row)
            ctx.set(rows.rows[1], other)
            await ctx.tick()
            for index, address in enumerate((row, other)):
                upper = [weight >> 16 for weight in weights[address]]
                assert plain(ctx.get(rows.weight_rows[index])) == upper

    simulate(rows, bench)


def test_velocity_belongs_to_the_update_lane_while_samples_are_in_flight() -> None:
    random = np.random.default_rng(2)
    velocity, updated = wide(random, 46), wide(random, 46)
    rows = RowMemories(small_shapes(NEURONS, rows=ROWS), readers=1)

    async def bench(ctx: Any) -> None:
        ctx.set(rows.exclusive, 1)
        await write(ctx, rows, None, velocity)
        ctx.set(rows.exclusive, 0)
        ctx.set(rows.port.write_velocity, 1)
        for row in range(ROWS):
            ctx.set(rows.velocity_read.addr, row)
            ctx.set(rows.velocity_write.addr, row)
            ctx.set(rows.velocity_write.data, updated[row])
            ctx.set(rows.velocity_write.en, 1)
            await ctx.tick()
            assert plain(ctx.get(rows.velocity_read.data)) == velocity[row]
        ctx.set(rows.velocity_write.en, 0)
        ctx.set(rows.port.write_velocity, 0)
        ctx.set(rows.exclusive, 1)
        assert (await read(ctx, rows))[1] == updated

    simulate(rows, bench)
