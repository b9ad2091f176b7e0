# SPDX-License-Identifier: BSD-2-Clause

"""Formats: rounding into them, shifting, saturating, and the widths that must hold together."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualgate.contract import formats
from dualgate.contract.errors import InputError
from dualgate.contract.formats import Format, round_shift, saturate

INT48 = st.integers(-(1 << 47), (1 << 47) - 1)


@given(INT48, st.integers(0, 60))
def test_round_shift_is_the_floor_of_the_quotient_and_a_half(x: int, shift: int) -> None:
    expected = math.floor(Fraction(x, 1 << shift) + Fraction(1, 2))
    assert round_shift(np.array([x]), shift).tolist() == [expected]


def test_halves_round_upwards_on_both_sides_of_zero() -> None:
    halves = np.array([-6, -2, 2, 6])
    assert round_shift(halves, 2).tolist() == [-1, 0, 1, 2]


def test_round_shift_takes_a_shift_for_each_entry() -> None:
    assert round_shift(np.array([5, 5, 5]), np.array([0, 1, 3])).tolist() == [5, 3, 1]


@given(st.lists(INT48, min_size=1), st.integers(2, 48))
def test_saturate_clips_and_counts(numbers: list[int], width: int) -> None:
    limit = 1 << (width - 1)
    clipped, count = saturate(np.array(numbers), width)
    assert clipped.tolist() == [max(-limit, min(limit - 1, n)) for n in numbers]
    assert count == sum(not -limit <= n < limit for n in numbers)


@given(st.integers(0, 14), st.floats(-1, 1, width=32))
def test_quantize_is_within_half_a_step_and_real_undoes_it(frac: int, share: float) -> None:
    fmt = Format(16, frac)
    real = share * fmt.max
    integer = fmt.quantize([real])
    assert abs(fmt.real(integer)[0] - real) <= 2.0 ** -(frac + 1)
    assert fmt.quantize(fmt.real(integer)).tolist() == integer.tolist()


def test_a_format_holds_its_ends_and_nothing_beyond() -> None:
    fmt = Format(16, 12)
    assert (fmt.min, fmt.max) == (-8.0, 8.0 - 2.0**-12)
    assert fmt.quantize([fmt.min, fmt.max]).tolist() == [-32768, 32767]
    with pytest.raises(InputError, match=r"^input 8 is outside the number range \[-8, 7\.99976\]"):
        fmt.quantize([[0.0, 8.0]], "input")
    with pytest.raises(InputError, match=r"^value -8\.1 is outside"):
        fmt.quantize(-8.1)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(InputError, match=r"^weight holds NaN or infinity"):
        formats.MASTER.quantize([0.0, bad], "weight")


def test_nothing_is_quantized_to_nothing() -> None:
    assert formats.MASTER.quantize(np.empty((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("products", [1, 2, 63, 64, 1 << 15])
def test_an_accumulator_holds_the_longest_sum_and_is_no_wider(products: int) -> None:
    most = 1 << (formats.sum_width(products) - 1)
    assert most // 2 <= products << 30 < most


def test_a_velocity_holds_the_largest_batch_beside_what_momentum_left() -> None:
    kept = (1 << (formats.VELOCITY_KEPT_WIDTH - 1)) - 1
    batch = formats.MAX_BATCH << 30
    assert kept + batch == (1 << (formats.VELOCITY_WIDTH - 1)) - 1
    assert formats.MAX_BATCH == 16384


def test_the_mac_reads_weights_of_twelve_fraction_bits() -> None:
    assert formats.WEIGHT_FRAC == 12
    assert (formats.MASTER.min, round(formats.MASTER.max)) == (-8.0, 8)
