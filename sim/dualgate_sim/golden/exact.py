# SPDX-License-Identifier: BSD-2-Clause

"""What the golden model's parts share: exact sums, the one way to narrow, and counts."""

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
    """Counts of one call; names as in `commands.COUNTERS`."""

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
    """What a forward pass leaves: inputs of each layer, slopes of each layer, outputs.

    Each is (samples, units), integers carried by float64.
    """

    inputs: list[Floats] = field(default_factory=list)
    slopes: list[Floats] = field(default_factory=list)
    outputs: Floats = field(default_factory=lambda: np.empty((0, 0)))


def exact(terms: int) -> None:
    """Assert that `terms` products of 16-bit numbers add exactly in float64."""
    assert terms << (2 * VALUE_WIDTH - 2) < 1 << 53, "sum of products leaves the exact range"


def narrow(x: Floats, shift: Floats | int, tally: Tally, counter: str) -> Floats:
    """Rounding shift to 16 bits, saturating; clipped entries are added to `counter`."""
    rounded = np.floor(x * np.exp2(-np.asarray(shift, np.float64)) + 0.5)
    clipped: Floats = np.clip(rounded, -HALF_RANGE, HALF_RANGE - 1)
    count = int(np.count_nonzero(clipped != rounded))
    setattr(tally, counter, getattr(tally, counter) + count)
    return clipped
