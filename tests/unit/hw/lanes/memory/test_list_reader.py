# SPDX-License-Identifier: BSD-2-Clause

"""The list reader gives every entry of a list once, in order, and without a lost cycle."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import data
from support.benches import (
    STALLS,
    attach,
    numbers,
    simulate,
    small_shapes,
    watcher,
)

from dualgate_hw.common.shapes import ENTRY
from dualgate_hw.lanes.memory.list_reader import ListReader
from dualgate_sim.testing.streams import receive, send

META = data.StructLayout({"mark": 5})
Job = dict[str, Any]


def random_lists(random: np.random.Generator, words: int) -> list[dict[str, int]]:
    return [{"value": value, "index": int(random.integers(20))} for value in numbers(random, words)]


def walk(
    jobs: list[Job],
    inputs: list[Any],
    hidden: list[Any],
    odds: tuple[float, float],
    alternates: bool = False,
) -> tuple[list[int], list[tuple[int, Any]]]:
    """Run jobs; returns the cycles in which jobs were taken, and each step with its cycle."""
    shapes = small_shapes(2, rows=2048)

    m = Module()
    m.submodules.reader = reader = ListReader(shapes, META, alternates)
    pairs = [inputs[at : at + 2] for at in range(0, len(inputs), 2)]
    attach(m, "inputs", reader.inputs, shapes.pair, len(pairs), pairs)
    attach(m, "hidden", reader.hidden, ENTRY, len(hidden), hidden)
    taken: list[int] = []
    steps: list[tuple[int, Any]] = []

    async def source(ctx: Any) -> None:
        taken.extend(await send(ctx, reader.job, jobs, odds[0], 1))

    async def sink(ctx: Any) -> None:
        count = sum(job["count"] for job in jobs)
        steps.extend(await receive(ctx, reader.step, count, odds[1], 2))

    watch, reads = watcher(reader.inputs.en)
    simulate(m, source, sink, watch=[watch])
    cycles = [cycle for (cycle,) in reads]
    assert not alternates or all(later - earlier > 1 for earlier, later in pairwise(cycles))
    return taken, steps


def random_jobs(random: np.random.Generator, count: int) -> list[Job]:
    jobs = []
    for mark in range(count):
        from_input = int(random.integers(2))
        room = 32
        first = int(random.integers(room))
        jobs.append(
            {
                "context": int(random.integers(4)),
                "input": from_input,
                "first": first,
                "count": int(random.integers(1, min(6, room - first) + 1)),
                "row": int(random.integers(1000)),
                "meta": {"mark": mark % 32},
            }
        )
    return jobs


def expected_steps(jobs: list[Job], inputs: list[Any], hidden: list[Any]) -> list[Any]:
    steps = []
    for job in jobs:
        words, first = inputs, 2 * job["first"]
        if not job["input"]:
            words, first = hidden, 32 * job["context"] + job["first"]
        for offset in range(job["count"]):
            entry = words[first + offset]
            steps.append(
                {
                    "row": job["row"] + entry["index"],
                    "scalar": entry["value"],
                    "last": int(offset == job["count"] - 1),
                    "meta": job["meta"],
                }
            )
    return steps


@pytest.mark.parametrize("odds", STALLS)
@pytest.mark.parametrize("alternates", [False, True])
def test_a_reader_gives_every_entry_of_either_memory_in_order(
    odds: tuple[float, float], alternates: bool
) -> None:
    random = np.random.default_rng(4)
    inputs, hidden = random_lists(random, 64), random_lists(random, 128)
    jobs = random_jobs(random, 60)
    _, steps = walk(jobs, inputs, hidden, odds, alternates)
    assert [step for _, step in steps] == expected_steps(jobs, inputs, hidden)


def test_a_reader_gives_an_entry_a_cycle_without_a_gap_between_jobs() -> None:
    random = np.random.default_rng(5)
    inputs, hidden = random_lists(random, 64), random_lists(random, 128)
    taken, steps = walk(random_jobs(random, 40), inputs, hidden, (0.0, 0.0))
    first = taken[0] + 3
    assert [cycle for cycle, _ in steps] == list(range(first, first + len(steps)))


def test_an_alternating_reader_leaves_a_gap_after_an_odd_input_list() -> None:
    random = np.random.default_rng(5)
    inputs, hidden = random_lists(random, 64), random_lists(random, 128)
    jobs = random_jobs(random, 60)
    taken, steps = walk(jobs, inputs, hidden, (0.0, 0.0), alternates=True)
    at, expected = taken[0] + 3, []
    for before, job in zip([None, *jobs], jobs, strict=False):
        at += before is not None and before["input"] * before["count"] % 2 and job["input"]
        expected += range(at, at + job["count"])
        at += job["count"]
    assert [cycle for cycle, _ in steps] == expected
