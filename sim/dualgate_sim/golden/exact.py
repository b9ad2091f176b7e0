# SPDX-License-Identifier: BSD-2-Clause

"""Common parts of the golden model: exact sums, narrowing and counts."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dualgate.contract.formats import VALUE_WIDTH

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

HALF_RANGE = 1 << (VALUE_WIDTH - 1)


@dataclass
class Tally:
    """Counts of the golden model; names as in `commands.COUNTERS`."""

    value_rows: int = 0
    tangent_rows: int = 0
    scale_rows: int = 0
    update_rows: int = 0
    kept: int = 0
    dropped: int = 0
    saturated_values: int = 0
    saturated_updates: int = 0
    saturated_weights: int = 0


@dataclass
class Pass:
    """Results of a forward pass: inputs and slopes of each layer, and the outputs.

    All are arrays (samples, units) of integers in float64.
    """

    inputs: list[Floats] = field(default_factory=list)
    slopes: list[Floats] = field(default_factory=list)
    outputs: Floats = field(default_factory=lambda: np.empty((0, 0)))


def exact(terms: int) -> None:
    """Assert that float64 adds `terms` products of 16-bit numbers exactly."""
    assert terms << (2 * VALUE_WIDTH - 2) < 1 << 53, "sum of products leaves the exact range"


def narrow(x: Floats, shift: Floats | int, tally: Tally, counter: str) -> Floats:
    """Shift right with rounding and saturate to 16 bits; clipped entries count in `counter`."""
    rounded = np.floor(x * np.exp2(-np.asarray(shift, np.float64)) + 0.5)
    clipped: Floats = np.clip(rounded, -HALF_RANGE, HALF_RANGE - 1)
    count = int(np.count_nonzero(clipped != rounded))
    setattr(tally, counter, getattr(tally, counter) + count)
    return clipped
