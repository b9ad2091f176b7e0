# SPDX-License-Identifier: BSD-2-Clause

"""Teams: the same tags together as a loop over the words puts together."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dualgate.cycles.chunks import Teams

SIZES = st.sampled_from([1, 2, 4, 8, 16]).flatmap(
    lambda neurons: st.tuples(st.just(neurons), st.integers(1, min(neurons, 5)))
)
BORN = st.tuples(st.integers(1, 4), st.integers(1, 40)).flatmap(lambda shape: arrays(bool, shape))


def teams_of(born: np.ndarray, neurons: int, lanes: int) -> list[list[list[int]]]:
    """The tags of each team of each word of one sample."""
    words = []
    for start in range(0, len(born), neurons):
        tags = [tag for tag in range(start, min(start + neurons, len(born))) if born[tag]]
        words.append([tags[first : first + lanes] for first in range(0, len(tags), lanes)])
    return words


@given(BORN, SIZES)
def test_sizes_are_those_of_the_teams_and_of_absent_ones_zero(
    born: np.ndarray, sizes: tuple[int, int]
) -> None:
    neurons, lanes = sizes
    teams = Teams(born, neurons, lanes)
    assert teams.sizes.shape == (len(born), -(-born.shape[1] // neurons), -(-neurons // lanes))
    for sample, flags in enumerate(born):
        for found, expected in zip(
            teams.sizes[sample], teams_of(flags, neurons, lanes), strict=True
        ):
            absent = [0] * (len(found) - len(expected))
            assert found.tolist() == [*map(len, expected), *absent]


@given(BORN, SIZES, st.integers(0, 2**32 - 1), st.sampled_from([(), (1,), (3,), (2, 2)]))
def test_any_says_of_each_team_whether_one_of_its_tags_has_the_flag(
    born: np.ndarray, sizes: tuple[int, int], seed: int, rest: tuple[int, ...]
) -> None:
    neurons, lanes = sizes
    flags = np.random.default_rng(seed).random((*born.shape, *rest)) < 0.3
    found = Teams(born, neurons, lanes).any(flags)
    each = -(-neurons // lanes)
    for sample in range(len(born)):
        words = teams_of(born[sample], neurons, lanes)
        assert found.shape == (len(born), len(words) * each, *rest)
        for word, teams in enumerate(words):
            for number in range(each):
                expected = np.zeros(rest, bool)
                for tag in teams[number] if number < len(teams) else []:
                    expected = expected | flags[sample, tag]
                np.testing.assert_array_equal(found[sample, word * each + number], expected)
