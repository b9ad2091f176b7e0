# SPDX-License-Identifier: BSD-2-Clause

"""Number formats: where a real number becomes fixed point, and the two operations that narrow one.

Every number in the engine is a signed integer with a binary point: ``real = integer * 2**-frac``.
Widths belong to the hardware and are constants here; binary points are data and travel in layer
descriptors. Nothing narrows except through `round_shift`, `saturate`, or a shift named as a floor.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .errors import InputError

VALUE_WIDTH = 16
"""Inputs, activations, MAC weights, tangent mantissas, slopes and update scalars."""

MASTER_WIDTH = 32
MASTER_FRAC = 28
"""Master weights, +-8; the MAC reads their upper half."""

WEIGHT_FRAC = MASTER_FRAC - (MASTER_WIDTH - VALUE_WIDTH)

DIGIT_WIDTH = 15
VELOCITY_WIDTH = 16 + 2 * DIGIT_WIDTH
"""Velocity: one signed 16-bit digit above two unsigned 15-bit ones, so that momentum is three
passes through 16-bit multipliers."""

VELOCITY_KEPT_WIDTH = VELOCITY_WIDTH - 1
"""What momentum leaves between batches; the other half of the range is for a batch's sum."""

MAX_BATCH = 1 << (VELOCITY_WIDTH - 2 * VALUE_WIDTH)
"""Samples whose products, each at most 2**30, fit a velocity beside what momentum left."""

SHARE_WIDTH = 38
"""Of several cores the first keeps the velocity; the others only add up products of one batch."""

MAX_SHARE = (1 << (SHARE_WIDTH - 2 * VALUE_WIDTH + 1)) - 1
"""Samples whose products, each at most 2**30, fit `SHARE_WIDTH`. A longer batch is put together in
the first core by reading its velocity, and writing it."""

MOMENTUM_FRAC = 15
RATE_WIDTH = 15
"""Mantissa of the learning rate, normalised: 2**14 <= mantissa < 2**15."""

UNIT_FRAC = 14
"""Binary point of bounded activations (sigmoid, tanh, softmax) and of a slope of one."""

APPLY_BIAS = 16
"""Added to the shift from velocity to master weight, so that its field is never negative."""


def sum_width(products: int) -> int:
    """Bits of a sum of so many products of two 16-bit numbers, each at most 2**30."""
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
        """Least real number that can be held."""
        return -(1 << (self.width - 1)) * 2.0**-self.frac

    @property
    def max(self) -> float:
        """Greatest real number that can be held."""
        return ((1 << (self.width - 1)) - 1) * 2.0**-self.frac

    def quantize(self, real: ArrayLike, what: str = "value") -> NDArray[np.int64]:
        """Round to the nearest integer of this format, halves upwards.

        Parameters
        ----------
        real : array of any shape
        what : str
            What an error calls the numbers.

        Raises
        ------
        InputError
            If a number is NaN, infinite, or outside the range; nothing saturates here.
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
        """The real numbers that `integer` (any shape) stands for; exact."""
        return np.asarray(integer, dtype=np.float64) * 2.0**-self.frac


MASTER = Format(MASTER_WIDTH, MASTER_FRAC)


def round_shift(x: NDArray[np.int64], shift: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """``floor(x / 2**shift + 1/2)``: an arithmetic right shift, halves rounded upwards.

    Parameters
    ----------
    x : integer array
    shift : integer >= 0, scalar or array broadcastable to `x`
    """
    half = (np.int64(1) << shift) >> 1
    return (x + half) >> shift


def saturate(x: NDArray[np.int64], width: int) -> tuple[NDArray[np.int64], int]:
    """Clip `x` to `width` signed bits; also return how many entries were clipped."""
    limit = 1 << (width - 1)
    clipped = np.clip(x, -limit, limit - 1)
    return clipped, int(np.count_nonzero(clipped != x))
