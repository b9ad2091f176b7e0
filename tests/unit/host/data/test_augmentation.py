# SPDX-License-Identifier: BSD-2-Clause

"""Shifted images."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualgate.contract.errors import InputError
from dualgate.data.augmentation import image_side, shift_images


@given(st.integers(1, 6), st.integers(0, 3), st.integers(0, 5), st.integers(0, 100))
def test_each_image_is_moved_as_a_whole_and_zeros_come_in(
    side: int, most: int, samples: int, seed: int
) -> None:
    x = np.random.default_rng(0).integers(1, 1000, (samples, side * side))
    moved = shift_images(x, most, np.random.default_rng(seed))
    assert moved.shape == x.shape
    assert moved.dtype == x.dtype
    for before, after in zip(x, moved, strict=True):
        image = before.reshape(side, side)
        found = []
        for down in range(-most, most + 1):
            for right in range(-most, most + 1):
                whole = np.zeros((3 * side + 6, 3 * side + 6), x.dtype)
                whole[side + 3 + down : 2 * side + 3 + down, :][
                    :, side + 3 + right : 2 * side + 3 + right
                ] = image
                found.append(whole[side + 3 : 2 * side + 3, side + 3 : 2 * side + 3])
        assert any((candidate == after.reshape(side, side)).all() for candidate in found)


def test_all_moves_occur_and_images_move_apart() -> None:
    x = np.zeros((500, 25))
    x[:, 12] = 1
    moved = shift_images(x, 1, np.random.default_rng(0))
    assert set(moved.argmax(axis=1)) == {6, 7, 8, 11, 12, 13, 16, 17, 18}


def test_no_shift_changes_nothing() -> None:
    x = np.arange(18.0).reshape(2, 9)
    assert (shift_images(x, 0, np.random.default_rng(0)) == x).all()


def test_inputs_that_are_no_square_are_refused() -> None:
    assert image_side(784) == 28
    with pytest.raises(InputError, match=r"^8 inputs are no square image"):
        image_side(8)
