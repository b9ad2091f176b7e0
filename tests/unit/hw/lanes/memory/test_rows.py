# SPDX-License-Identifier: BSD-2-Clause

"""The row memories: halves of a weight, velocity, who may touch them when, and cores as one."""

from typing import Any

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import wiring
from support.benches import simulate, small_shapes

from dualgate_hw.lanes.memory.rows import CoreMemories, SharedRows
from dualgate_sim.testing.streams import plain

NEURONS = 4
ROWS = 8
STRIPS = pytest.mark.parametrize("strip", [1, 2, NEURONS])
Rows = list[list[int]]


def wide(random: np.random.Generator, bits: int) -> Rows:
    limit = 1 << (bits - 1)
    numbers = random.integers(-limit, limit, (ROWS, NEURONS))
    numbers[0, :2] = -limit, limit - 1
    return numbers.tolist()


async def write(ctx: Any, port: Any, new: Any, weights: Rows | None, velocity: Rows | None) -> None:
    """Write rows through a port, strip by strip; `new` is its member for new weights."""
    strip = len(port.new_velocity)
    last = ROWS * NEURONS // strip - 1
    for index in range(last + 1):
        ctx.set(port.weights_to, index if weights else last - index)
        ctx.set(port.velocity_to, index if velocity else last - index)
        for enable, numbers, member in (
            (port.write_weights, weights, new),
            (port.write_velocity, velocity, port.new_velocity),
        ):
            ctx.set(enable, numbers is not None)
            if numbers is not None:
                ctx.set(member, np.reshape(numbers, (-1, strip))[index].tolist())
        await ctx.tick()
    ctx.set(port.write_weights, 0)
    ctx.set(port.write_velocity, 0)
    ctx.set(port.new_velocity, [0] * strip)


async def read(ctx: Any, port: Any, *members: Any) -> list[Rows]:
    """What `members` show of each row, a cycle after one of its strips is asked for."""
    found: list[list[int]] = [[] for _ in members]
    strips = ROWS * NEURONS // len(port.velocity)
    for index in range(strips):
        ctx.set(port.weights_from, index)
        ctx.set(port.velocity_from, index)
        await ctx.tick()
        for numbers, member in zip(found, members, strict=True):
            numbers += plain(ctx.get(member))
    return [np.reshape(numbers, (ROWS, NEURONS)).tolist() for numbers in found]


async def update(ctx: Any, core: CoreMemories, velocity: Rows) -> None:
    """Write velocities as the update lane does."""
    for row, numbers in enumerate(velocity):
        ctx.set(core.velocity_write.addr, row)
        ctx.set(core.velocity_write.data, numbers)
        ctx.set(core.velocity_write.en, 1)
        await ctx.tick()
    ctx.set(core.velocity_write.en, 0)
    ctx.set(core.velocity_write.data, [0] * NEURONS)


@STRIPS
def test_rows_come_back_as_they_were_written(strip: int) -> None:
    random = np.random.default_rng(0)
    upper, velocity = wide(random, 16), wide(random, 46)
    core = CoreMemories(small_shapes(NEURONS, rows=ROWS, apply_lanes=strip), readers=2)
    port = core.port

    async def bench(ctx: Any) -> None:
        ctx.set(core.exclusive, 1)
        await write(ctx, port, port.new_upper, upper, velocity)
        assert await read(ctx, port, port.upper, port.velocity) == [upper, velocity]
        other, new = wide(random, 16), wide(random, 46)
        await write(ctx, port, port.new_upper, other, None)
        assert await read(ctx, port, port.upper, port.velocity) == [other, velocity]
        await write(ctx, port, port.new_upper, None, new)
        assert await read(ctx, port, port.upper, port.velocity) == [other, new]

    simulate(core, bench)


def test_every_mac_array_reads_its_own_row() -> None:
    random = np.random.default_rng(1)
    upper = wide(random, 16)
    core = CoreMemories(small_shapes(NEURONS, rows=ROWS), readers=2)

    async def bench(ctx: Any) -> None:
        ctx.set(core.exclusive, 1)
        await write(ctx, core.port, core.port.new_upper, upper, None)
        ctx.set(core.exclusive, 0)
        for row in range(ROWS):
            other = (3 * row + 1) % ROWS
            ctx.set(core.rows[0], row)
            ctx.set(core.rows[1], other)
            await ctx.tick()
            for index, address in enumerate((row, other)):
                assert plain(ctx.get(core.weight_rows[index])) == upper[address]

    simulate(core, bench)


