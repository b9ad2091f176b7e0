"""Pruning: which entries of a vector go on, and how they are counted."""

from typing import Any

import numpy as np
import pytest
from amaranth import Array, Const, Module
from benches import attach, descriptors, simulate, small_shapes, watcher
from hypothesis import given, settings
from hypothesis import strategies as st

from dualgate.settings import PRUNE_OFF
from dualgate_hw.prune import Pruner
from dualgate_sim import golden
from dualgate_sim.streams import receive, send

MANTISSA = (
    st.sampled_from([0, 0, 1, -1, 32767, -32768, -32767, 16384, 16383, -8192])
    | st.integers(-32768, 32767)
    | st.integers(0, 14).map(lambda bit: 1 << bit)
    | st.integers(-99, 99)
)
VECTORS = st.lists(st.lists(MANTISSA, min_size=1, max_size=8).filter(any), min_size=1, max_size=4)


def run(
    neurons: int, vectors: list[list[int]], prune: int, groups: int, odds: float
) -> tuple[list[Any], int, int]:
    """Prune one vector for each slot; returns the words sent, and what was kept and dropped."""
    shapes = small_shapes(neurons, groups=8)
    layers = [
        {"inputs": len(vector), "groups": groups, "weight_base": 100 * slot}
        for slot, vector in enumerate(vectors)
    ]
    m = Module()
    m.submodules.pruner = pruner = Pruner(shapes)
    descriptors(m, pruner, layers)
    words = []
    for vector in vectors:
        padded = [*vector, *[0] * (8 * neurons - len(vector))]
        words += [padded[start : start + neurons] for start in range(0, len(padded), neurons)]
    attach(m, "vectors", pruner.vectors, shapes.vector, shapes.slots * 8, words)
    slot_layers = Array(Const(slot, 2) for slot in range(shapes.slots))
    m.d.comb += [
        pruner.slot_layer.eq(slot_layers[pruner.job.payload.slot]),
        pruner.prune.eq(prune),
    ]
    watch, counts = watcher(pruner.kept | pruner.dropped, pruner.kept, pruner.dropped)
    jobs = [
        {"slot": slot, "bits": max(abs(entry) for entry in vector).bit_length()}
        for slot, vector in enumerate(vectors)
    ]
    got: list[Any] = []

    async def source(ctx: Any) -> None:
        await send(ctx, pruner.job, jobs, odds / 2, 1)

    async def sink(ctx: Any) -> None:
        ends = 0
        while ends < groups * len(vectors):
            ((_, word),) = await receive(ctx, pruner.word, 1, odds, len(got))
            got.append(word)
            ends += word["end"]
        await ctx.tick().repeat(4)

    simulate(m, source, sink, watch=[watch])
    return got, sum(kept for _, kept, _ in counts), sum(dropped for _, _, dropped in counts)


def check(neurons: int, vectors: list[list[int]], prune: int, groups: int, odds: float) -> None:
    got, kept, dropped = run(neurons, vectors, prune, groups, odds)
    tally = golden.Tally()
    for slot, vector in enumerate(vectors):
        pruned = golden.prune(np.array(vector, float), prune, tally).astype(int).tolist()
        for group in range(groups):
            found = [0] * len(vector)
            ended = False
            while not ended:
                word = got.pop(0)
                assert word["meta"] == {
                    "slot": slot,
                    "group": group,
                    "final": int(group == groups - 1),
                }
                base = 100 * slot + group * (len(vector) + 1)
                for lane in range(neurons):
                    if word["flags"] >> lane & 1:
                        found[word["row"] - base + lane] = word["scalars"][lane]
                ended = bool(word["end"])
            assert found == pruned
    assert not got
    assert (kept, dropped) == (tally.kept, tally.dropped)


@settings(max_examples=40)
@given(
    st.sampled_from([1, 2, 4]),
    VECTORS,
    st.integers(1, PRUNE_OFF),
    st.integers(1, 3),
    st.sampled_from([0.0, 0.6]),
)
def test_flags_and_counts_are_those_of_the_golden_model(
    neurons: int, vectors: list[list[int]], prune: int, groups: int, odds: float
) -> None:
    check(neurons, vectors, prune, groups, odds)


@pytest.mark.parametrize("prune", range(1, PRUNE_OFF + 1))
def test_every_setting_cuts_at_its_power_of_two(prune: int) -> None:
    powers = [1 << bit for bit in range(15)]
    for largest in (-32768, 32767, 16384):
        vector = [largest, *powers[7:14]]
        low = [largest, *powers[:7]]
        below = [largest, *(-power + 1 for power in powers[8:15])]
        check(4, [vector, low, below], prune, groups=1, odds=0.0)


def test_a_vector_whose_entries_all_stay_but_one_word_is_empty_sends_no_empty_word() -> None:
    got, _, _ = run(2, [[5, 0, 0, 0, 7, 0, 0, 0]], PRUNE_OFF, 1, 0.0)
    assert [(word["flags"], word["end"]) for word in got] == [(1, 0), (1, 0), (0, 1)]
