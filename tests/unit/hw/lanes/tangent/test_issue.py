# SPDX-License-Identifier: BSD-2-Clause

"""The issuer: every kept entry becomes one step, in order, without a lost cycle."""

from typing import Any

import numpy as np
import pytest
from amaranth.lib import data
from support.benches import (
    SIZES,
    STALLS,
    flagged_job,
    numbers,
    simulate,
)

from dualgate_hw.lanes.tangent.issue import NonzeroIssuer
from dualgate_sim.testing.streams import receive, send

META = data.StructLayout({"mark": 5})
Job = dict[str, Any]


def step_jobs(
    neurons: int, lanes: int, jobs: list[Job], odds: tuple[float, float]
) -> tuple[list[int], list[tuple[int, Any]]]:
    """Step over jobs; return the cycles in which they were taken, and the steps with theirs."""
    issuer = NonzeroIssuer(neurons, lanes, META)
    taken: list[int] = []
    steps: list[tuple[int, Any]] = []

    async def source(ctx: Any) -> None:
        taken.extend(await send(ctx, issuer.job, jobs, odds[0], 1))

    async def sink(ctx: Any) -> None:
        count = sum(max(1, job["flags"].bit_count()) for job in jobs)
        steps.extend(await receive(ctx, issuer.step, count, odds[1], 2))

    simulate(issuer, source, sink)
    return taken, steps


def random_jobs(random: np.random.Generator, neurons: int, lanes: int, count: int) -> list[Job]:
    return [
        flagged_job(
            int(random.integers(1 << neurons)) * int(random.random() < 0.8),
            scalars=[numbers(random, neurons) for _ in range(lanes)],
            row=int(random.integers(1000)),
            end=int(random.integers(2)),
            meta={"mark": mark % 32},
        )
        for mark in range(count)
    ]


@pytest.mark.parametrize(("neurons", "lanes"), SIZES)
@pytest.mark.parametrize("odds", STALLS)
def test_flagged_entries_of_all_lanes_are_issued_lowest_first(
    neurons: int, lanes: int, odds: tuple[float, float]
) -> None:
    jobs = random_jobs(np.random.default_rng(6), neurons, lanes, 60)
    _, steps = step_jobs(neurons, lanes, jobs, odds)
    found = [step for _, step in steps]
    for job in jobs:
        entries = [entry for entry in range(neurons) if job["flags"] >> entry & 1]
        if not entries:
            only = found.pop(0)
            assert (only["some"], only["end"], only["meta"]) == (0, job["end"], job["meta"])
        for entry in entries:
            assert found.pop(0) == {
                "some": 1,
                "row": job["row"] + entry,
                "scalar": [scalars[entry] for scalars in job["scalars"]],
                "end": job["end"] * (entry == entries[-1]),
                "meta": job["meta"],
            }
    assert not found


def test_a_job_costs_a_cycle_a_flag_and_one_without_any() -> None:
    jobs = random_jobs(np.random.default_rng(7), 4, 2, 50)
    assert any(job["flags"] == 0 for job in jobs)
    taken, steps = step_jobs(4, 2, jobs, (0.0, 0.0))
    costs = [max(1, job["flags"].bit_count()) for job in jobs]
    assert taken == [sum(costs[:index]) for index in range(len(jobs))]
    assert [cycle for cycle, _ in steps] == list(range(1, 1 + sum(costs)))
