# SPDX-License-Identifier: BSD-2-Clause

"""Errors along a stream: the loss at the end of each of its parts."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

TAIL = 100
"""Samples at the end of a part, or fewer if it is shorter, whose mean loss says how well the
network follows the source by then."""


def add_losses(
    totals: Sequence[float],
    parts: Sequence[int],
    positions: NDArray[np.intp],
    losses: NDArray[np.floating],
) -> tuple[float, ...]:
    """Add up the losses of the last `TAIL` samples of each part.

    Parameters
    ----------
    totals : sequence of float
        Sums so far, of each part; empty at the beginning.
    parts : sequence of int
        As in `Samples.parts`.
    positions : int array (samples,)
        Positions of samples in the stream.
    losses : float array (samples,)
        Their losses.
    """
    left = np.cumsum(parts)[:, None] - positions
    last = (left > 0) & (left <= np.minimum(TAIL, parts)[:, None])
    sums = (last * losses).sum(axis=1) + (totals or np.zeros(len(parts)))
    return tuple(map(float, sums))


def mean_losses(totals: Sequence[float], parts: Sequence[int]) -> tuple[float, ...]:
    """Divide the sums of `add_losses` by their numbers of samples.

    Parameters
    ----------
    totals : sequence of float
        Sums of a whole stream.
    parts : sequence of int
        As in `Samples.parts`.
    """
    return tuple(total / min(TAIL, size) for total, size in zip(totals, parts, strict=True))
