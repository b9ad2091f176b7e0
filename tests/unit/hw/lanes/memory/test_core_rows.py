# SPDX-License-Identifier: BSD-2-Clause

"""The rows of a core come back as written, and belong to one client at a time."""

from typing import Any

import numpy as np
from support.benches import simulate, small_shapes
from support.row_benches import NEURONS, ROWS, STRIPS, read, wide, write

from dualgate_hw.lanes.memory.core_rows import CoreRows
from dualgate_sim.testing.streams import plain


@STRIPS
def test_rows_come_back_as_they_were_written(strip: int) -> None:
    random = np.random.default_rng(0)
    upper, velocity = wide(random, 16), wide(random, 46)
    core = CoreRows(small_shapes(NEURONS, rows=ROWS, apply_lanes=strip), readers=2)
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
    core = CoreRows(small_shapes(NEURONS, rows=ROWS), readers=2)

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


def test_the_update_lane_owns_velocity_while_samples_are_in_flight() -> None:
    random = np.random.default_rng(2)
    velocity, updated = wide(random, 46), wide(random, 46)
    core = CoreRows(small_shapes(NEURONS, rows=ROWS), readers=1)
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
