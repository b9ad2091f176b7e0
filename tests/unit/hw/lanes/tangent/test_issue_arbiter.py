# SPDX-License-Identifier: BSD-2-Clause

"""The arbiter in front of the issuer: pruned rows first, and a slot's sums never mixed."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from support.benches import STALLS, simulate, small_shapes

from dualgate_hw.lanes.tangent.issue_arbiter import IssueArbiter
from dualgate_sim.testing.streams import receive, send

SHAPES = small_shapes(2)
SOURCES = ("seeds", "pruned")
Job = dict[str, Any]


def jobs_of(random: np.random.Generator, source: int, slots: int) -> list[Job]:
    """The rows of some slots' sums: a random number of rows for each of some groups."""
    jobs = []
    for slot in range(slots):
        groups = int(random.integers(1, 4))
        for group in range(groups):
            rows = int(random.integers(1, 4))
            for row in range(rows):
                meta = {"slot": slot % SHAPES.slots, "group": group, "final": group == groups - 1}
                jobs.append({"row": 100 * source + slot, "end": row == rows - 1, "meta": meta})
    return jobs


@pytest.mark.parametrize("odds", STALLS)
def test_a_slot_s_rows_come_together_and_none_is_lost(odds: tuple[float, float]) -> None:
    arbiter = IssueArbiter(SHAPES)
    random = np.random.default_rng(3)
    sent = [jobs_of(random, source, 12) for source in range(2)]
    found: list[Job] = []

    def sender(source: int) -> Any:
        async def bench(ctx: Any) -> None:
            await send(ctx, getattr(arbiter, SOURCES[source]), sent[source], odds[0], source)

        return bench

    async def sink(ctx: Any) -> None:
        count = sum(map(len, sent))
        found.extend(job for _, job in await receive(ctx, arbiter.job, count, odds[1], 2))

    simulate(arbiter, sender(0), sender(1), sink)
    for source in range(2):
        rows = [job["row"] for job in found if job["row"] // 100 == source]
        assert rows == [job["row"] for job in sent[source]]
    changes = sum(a["row"] != b["row"] for a, b in pairwise(found))
    assert changes == 2 * 12 - 1


def test_pruned_rows_take_precedence_between_slots() -> None:
    arbiter = IssueArbiter(SHAPES)
    last = {"end": 1, "meta": {"final": 1}}

    async def bench(ctx: Any) -> None:
        for source in SOURCES:
            ctx.set(getattr(arbiter, source).payload, last)
            ctx.set(getattr(arbiter, source).valid, 1)
        ctx.set(arbiter.job.ready, 1)
        for _ in range(3):
            assert ctx.get(arbiter.pruned.ready)
            assert not ctx.get(arbiter.seeds.ready)
            await ctx.tick()
        ctx.set(arbiter.pruned.valid, 0)
        assert ctx.get(arbiter.seeds.ready)

    simulate(arbiter, bench)
