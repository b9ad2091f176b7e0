# SPDX-License-Identifier: BSD-2-Clause

"""Each core reads its own numbers of a shared table, and keeps a granted port."""

from typing import Any

import pytest
from support.benches import simulate

from dualgate.contract.activations import EXP_TABLE, SIGMOID_TABLE
from dualgate_hw.common.tables import Tables


@pytest.mark.parametrize("cores", [2, 3, 5])
def test_every_core_reads_sigmoids_at_any_time(cores: int) -> None:
    part = Tables(cores)

    async def bench(ctx: Any) -> None:
        for start in range(0, 2000, 97):
            for core, port in enumerate(part.sigmoid):
                ctx.set(port.addr, start + core)
            await ctx.tick()
            found = [ctx.get(port.data) for port in part.sigmoid]
            assert found == list(SIGMOID_TABLE[start : start + cores])
            assert all(ctx.get(port.granted) for port in part.sigmoid)

    simulate(part, bench)


@pytest.mark.parametrize("cores", [2, 3, 5])
def test_a_core_keeps_the_exponentials_until_it_has_read_all_it_wants(cores: int) -> None:
    part = Tables(cores)
    reads = [0] * cores

    def reader(core: int) -> Any:
        port = part.exp[core]

        async def bench(ctx: Any) -> None:
            for turn in range(20):
                ctx.set(port.wanted, 1)
                await ctx.tick()
                while not ctx.get(port.granted):
                    await ctx.tick()
                for place in range(1 + (core + turn) % 4):
                    assert ctx.get(port.granted)
                    ctx.set(port.addr, 10 * core + turn + place)
                    await ctx.tick()
                    assert ctx.get(port.data) == EXP_TABLE[10 * core + turn + place]
                    reads[core] += 1
                ctx.set(port.wanted, 0)
                await ctx.tick().repeat(1 + core)

        return bench

    simulate(part, *(reader(core) for core in range(cores)))
    assert min(reads) > 20
