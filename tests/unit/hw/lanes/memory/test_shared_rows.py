# SPDX-License-Identifier: BSD-2-Clause

"""The rows of all cores work as one memory of weights and velocities."""

from typing import Any

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import wiring
from support.benches import simulate, small_shapes
from support.row_benches import NEURONS, ROWS, STRIPS, read, update, wide, write

from dualgate_hw.lanes.memory.core_rows import CoreRows
from dualgate_hw.lanes.memory.shared_rows import SharedRows
from dualgate_sim.testing.streams import plain


def shared(cores: int, strip: int) -> tuple[Module, SharedRows, list[CoreRows]]:
    shapes = small_shapes(NEURONS, rows=ROWS, cores=cores, apply_lanes=strip)
    m = Module()
    m.submodules.rows = rows = SharedRows(shapes)
    memories = [CoreRows(shapes, readers=1) for _ in range(cores)]
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
def test_a_velocity_goes_to_the_first_core_and_zero_to_the_others(cores: int, strip: int) -> None:
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
