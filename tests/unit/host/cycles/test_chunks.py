# SPDX-License-Identifier: BSD-2-Clause

"""Chunks: the same tags together as a loop over the words puts together."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dualgate.cycles.chunks import Chunks

SIZES = st.sampled_from([1, 2, 4, 8, 16]).flatmap(
    lambda neurons: st.tuples(st.just(neurons), st.integers(1, min(neurons, 5)))
)
BORN = st.tuples(st.integers(1, 4), st.integers(1, 40)).flatmap(lambda shape: arrays(bool, shape))


def teams_of(seeded: np.ndarray, neurons: int, lanes: int) -> list[list[list[int]]]:
    """The tags of each chunk of each word of one sample."""
    words = []
    for start in range(0, len(seeded), neurons):
        tags = [tag for tag in range(start, min(start + neurons, len(seeded))) if seeded[tag]]
        words.append([tags[first : first + lanes] for first in range(0, len(tags), lanes)])
    return words


@given(BORN, SIZES)
def test_sizes_are_those_of_the_teams_and_of_absent_ones_zero(
    seeded: np.ndarray, sizes: tuple[int, int]
) -> None:
    neurons, lanes = sizes
    chunks = Chunks(seeded, neurons, lanes)
    assert chunks.sizes.shape == (len(seeded), -(-seeded.shape[1] // neurons), -(-neurons // lanes))
    for sample, flags in enumerate(seeded):
        for found, expected in zip(
            chunks.sizes[sample], teams_of(flags, neurons, lanes), strict=True
        ):
            absent = [0] * (len(found) - len(expected))
            assert found.tolist() == [*map(len, expected), *absent]


@given(BORN, SIZES, st.integers(0, 2**32 - 1), st.sampled_from([(), (1,), (3,), (2, 2)]))
def test_any_says_of_each_team_whether_one_of_its_tags_has_the_flag(
    seeded: np.ndarray, sizes: tuple[int, int], seed: int, rest: tuple[int, ...]
) -> None:
    neurons, lanes = sizes
    flags = np.random.default_rng(seed).random((*seeded.shape, *rest)) < 0.3
    found = Chunks(seeded, neurons, lanes).any(flags)
    each = -(-neurons // lanes)
    for sample in range(len(seeded)):
        words = teams_of(seeded[sample], neurons, lanes)
        assert found.shape == (len(seeded), len(words) * each, *rest)
        for word, chunks in enumerate(words):
            for number in range(each):
                expected = np.zeros(rest, bool)
                for tag in chunks[number] if number < len(chunks) else []:
                    expected = expected | flags[sample, tag]
                np.testing.assert_array_equal(found[sample, word * each + number], expected)
