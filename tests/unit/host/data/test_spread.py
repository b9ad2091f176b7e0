# SPDX-License-Identifier: BSD-2-Clause

"""Spreads: bit lengths as Python counts them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from support.effort import examples

from dualgate.data.spread import Spread, bit_lengths

INTEGERS = st.lists(st.integers(-(2**15), 2**15 - 1), min_size=1, max_size=40)


@examples(60)
@given(values=st.lists(st.integers(-(2**52), 2**52), min_size=1, max_size=40))
def test_bit_lengths_are_python_s(values: list[int]) -> None:
    assert bit_lengths(np.array(values)).tolist() == [abs(v).bit_length() for v in values]


@examples(60)
@given(values=INTEGERS)
def test_counts_and_medians_follow_from_the_lengths(values: list[int]) -> None:
    spread = Spread.of(np.array(values), 16, 4)
    lengths = [abs(v).bit_length() for v in values]
    assert spread.counts == tuple(lengths.count(bits) for bits in range(17))
    assert (spread.total, spread.zeros) == (len(values), values.count(0))
    assert spread.bits == max(lengths)
    nonzero = sorted(filter(None, lengths))
    assert spread.typical_bits == (nonzero[(len(nonzero) - 1) // 2] if nonzero else 0)
    assert all(abs(v) / 16 <= spread.largest for v in values)


@examples(20)
@given(one=INTEGERS, other=INTEGERS)
def test_the_sum_of_two_spreads_is_that_of_all_numbers(one: list[int], other: list[int]) -> None:
    both = Spread.of(np.array(one), 16, 3, 2) + Spread.of(np.array(other), 16, 3, 1)
    assert both == Spread.of(np.array(one + other), 16, 3, 3)


def test_zeros_have_no_range() -> None:
    spread = Spread.of(np.zeros((2, 3)), 16, 12)
    assert (spread.bits, spread.typical_bits, spread.largest) == (0, 0, 0.0)
