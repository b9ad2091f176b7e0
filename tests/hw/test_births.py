"""Births: which tags begin, with what, and in how many cycles."""

from typing import Any

import pytest
from amaranth import Module
from benches import attach, descriptors, simulate, small_shapes, watcher

from dualgate.engine import EngineParameters, Layout
from dualgate.network import Network
from dualgate_hw.births import Births

SHAPES = small_shapes(4)
NETWORK = Network((2, 6, 5, 3), ("sigmoid", "relu"))
SLOPES = [[5, 0, 7, 16384], [0, 9, 0, 0], [0, 0, 16384, 0], [16384, 0, 0, 0]]
"""Words of the two hidden layers: units 0 to 3, 4 and 5; then 0 to 3, and 4."""


def run() -> tuple[list[tuple[int, Any]], list[tuple[int, Any]], int]:
    """Words offered, tags born and cycles spent, with a free slot and a taker always."""
    m = Module()
    m.submodules.births = births = Births(SHAPES)
    layout = Layout(NETWORK, EngineParameters(4).grown(NETWORK), 12)
    descriptors(m, births, layout.descriptors)
    context = [[0] * 4] * 16
    attach(m, "slopes", births.slopes, SHAPES.vector, 64, context * 2 + SLOPES)
    words = watcher(births.word.valid, births.word.payload)
    tags = watcher(births.born, births.tag)
    spent: list[int] = []

    async def bench(ctx: Any) -> None:
        for signal in (births.slot_free, births.word.ready, births.clear_ready):
            ctx.set(signal, 1)
        ctx.set(births.sample, 2)
        ctx.set(births.start, 1)
        await ctx.tick()
        ctx.set(births.start, 0)
        cycles = 0
        while ctx.get(births.active):
            await ctx.tick()
            cycles += 1
        spent.append(cycles)

    simulate(m, bench, watch=[words[0], tags[0]])
    return words[1], tags[1], spent[0]


def test_every_slope_that_is_not_zero_starts_a_tag_for_each_group_of_the_next_layer() -> None:
    words, tags, _ = run()
    born = [(tag["layer"], tag["word"], tag["lane"], tag["frac"]) for _, tag in tags]
    assert born == [
        *((1, 0, lane, 16) for lane in (0, 2, 3)),
        (1, 1, 1, 16),
        (2, 2, 2, 14),
        (2, 3, 0, 14),
    ]
    assert all(tag["context"] == 2 for _, tag in tags)
    # The second layer has two groups of four neurons, the third has one.
    assert len(words) == 4 * 2 + 2
    rows = [word["row"] for _, word in words]
    first, second = 2 * 3, 2 * 3 + 2 * 7
    assert rows == [first, first + 7] * 3 + [first + 4, first + 11] + [second, second + 4]
    assert [word["flags"] for _, word in words[::2]][:4] == [1, 4, 8, 2]


def test_cycles_are_those_stated() -> None:
    words, _, cycles = run()
    layers, slope_words = 2, 4
    # The output layer is looked at, too, and ends the walk: its descriptor takes 2 cycles.
    assert cycles == 3 * layers + 4 * slope_words + len(words) + 2


@pytest.mark.parametrize("missing", ["slot_free", "word"])
def test_nothing_is_born_without_a_slot_or_a_taker(missing: str) -> None:
    m = Module()
    m.submodules.births = births = Births(SHAPES)
    layout = Layout(NETWORK, EngineParameters(4).grown(NETWORK), 12)
    descriptors(m, births, layout.descriptors)
    attach(m, "slopes", births.slopes, SHAPES.vector, 64, SLOPES)
    watch, tags = watcher(births.born, births.slot)

    async def bench(ctx: Any) -> None:
        ctx.set(births.clear_ready, 1)
        ctx.set(births.slot_free, missing != "slot_free")
        ctx.set(births.word.ready, missing != "word")
        ctx.set(births.start, 1)
        await ctx.tick()
        ctx.set(births.start, 0)
        await ctx.tick().repeat(60)
        assert ctx.get(births.active)

    simulate(m, bench, watch=[watch])
    assert tags == []