def test_velocity_belongs_to_the_update_lane_while_samples_are_in_flight() -> None:
    random = np.random.default_rng(2)
    velocity, updated = wide(random, 46), wide(random, 46)
    core = CoreMemories(small_shapes(NEURONS, rows=ROWS), readers=1)
    port = core.port

    async def bench(ctx: Any) -> None:
        ctx.set(core.exclusive, 1)
        await write(ctx, port, port.new_upper, None, velocity)
        ctx.set(core.exclusive, 0)
        ctx.set(port.write_velocity, 1)
        for row in range(ROWS):
            ctx.set(core.velocity_read.addr, row)
            ctx.set(core.velocity_write.addr, row)
            ctx.set(core.velocity_write.data, updated[row])
            ctx.set(core.velocity_write.en, 1)
            await ctx.tick()
            assert plain(ctx.get(core.velocity_read.data)) == velocity[row]
        ctx.set(core.velocity_write.en, 0)
        ctx.set(port.write_velocity, 0)
        ctx.set(core.exclusive, 1)
        assert await read(ctx, port, port.velocity) == [updated]

    simulate(core, bench)


def shared(cores: int, strip: int) -> tuple[Module, SharedRows, list[CoreMemories]]:
    shapes = small_shapes(NEURONS, rows=ROWS, cores=cores, apply_lanes=strip)
    m = Module()
    m.submodules.rows = rows = SharedRows(shapes)
    memories = [CoreMemories(shapes, readers=1) for _ in range(cores)]
    for index, core in enumerate(memories):
        m.submodules[f"core_{index}"] = core
        wiring.connect(m, rows.cores[index], core.port)
    return m, rows, memories


@STRIPS
@pytest.mark.parametrize("cores", [1, 2, 3])
def test_weights_are_written_to_all_cores_and_read_back_whole(cores: int, strip: int) -> None:
    weights = wide(np.random.default_rng(3), 32)
    m, rows, memories = shared(cores, strip)

    async def bench(ctx: Any) -> None:
        for core in memories:
            ctx.set(core.exclusive, 1)
        await write(ctx, rows.port, rows.port.new_weights, weights, None)
        assert await read(ctx, rows.port, rows.port.weights) == [weights]
        for core in memories:
            ctx.set(core.exclusive, 0)
        for row, numbers in enumerate(weights):
            for core in memories:
                ctx.set(core.rows[0], row)
            await ctx.tick()
            upper = [number >> 16 for number in numbers]
            assert [plain(ctx.get(core.weight_rows[0])) for core in memories] == [upper] * cores

    simulate(m, bench)


@STRIPS
@pytest.mark.parametrize("cores", [1, 2, 3])
def test_velocities_of_all_cores_are_added_up(cores: int, strip: int) -> None:
    random = np.random.default_rng(4)
    shares = [np.fix(np.array(wide(random, 46)) / cores).astype(np.int64) for _ in range(cores)]
    m, rows, memories = shared(cores, strip)

    async def bench(ctx: Any) -> None:
        for core, share in zip(memories, shares, strict=True):
            await update(ctx, core, share.tolist())
        for core in memories:
            ctx.set(core.exclusive, 1)
        assert await read(ctx, rows.port, rows.port.velocity) == [sum(shares).tolist()]

    simulate(m, bench)


@STRIPS
@pytest.mark.parametrize("cores", [1, 2, 3])
def test_a_velocity_is_written_to_the_first_core_and_zero_to_the_others(
    cores: int, strip: int
) -> None:
    random = np.random.default_rng(5)
    before = [wide(random, 46) for _ in range(cores)]
    velocity = wide(random, 46)
    m, rows, memories = shared(cores, strip)

    async def bench(ctx: Any) -> None:
        for core, numbers in zip(memories, before, strict=True):
            await update(ctx, core, numbers)
        for core in memories:
            ctx.set(core.exclusive, 1)
        await write(ctx, rows.port, rows.port.new_weights, wide(random, 32), None)
        each = [core.port.velocity for core in memories]
        assert await read(ctx, rows.port, *each) == before
        await write(ctx, rows.port, rows.port.new_weights, None, velocity)
        nothing = [[0] * NEURONS] * ROWS
        assert await read(ctx, rows.port, *each) == [velocity, *[nothing] * (cores - 1)]

    simulate(m, bench)
