# SPDX-License-Identifier: BSD-2-Clause

"""Number formats: conversion of real numbers to fixed point, and the two narrowing operations.

Every number in the engine is a signed integer with a binary point: ``real = integer * 2**-frac``.
Widths belong to the hardware and are constants here; binary points are data, sent in layer
descriptors. A number is narrowed only by `round_shift`, by `saturate`, or by a shift named a floor.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import InputError

VALUE_WIDTH = 16
"""Width of inputs, activations, MAC weights, tangent mantissas, slopes and update scalars."""

MASTER_WIDTH = 32
MASTER_FRAC = 28
"""Format of master weights, range +-8; the MAC reads their upper half."""

WEIGHT_FRAC = MASTER_FRAC - (MASTER_WIDTH - VALUE_WIDTH)

DIGIT_WIDTH = 15
VELOCITY_WIDTH = 16 + 2 * DIGIT_WIDTH
"""Width of a velocity: a signed 16-bit digit above two unsigned 15-bit digits, so that momentum
takes three passes through 16-bit multipliers."""

VELOCITY_KEPT_WIDTH = VELOCITY_WIDTH - 1
"""Width of a velocity between batches; the other half of the range holds the sum of a batch."""

MAX_BATCH = 1 << (VELOCITY_WIDTH - 2 * VALUE_WIDTH)
"""Largest batch: its products, each at most 2**30, fit a velocity in addition to what momentum
keeps from earlier batches."""

SHARE_WIDTH = 38
"""Width of the sums of products in all cores but the first, which keeps the velocity."""

MAX_SHARE = (1 << (SHARE_WIDTH - 2 * VALUE_WIDTH + 1)) - 1
"""Largest number of samples whose products, each at most 2**30, fit `SHARE_WIDTH`. For a longer
batch the host collects the sums in the first core, by reading and writing the velocity."""

MOMENTUM_FRAC = 15
RATE_WIDTH = 15
"""Width of the mantissa of the learning rate, normalised: 2**14 <= mantissa < 2**15."""

UNIT_FRAC = 14
"""Fraction bits of bounded activations (sigmoid, tanh, softmax) and of a slope of one."""

APPLY_BIAS = 16
"""Offset of the shift from velocity to master weight, so that its field is never negative."""


def sum_width(products: int) -> int:
    """Return the width of a sum of `products` products of 16-bit numbers, each at most 2**30."""
    return 2 * VALUE_WIDTH - 1 + products.bit_length()


@dataclass(frozen=True)
class Format:
    """A signed fixed-point format.

    Parameters
    ----------
    width : int
        Bits, sign included.
    frac : int
        Bits after the binary point.
    """

    width: int
    frac: int

    @property
    def min(self) -> float:
        """Smallest real number in range."""
        return -(1 << (self.width - 1)) * 2.0**-self.frac

    @property
    def max(self) -> float:
        """Largest real number in range."""
        return ((1 << (self.width - 1)) - 1) * 2.0**-self.frac

    def quantize(self, real: ArrayLike, what: str = "value") -> NDArray[np.int64]:
        """Round to the nearest integer of this format, halves upwards.

        Parameters
        ----------
        real : array of any shape
        what : str
            Name of the numbers in error messages.

        Raises
        ------
        InputError
            If a number is NaN, infinite, or outside the range; this method does not saturate.
        """
        array = np.asarray(real, dtype=np.float64)
        if not np.isfinite(array).all():
            raise InputError(f"{what} holds NaN or infinity; clean the data first")
        integer = np.floor(array * 2.0**self.frac + 0.5)
        limit = 1 << (self.width - 1)
        if array.size and (integer.min() < -limit or integer.max() >= limit):
            worst = float(array.flat[int(np.abs(array).argmax())])
            raise InputError(
                f"{what} {worst:.6g} is outside the number range "
                f"[{self.min:.6g}, {self.max:.6g}]; scale it down"
            )
        return integer.astype(np.int64)

    def real(self, integer: ArrayLike) -> NDArray[np.float64]:
        """Return the real numbers that `integer` (any shape) represents; exact."""
        return np.asarray(integer, dtype=np.float64) * 2.0**-self.frac


MASTER = Format(MASTER_WIDTH, MASTER_FRAC)


def round_shift(x: NDArray[np.int64], shift: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """Shift right arithmetically, halves rounded upwards: ``floor(x / 2**shift + 1/2)``.

    Parameters
    ----------
    x : integer array
    shift : integer >= 0, scalar or array broadcastable to `x`
    """
    half = (np.int64(1) << shift) >> 1
    return (x + half) >> shift


def saturate(x: NDArray[np.int64], width: int) -> tuple[NDArray[np.int64], int]:
    """Clip `x` to `width` signed bits; also return the number of clipped entries."""
    limit = 1 << (width - 1)
    clipped = np.clip(x, -limit, limit - 1)
    return clipped, int(np.count_nonzero(clipped != x))
