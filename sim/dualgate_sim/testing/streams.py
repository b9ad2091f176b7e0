# SPDX-License-Identifier: BSD-2-Clause

"""Drivers for the ports of a component in Amaranth's simulator: streams under random stalls.

A stall is an even chance: `odds` is the share of cycles in which a side holds back.
"""

import random
from collections.abc import Iterable
from typing import Any

from amaranth.lib import data


def plain(value: Any) -> Any:
    """Convert a sampled value to integers, dictionaries and lists."""
    if not isinstance(value, data.Const):
        return int(value)
    layout = value.shape()
    if isinstance(layout, data.ArrayLayout):
        return [plain(entry) for entry in value]
    return {name: plain(value[name]) for name, _ in layout}


async def send(
    ctx: Any, port: Any, payloads: Iterable[Any], odds: float = 0.0, seed: int = 0
) -> list[int]:
    """Send payloads in order; returns the cycles, from 0, of their transfers."""
    dice = random.Random(seed)
    cycle, taken = 0, []
    for payload in payloads:
        while dice.random() < odds:
            await ctx.tick()
            cycle += 1
        ctx.set(port.payload, payload)
        ctx.set(port.valid, 1)
        ready = False
        while not ready:
            (ready,) = (await ctx.tick().sample(port.ready))[2:]
            cycle += 1
        taken.append(cycle - 1)
        ctx.set(port.valid, 0)
    return taken


async def receive(
    ctx: Any, port: Any, count: int, odds: float = 0.0, seed: int = 0
) -> list[tuple[int, Any]]:
    """Receive `count` payloads; returns each with the cycle of its transfer.

    Raises
    ------
    AssertionError
        If a valid payload is withdrawn or changes before its transfer.
    """
    dice = random.Random(seed)
    cycle = 0
    got: list[tuple[int, Any]] = []
    offered = None
    while len(got) < count:
        ready = dice.random() >= odds
        ctx.set(port.ready, ready)
        valid, payload = (await ctx.tick().sample(port.valid, port.payload))[2:]
        if offered is not None:
            assert valid, f"cycle {cycle}: a payload was withdrawn"
            assert plain(payload) == offered, f"cycle {cycle}: a payload changed"
        offered = plain(payload) if valid and not ready else None
        if valid and ready:
            got.append((cycle, plain(payload)))
        cycle += 1
    ctx.set(port.ready, 0)
    return got
