# SPDX-License-Identifier: BSD-2-Clause

"""Spreads: how much of the range of their format integers use."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


def bit_lengths(integers: NDArray[Any]) -> NDArray[np.int64]:
    """Return the bit length of each magnitude: 0 for 0, otherwise ``2**(b-1) <= |x| < 2**b``.

    Parameters
    ----------
    integers : array of any shape
        Integers below ``2**53``, as integers or floats.
    """
    magnitudes = np.abs(np.asarray(integers, np.float64))
    return np.frexp(magnitudes)[1].astype(np.int64)


@dataclass(frozen=True)
class Spread:
    """Magnitudes of integers of one signed format.

    Parameters
    ----------
    width, frac : int
        See `formats.Format`.
    counts : tuple of int
        Number of integers of each bit length, from 0 to `width`.
    clipped : int
        Number of them that were outside the format before they were clipped.
    """

    width: int
    frac: int
    counts: tuple[int, ...]
    clipped: int = 0

    @classmethod
    def of(cls, integers: NDArray[Any], width: int, frac: int, clipped: int = 0) -> "Spread":
        """Count the magnitudes of integers.

        Parameters
        ----------
        integers : array of any shape
            Integers of the format.
        width, frac, clipped : int
            See `Spread`.
        """
        lengths = bit_lengths(integers).ravel()
        counts = np.bincount(lengths, minlength=width + 1)
        return cls(width, frac, tuple(counts.tolist()), clipped)

    def __add__(self, other: "Spread") -> "Spread":
        counts = (a + b for a, b in zip(self.counts, other.counts, strict=True))
        return Spread(self.width, self.frac, tuple(counts), self.clipped + other.clipped)

    @property
    def total(self) -> int:
        """Number of integers."""
        return sum(self.counts)

    @property
    def zeros(self) -> int:
        """Number of zeros."""
        return self.counts[0]

    @property
    def bits(self) -> int:
        """Bit length of the largest magnitude."""
        return max((length for length, count in enumerate(self.counts) if count), default=0)

    @property
    def typical_bits(self) -> int:
        """Median bit length of those that are not zero; 0 if all are."""
        nonzero = np.cumsum(self.counts[1:])
        if not len(nonzero) or not nonzero[-1]:
            return 0
        return 1 + int(np.searchsorted(nonzero, (nonzero[-1] + 1) // 2))

    @property
    def largest(self) -> float:
        """Upper bound of the magnitudes as real numbers, the next power of two."""
        return 2.0 ** (self.bits - self.frac) if self.bits else 0.0
