# SPDX-License-Identifier: BSD-2-Clause

"""Births: which teams of tags begin, with what, and in how many cycles."""

from typing import Any

import pytest
from amaranth import Module
from support.benches import attach, descriptors, flagged_word, simulate, small_shapes, watcher

from dualgate.contract.engine import EngineParameters
from dualgate.contract.layout import Layout
from dualgate.contract.network import Network
from dualgate_hw.lanes.tangent.seeds import Births

NEURONS = 4
LANES = [1, 2, 3]
NETWORK = Network((2, 6, 5, 3), ("sigmoid", "relu"))
SLOPES = [[5, 0, 7, 16384], [0, 9, 0, 0], [3, -2, 16384, 1], [16384, 0, 0, 0]]
"""Words of the two hidden layers: units 0 to 3, 4 and 5; then 0 to 3, and 4."""

LAYERS = Layout(NETWORK, EngineParameters(NEURONS).grown(NETWORK), 12).descriptors


def part(m: Module, lanes: int, slopes: list[list[int]]) -> Births:
    shapes = small_shapes(NEURONS, tangent_lanes=lanes)
    m.submodules.births = births = Births(shapes)
    descriptors(m, births, LAYERS)
    attach(m, "slopes", births.slopes, shapes.vector, 64, slopes)
    return births


def run(lanes: int) -> tuple[list[tuple[int, Any]], list[tuple[int, Any]], int]:
    """Words offered, teams born and cycles spent, with a free slot and a taker always."""
    m = Module()
    context = [[0] * NEURONS] * 16
    births = part(m, lanes, context * 2 + SLOPES)
    words = watcher(births.word.valid, births.word.payload)
    teams = watcher(births.born, births.team)
    spent: list[int] = []

    async def bench(ctx: Any) -> None:
        for signal in (births.slot_free, births.word.ready, births.clear_ready):
            ctx.set(signal, 1)
        ctx.set(births.slot, 3)
        ctx.set(births.sample, 2)
        ctx.set(births.start, 1)
        await ctx.tick()
        ctx.set(births.start, 0)
        cycles = 0
        while ctx.get(births.active):
            await ctx.tick()
            cycles += 1
        spent.append(cycles)

    simulate(m, bench, watch=[words[0], teams[0]])
    return words[1], teams[1], spent[0]


def teams_of(slopes: list[int], lanes: int) -> list[list[int]]:
    """The units of each team: those with a slope, so many at a time."""
    born = [unit for unit, slope in enumerate(slopes) if slope]
    return [born[start : start + lanes] for start in range(0, len(born), lanes)]


def expected(lanes: int) -> tuple[list[Any], list[Any]]:
    """The words and the teams of `SLOPES`."""
    words, teams = [], []
    places = [(0, 0), (0, 1), (1, 0), (1, 1)]
    for address, ((index, group), slopes) in enumerate(zip(places, SLOPES, strict=True)):
        following = LAYERS[index + 1]
        for units in teams_of(slopes, lanes):
            absent = lanes - len(units)
            teams.append(
                {
                    "context": 2,
                    "layer": index + 1,
                    "word": address,
                    "present": (1 << len(units)) - 1,
                    "unit": [*units, *[0] * absent],
                    "frac": [(16, 14)[index]] * lanes,
                }
            )
            for target in range(following["groups"]):
                # A tag that is alone is told its unit by the flag.
                scalars = [slopes] if lanes == 1 else [[0] * NEURONS for _ in range(lanes)]
                for lane, unit in enumerate(units):
                    scalars[lane][unit] = slopes[unit]
                first = following["weight_base"] + target * (following["inputs"] + 1)
                words.append(
                    flagged_word(
                        sum(1 << unit for unit in units),
                        scalars=scalars,
                        row=first + group * NEURONS,
                        end=1,
                        meta={
                            "slot": 3,
                            "group": target,
                            "final": int(target == following["groups"] - 1),
                        },
                    )
                )
    return words, teams


@pytest.mark.parametrize("lanes", LANES)
def test_slopes_that_are_not_zero_start_tags_so_many_a_team_for_each_group_of_the_next_layer(
    lanes: int,
) -> None:
    words, teams, _ = run(lanes)
    assert ([word for _, word in words], [team for _, team in teams]) == expected(lanes)
    assert len(teams) == {1: 9, 2: 6, 3: 5}[lanes]


@pytest.mark.parametrize("lanes", LANES)
def test_cycles_are_those_stated(lanes: int) -> None:
    words, _, cycles = run(lanes)
    layers, slope_words = 2, 4
    # The output layer is looked at, too, and ends the walk: its descriptor takes 2 cycles.
    assert cycles == 3 * layers + 4 * slope_words + len(words) + 2


@pytest.mark.parametrize("lanes", LANES)
@pytest.mark.parametrize("missing", ["slot_free", "word"])
def test_nothing_is_born_without_a_slot_or_a_taker(missing: str, lanes: int) -> None:
    m = Module()
    births = part(m, lanes, SLOPES)
    watch, teams = watcher(births.born, births.slot)

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
    assert teams == []
