# SPDX-License-Identifier: BSD-2-Clause

"""The steps of a network, common to all frameworks."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..contract.activations import LEAK
from ..contract.errors import InputError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Dense:
    """``x W + b``.

    Parameters
    ----------
    weights : (inputs + 1, outputs), the bias last
    """

    weights: Floats

    @classmethod
    def of(cls, matrix: ArrayLike, bias: ArrayLike = 0.0) -> "Dense":
        """Make a step from a `matrix` (inputs, outputs) and a `bias` (outputs,) or one number."""
        w = np.asarray(matrix, np.float64)
        return cls(np.vstack([w, np.broadcast_to(np.asarray(bias, np.float64), w.shape[1])]))


@dataclass(frozen=True)
class Activate:
    """An activation, by its name in `ACTIVATIONS`."""

    name: str


@dataclass(frozen=True)
class Drop:
    """Dropout of a share `rate` of the units in training; no operation in inference."""

    rate: float


Step = Dense | Activate | Drop
"""Any step."""


def leaky_relu(slope: float) -> Activate:
    """Make the engine's leaky ReLU; raises `InputError` for a `slope` other than `LEAK`."""
    if slope != LEAK:
        raise InputError(
            f"a leaky ReLU of slope {slope:g} is not supported; the engine's is "
            f"1/{1 / LEAK:g} = {LEAK:g}"
        )
    return Activate("leaky_relu")


def softmax(axis: int | None) -> Activate:
    """Make a softmax over units; raises `InputError` for another `axis` of (samples, units)."""
    if axis not in (-1, 1, None):
        raise InputError(f"softmax over axis {axis} is not supported; it must be 1, the units")
    return Activate("softmax")
