# SPDX-License-Identifier: BSD-2-Clause

"""Row access reads and writes single numbers of memories that hold strips."""

from typing import Any

import numpy as np
import pytest
from amaranth import Module
from support.benches import row_memories, simulate, small_shapes

from dualgate_hw.common.shapes import MASTER, VELOCITY
from dualgate_hw.lanes.control.row_access import RowAccess

ROWS = 8


def wired(neurons: int, strip: int) -> tuple[Module, RowAccess]:
    shapes = small_shapes(neurons, rows=ROWS, apply_lanes=strip)
    m = Module()
    m.submodules.row_access = access = RowAccess(shapes)
    row_memories(m, access, shapes)
    return m, access


@pytest.mark.parametrize(("neurons", "strip"), [(1, 1), (2, 2), (4, 4), (4, 2), (4, 1)])
@pytest.mark.parametrize("wide", [False, True])
def test_numbers_are_read_as_written_in_the_cycles_stated(
    neurons: int, strip: int, wide: bool
) -> None:
    m, component = wired(neurons, strip)
    port = component.port
    width = VELOCITY.width if wide else MASTER.width
    random = np.random.default_rng(neurons)
    limit = 1 << (width - 1)
    values = random.integers(-limit, limit, (ROWS, neurons)).tolist()
    cycles = {"read": 0, "write": 0}

    async def access(ctx: Any, what: str, row: int, lane: int) -> int:
        ctx.set(port.row, row)
        ctx.set(port.lane, lane)
        ctx.set(getattr(port, what), 1)
        while not ctx.get(port.done):
            await ctx.tick()
            cycles[what] += 1
        found = ctx.get(port.number)
        await ctx.tick()
        cycles[what] += 1
        ctx.set(getattr(port, what), 0)
        return found

    async def bench(ctx: Any) -> None:
        ctx.set(port.wide, wide)
        for row in range(ROWS):
            for lane in range(neurons):
                ctx.set(port.new_number, values[row][lane])
                await access(ctx, "write", row, lane)
        for row in reversed(range(ROWS)):
            for lane in range(neurons):
                found = await access(ctx, "read", row, lane)
                assert (found - values[row][lane]) % (1 << width) == 0

    simulate(m, bench)
    assert cycles == {"write": ROWS * 2 * neurons, "read": ROWS * (neurons + 2 * neurons // strip)}
