# SPDX-License-Identifier: BSD-2-Clause

"""Pruning policies of dual numbers: what each keeps, and that values never change."""

from collections.abc import Callable
from math import frexp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualgate.contract.errors import InputError
from dualgate.contract.settings import PRUNE_OFF
from dualgate.floating.dual import (
    Dual,
    LargestPerNumber,
    Policy,
    RandomPerNumber,
    RelativePerTag,
    keep_all,
)

tangents = st.dictionaries(st.integers(0, 9), st.floats(-100, 100, allow_subnormal=False))
layers = st.lists(st.builds(Dual, st.floats(-1, 1), tangents), max_size=6)


@given(layers, st.integers(1, 12), st.integers(1, PRUNE_OFF))
def test_policies_only_ever_remove_tangents(layer: list[Dual], count: int, setting: int) -> None:
    before = [(n.value, dict(n.tangents)) for n in layer]
    for policy in (
        keep_all,
        LargestPerNumber(count),
        RandomPerNumber(count),
        RelativePerTag(setting),
    ):
        after = policy(layer)
        for new, (value, old) in zip(after, before, strict=True):
            assert new.value == value
            assert new.tangents.items() <= old.items()
    assert [(n.value, n.tangents) for n in layer] == before


@given(layers)
def test_keeping_all_keeps_all(layer: list[Dual]) -> None:
    for policy in (keep_all, RelativePerTag(PRUNE_OFF), LargestPerNumber(10)):
        assert [n.tangents for n in policy(layer)] == [n.tangents for n in layer]


@given(layers, st.integers(1, 9))
def test_the_largest_of_each_number_stay(layer: list[Dual], count: int) -> None:
    for old, new in zip(layer, LargestPerNumber(count)(layer), strict=True):
        assert len(new.tangents) == min(count, len(old.tangents))
        gone = old.tangents.keys() - new.tangents.keys()
        least = min(map(abs, new.tangents.values()), default=0.0)
        assert all(abs(old.tangents[tag]) <= least for tag in gone)


def test_of_equals_the_oldest_stays() -> None:
    (kept,) = LargestPerNumber(2)([Dual(0.0, {"a": 1.0, "b": -2.0, "c": 2.0, "d": 2.0})])
    assert kept.tangents == {"b": -2.0, "c": 2.0}


@given(layers, st.integers(1, 9), st.integers(0, 3))
def test_chance_keeps_as_many_of_those_that_are_not_zero(
    layer: list[Dual], count: int, seed: int
) -> None:
    once, again = (RandomPerNumber(count, seed)(layer) for _ in range(2))
    assert [n.tangents for n in once] == [n.tangents for n in again]
    for old, new in zip(layer, once, strict=True):
        alive = sum(t != 0 for t in old.tangents.values())
        assert len(new.tangents) == min(count, alive)
        assert all(new.tangents.values())


def test_chance_is_fair() -> None:
    policy = RandomPerNumber(1)
    number = Dual(0.0, {"small": 1e-6, "large": 1e6})
    chosen = [next(iter(policy([number])[0].tangents)) for _ in range(400)]
    assert 150 < chosen.count("small") < 250


@given(layers, st.integers(1, PRUNE_OFF - 1))
def test_of_each_tag_the_entries_far_below_its_largest_go(layer: list[Dual], setting: int) -> None:
    pruned = RelativePerTag(setting)(layer)
    for tag in range(10):
        entries = [n.derivative(tag) for n in layer]
        least = 2.0 ** (frexp(max(map(abs, entries), default=0.0))[1] - setting)
        expected = [t if abs(t) >= least else 0.0 for t in entries]
        assert [n.derivative(tag) for n in pruned] == expected


def test_relative_pruning_drops_by_powers_of_two() -> None:
    layer = [Dual(0.0, {"t": v}) for v in (0.9, 0.5, 0.49, -0.25, 0.24, 0.0)]
    kept = {p: [n.derivative("t") for n in RelativePerTag(p)(layer)] for p in (1, 2)}
    assert kept[1] == [0.9, 0.5, 0, 0, 0, 0]
    assert kept[2] == [0.9, 0.5, 0.49, -0.25, 0, 0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LargestPerNumber(0), r"^0 tangents to keep: give at least 1$"),
        (lambda: RandomPerNumber(-1), r"^-1 tangents to keep: give at least 1$"),
        (lambda: RelativePerTag(0), r"^prune 0: give 1 to 14, or 15 for off$"),
        (lambda: RelativePerTag(16), r"^prune 16: give 1 to 14, or 15 for off$"),
    ],
)
def test_a_wrong_number_is_refused(make: Callable[[], Policy], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
