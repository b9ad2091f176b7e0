# SPDX-License-Identifier: BSD-2-Clause

"""Augmentation: new samples made from the given ones."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError


def image_side(inputs: int) -> int:
    """Return the side of a square image of `inputs` pixels; raises `InputError` for no square."""
    side = math.isqrt(inputs)
    if side * side != inputs:
        raise InputError(f"{inputs} inputs are no square image; use no shift")
    return side


def shift_images(x: NDArray[Any], most: int, random: np.random.Generator) -> NDArray[Any]:
    """Move each image by up to `most` pixels along each axis; new pixels are zero.

    Parameters
    ----------
    x : array (samples, side * side)
    most : int
        0 or more.
    random : np.random.Generator

    Returns
    -------
    array of the shape and type of `x`

    Raises
    ------
    InputError
        If the inputs are no square image.
    """
    side, samples = image_side(x.shape[1]), np.arange(len(x))
    padded = np.pad(x.reshape(-1, side, side), ((0, 0), (most, most), (most, most)))
    down, right = random.integers(0, 2 * most + 1, (2, len(x), 1, 1))
    rows, columns = down + np.arange(side)[:, None], right + np.arange(side)
    return np.reshape(padded[samples[:, None, None], rows, columns], x.shape)
