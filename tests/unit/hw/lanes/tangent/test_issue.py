# SPDX-License-Identifier: BSD-2-Clause

"""Kept entries of words as steps: every one once, in order, and no cycle lost."""

from typing import Any

import numpy as np
import pytest
from amaranth.lib import data
from support.benches import (
    SIZES,
    STALLS,
    flagged_word,
    numbers,
    simulate,
)

from dualgate_hw.lanes.tangent.issue import NonzeroIssuer
from dualgate_sim.testing.streams import receive, send

META = data.StructLayout({"mark": 5})
Job = dict[str, Any]


def step_words(
    neurons: int, lanes: int, words: list[Job], odds: tuple[float, float]
) -> tuple[list[int], list[tuple[int, Any]]]:
    """Step over words; returns the cycles in which they were taken, and the steps with theirs."""
    issuer = NonzeroIssuer(neurons, lanes, META)
    taken: list[int] = []
    steps: list[tuple[int, Any]] = []

    async def source(ctx: Any) -> None:
        taken.extend(await send(ctx, issuer.job, words, odds[0], 1))

    async def sink(ctx: Any) -> None:
        count = sum(max(1, word["flags"].bit_count()) for word in words)
        steps.extend(await receive(ctx, issuer.step, count, odds[1], 2))

    simulate(issuer, source, sink)
    return taken, steps


def random_words(random: np.random.Generator, neurons: int, lanes: int, count: int) -> list[Job]:
    return [
        flagged_word(
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
def test_an_issuer_gives_the_flagged_entries_of_all_lanes_lowest_first(
    neurons: int, lanes: int, odds: tuple[float, float]
) -> None:
    words = random_words(np.random.default_rng(6), neurons, lanes, 60)
    _, steps = step_words(neurons, lanes, words, odds)
    found = [step for _, step in steps]
    for word in words:
        entries = [entry for entry in range(neurons) if word["flags"] >> entry & 1]
        if not entries:
            only = found.pop(0)
            assert (only["some"], only["end"], only["meta"]) == (0, word["end"], word["meta"])
        for entry in entries:
            assert found.pop(0) == {
                "some": 1,
                "row": word["row"] + entry,
                "scalar": [scalars[entry] for scalars in word["scalars"]],
                "end": word["end"] * (entry == entries[-1]),
                "meta": word["meta"],
            }
    assert not found


def test_an_issuer_spends_a_cycle_on_each_flag_and_one_on_a_word_without() -> None:
    words = random_words(np.random.default_rng(7), 4, 2, 50)
    assert any(word["flags"] == 0 for word in words)
    taken, steps = step_words(4, 2, words, (0.0, 0.0))
    costs = [max(1, word["flags"].bit_count()) for word in words]
    assert taken == [sum(costs[:index]) for index in range(len(words))]
    assert [cycle for cycle, _ in steps] == list(range(1, 1 + sum(costs)))
