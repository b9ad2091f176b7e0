# SPDX-License-Identifier: BSD-2-Clause

"""The row memory: master weights, velocities and sums, and the arithmetic of the loops over it."""

import numpy as np
from numpy.typing import NDArray

from dualgate.contract.formats import (
    DIGIT_WIDTH,
    MASTER_WIDTH,
    MOMENTUM_FRAC,
    VALUE_WIDTH,
    VELOCITY_KEPT_WIDTH,
    VELOCITY_WIDTH,
)
from dualgate_hw.compact.parts import DIGIT_PLANES, Places, Plane

from .numbers import MASK, clip, rounded, signed

Ints = NDArray[np.int64]

DIGIT = (1 << DIGIT_WIDTH) - 1


class Rows:
    """Rows of N weights and N velocities as whole numbers; a plane is a range of their bits.

    Parameters
    ----------
    places : Places

    Members
    -------
    sums : list of int
        The plane of sums.
    """

    def __init__(self, places: Places) -> None:
        shape = (places.rows, places.shapes.neurons)
        self._weights = np.zeros(shape, np.int64)
        self._velocities = np.zeros(shape, np.int64)
        self.sums = [0] * places.units

    def read(self, plane: int, row: int) -> list[int]:
        """Return a plane's word of a row, lane by lane."""
        numbers, low, mask = self._part(plane)
        words: list[int] = (numbers[row] >> low & mask).tolist()
        return words

    def write(self, plane: int, row: int, lane: int, number: int) -> None:
        """Write one lane of a plane's word."""
        numbers, low, mask = self._part(plane)
        rest = int(numbers[row, lane]) & ~(mask << low)
        # The plane with the sign bit also sets all bits above it, by sign extension.
        highest = plane in (Plane.UPPER, Plane.HIGH_DIGITS)
        if highest:
            rest &= (1 << low) - 1
        numbers[row, lane] = rest | (signed(number) if highest else number & mask) << low

    def _part(self, plane: int) -> tuple[Ints, int, int]:
        """Return the numbers that a plane is a part of, and the part's lowest bit and mask."""
        if plane in (Plane.LOWER, Plane.UPPER):
            return self._weights, VALUE_WIDTH * (plane - Plane.LOWER), MASK
        digit = DIGIT_PLANES.index(Plane(plane))
        return self._velocities, DIGIT_WIDTH * digit, DIGIT if digit < 2 else MASK

    def sum_products(self, values: Ints, rows: Ints) -> list[int]:
        """Return each lane's sum of the products of values and rows of weights."""
        sums: list[int] = (values @ (self._weights[rows] >> VALUE_WIDTH)).tolist()
        return sums

    def add_products(self, values: Ints, rows: Ints, factors: list[int]) -> None:
        """Add the products of values and lanes' factors to velocities; no row comes twice."""
        total = self._velocities[rows] + values[:, None] * np.array(factors)
        half = 1 << VELOCITY_WIDTH - 1
        self._velocities[rows] = (total + half & 2 * half - 1) - half

    def step(self, row: int, drops: int, power: int, momentum: int) -> int:
        """Step a row's weights and velocities at the batch's end; return how many were clipped."""
        clips = 0
        places = DIGIT_WIDTH * (drops - 1)
        weights, velocities = self._weights[row], self._velocities[row]
        for lane, velocity in enumerate(velocities.tolist()):
            moved = int(weights[lane]) - rounded(velocity * power, places)
            weights[lane] = weight = clip(moved, MASTER_WIDTH)
            left = rounded(velocity * momentum, MOMENTUM_FRAC)
            velocities[lane] = kept = clip(left, VELOCITY_KEPT_WIDTH)
            clips += (weight != moved) + (kept != left)
        return clips
