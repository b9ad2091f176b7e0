# SPDX-License-Identifier: BSD-2-Clause

"""Benches that write and read the row memories through their ports."""

from typing import Any

import numpy as np
import pytest

from dualgate_hw.lanes.memory.core_rows import CoreRows
from dualgate_sim.testing.streams import plain

NEURONS = 4
ROWS = 8
STRIPS = pytest.mark.parametrize("strip", [1, 2, NEURONS])
Rows = list[list[int]]


def wide(random: np.random.Generator, bits: int) -> Rows:
    """Return rows of random numbers of `bits` bits, the extremes among them."""
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
    """Read all rows; returns what each of `members` shows a cycle after a strip was requested."""
    found: list[list[int]] = [[] for _ in members]
    strips = ROWS * NEURONS // len(port.velocity)
    for index in range(strips):
        ctx.set(port.weights_from, index)
        ctx.set(port.velocity_from, index)
        await ctx.tick()
        for numbers, member in zip(found, members, strict=True):
            numbers += plain(ctx.get(member))
    return [np.reshape(numbers, (ROWS, NEURONS)).tolist() for numbers in found]


async def update(ctx: Any, core: CoreRows, velocity: Rows) -> None:
    """Write velocities as the update lane does."""
    for row, numbers in enumerate(velocity):
        ctx.set(core.velocity_write.addr, row)
        ctx.set(core.velocity_write.data, numbers)
        ctx.set(core.velocity_write.en, 1)
        await ctx.tick()
    ctx.set(core.velocity_write.en, 0)
    ctx.set(core.velocity_write.data, [0] * NEURONS)
