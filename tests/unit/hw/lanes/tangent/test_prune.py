# SPDX-License-Identifier: BSD-2-Clause

"""Pruning: the entries of a vector that are kept, and their counts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from amaranth import Array, Const, Module
from hypothesis import given
from hypothesis import strategies as st
from support.benches import SIZES, attach, descriptors, simulate, small_shapes, watcher
from support.effort import examples

from dualgate.contract.settings import PRUNE_OFF
from dualgate_hw.lanes.tangent.prune import Pruner
from dualgate_sim.golden import tangents
from dualgate_sim.golden.exact import Tally
from dualgate_sim.testing.streams import receive, send

pytestmark = pytest.mark.slow

MANTISSA = (
    st.sampled_from([0, 0, 1, -1, 32767, -32768, -32767, 16384, 16383, -8192])
    | st.integers(-32768, 32767)
    | st.integers(0, 14).map(lambda bit: 1 << bit)
    | st.integers(-99, 99)
)
Chunk = Sequence[list[int]]
"""Vectors of equal length, one a lane; those of absent and of dead tags are zero."""


@st.composite
def sized_chunks(draw: st.DrawFn) -> tuple[int, list[Chunk]]:
    """N, and up to 4 chunks of one K."""
    neurons, lanes = draw(st.sampled_from(SIZES))
    chunks = []
    for length in draw(st.lists(st.integers(1, 8), min_size=1, max_size=4)):
        entries = st.lists(MANTISSA, min_size=length, max_size=length)
        vector = entries if lanes == 1 else entries | st.just([0] * length)
        some = st.lists(vector, min_size=lanes, max_size=lanes)
        chunks.append(draw(some.filter(lambda vectors: any(map(any, vectors)))))
    return neurons, chunks


def run(
    neurons: int, chunks: list[Chunk], prune: int, groups: int, odds: float
) -> tuple[list[Any], int, int]:
    """Prune one chunk for each slot; returns the rows sent, and what was kept and dropped."""
    shapes = small_shapes(neurons, groups=8, rows=4096, tangent_lanes=len(chunks[0]))
    layers = [
        {"inputs": len(chunk[0]), "groups": groups, "weight_base": 100 * slot}
        for slot, chunk in enumerate(chunks)
    ]
    m = Module()
    m.submodules.pruner = pruner = Pruner(shapes)
    descriptors(m, pruner, layers)
    words = []
    for chunk in chunks:
        padded = [[*vector, *[0] * (8 * neurons - len(vector))] for vector in chunk]
        words += [
            [vector[start : start + neurons] for vector in padded]
            for start in range(0, 8 * neurons, neurons)
        ]
    attach(m, "vectors", pruner.vectors, shapes.vectors, shapes.slots * 8, words)
    slot_layers = Array(Const(slot, 2) for slot in range(shapes.slots))
    m.d.comb += [
        pruner.slot_layer.eq(slot_layers[pruner.job.payload.slot]),
        pruner.prune.eq(prune),
    ]
    watch, counts = watcher(pruner.kept | pruner.dropped, pruner.kept, pruner.dropped)
    jobs = [
        {"slot": slot, "bits": [max(map(abs, vector)).bit_length() for vector in chunk]}
        for slot, chunk in enumerate(chunks)
    ]
    got: list[Any] = []

    async def source(ctx: Any) -> None:
        await send(ctx, pruner.job, jobs, odds / 2, 1)

    async def sink(ctx: Any) -> None:
        ends = 0
        while ends < groups * len(chunks):
            ((_, row),) = await receive(ctx, pruner.rows, 1, odds, len(got))
            got.append(row)
            ends += row["end"]
        await ctx.tick().repeat(4)

    simulate(m, source, sink, watch=[watch])
    return got, sum(kept for _, kept, _ in counts), sum(dropped for _, _, dropped in counts)


def check(neurons: int, chunks: list[Chunk], prune: int, groups: int, odds: float) -> None:
    got, kept, dropped = run(neurons, chunks, prune, groups, odds)
    tally = Tally()
    for slot, chunk in enumerate(chunks):
        pruned = tangents.prune(np.array(chunk, float).T, prune, tally).T.astype(int)
        length = len(chunk[0])
        for group in range(groups):
            found = np.zeros_like(pruned)
            ended = False
            while not ended:
                row = got.pop(0)
                assert row["meta"] == {
                    "slot": slot,
                    "group": group,
                    "final": int(group == groups - 1),
                }
                first = row["row"] - 100 * slot - group * (length + 1)
                scalars = np.array(row["scalars"])
                for entry in range(neurons):
                    if row["flags"] >> entry & 1:
                        found[:, first + entry] = scalars[:, entry]
                        assert scalars[:, entry].any(), "a row that no tag keeps"
                ended = bool(row["end"])
            assert found.tolist() == pruned.tolist()
    assert not got
    assert (kept, dropped) == (tally.kept, tally.dropped)


@examples(60)
@given(
    sized_chunks(),
    st.integers(1, PRUNE_OFF),
    st.integers(1, 3),
    st.sampled_from([0.0, 0.6]),
)
def test_flags_and_counts_are_those_of_the_golden_model(
    sized: tuple[int, list[Chunk]], prune: int, groups: int, odds: float
) -> None:
    check(*sized, prune, groups, odds)


@pytest.mark.parametrize("prune", range(1, PRUNE_OFF + 1))
def test_every_setting_cuts_at_its_power_of_two(prune: int) -> None:
    powers = [1 << bit for bit in range(15)]
    for largest in (-32768, 32767, 16384):
        vector = [largest, *powers[7:14]]
        low = [largest, *powers[:7]]
        below = [largest, *(-power + 1 for power in powers[8:15])]
        check(4, [[vector], [low], [below]], prune, groups=1, odds=0.0)
        small = [entry >> 3 for entry in vector]
        check(4, [[vector, small], [small, low], [below, vector]], prune, groups=1, odds=0.0)


def test_rows_without_kept_entries_are_not_sent() -> None:
    got, _, _ = run(2, [[[5, 0, 0, 0, 7, 0, 0, 0]]], PRUNE_OFF, 1, 0.0)
    assert [(row["flags"], row["end"]) for row in got] == [(1, 0), (1, 0), (0, 1)]


def test_a_row_kept_by_one_tag_is_zero_for_the_others() -> None:
    chunk = [[32767, 1, 0, 9], [0, 8, 1, 0], [0, 0, 0, 0]]
    (row,), kept, dropped = run(4, [chunk], 2, 1, 0.0)
    assert row["flags"] == 0b0011
    assert row["scalars"] == [[32767, 0, 0, 0], [0, 8, 0, 0], [0] * 4]
    assert (kept, dropped) == (2, 3)
