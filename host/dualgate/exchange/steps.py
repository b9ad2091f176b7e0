# SPDX-License-Identifier: BSD-2-Clause

"""The steps of a network, common to all frameworks."""

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..contract.activations import LEAK
from ..contract.errors import InputError

Floats = NDArray[np.float64]

USUAL_LEAK = 0.01
"""Slope of a leaky ReLU in PyTorch and ONNX, unless another is given."""


class ExchangeWarning(UserWarning):
    """A network that was read and answers a little differently from the one in the file."""


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


@dataclass(frozen=True)
class Scale:
    """``x * factor + offset`` for each unit, as normalisation computes; `fuse` makes it weights.

    Parameters
    ----------
    factor, offset : float array (units,), or one number for all units
    """

    factor: ArrayLike
    offset: ArrayLike

    @classmethod
    def normalising(
        cls,
        mean: ArrayLike,
        variance: ArrayLike,
        epsilon: float,
        gain: ArrayLike = 1.0,
        bias: ArrayLike = 0.0,
    ) -> "Scale":
        """Make batch normalisation in evaluation, by the moments kept from training.

        Parameters
        ----------
        mean, variance, gain, bias : float array (units,) or one number
        epsilon : float
            Added to the variance; Ioffe and Szegedy 2015, algorithm 2.
        """
        factor = np.asarray(gain, np.float64) / np.sqrt(np.asarray(variance, np.float64) + epsilon)
        return cls(factor, np.asarray(bias, np.float64) - np.asarray(mean, np.float64) * factor)


Step = Dense | Activate | Drop
"""Any step of a network."""

ReadStep = Step | Scale
"""Any step that is read; `fuse` makes steps of a network of them."""


def per_unit(value: ArrayLike, dims: tuple[int, ...] | None) -> Floats:
    """Spread a number for each unit, as frameworks broadcast it over (samples, units).

    Parameters
    ----------
    value : array
    dims : tuple of int, or None
        Sizes of the axes after the samples; None where they are not known.

    Returns
    -------
    float array (product of `dims`,), or one number () if there is one for all

    Raises
    ------
    InputError
        When it differs between samples, or has another number of units.
    """
    array = np.asarray(value, np.float64)
    if array.size == 1 and (dims is None or array.ndim <= len(dims) + 1):
        return array.reshape(())
    if dims is None:
        dims = array.shape[-1:]
    inner = array.reshape(array.shape[1:]) if array.ndim > len(dims) and len(array) == 1 else array
    try:
        return np.broadcast_to(inner, dims).reshape(-1)
    except ValueError:
        units = " x ".join(map(str, dims))
        raise InputError(
            f"a constant of shape {array.shape} for {units} units; give one number for each unit, "
            "the same for all samples"
        ) from None


def leaky_relu(slope: float) -> Activate:
    """Make the engine's leaky ReLU, whose slope is `LEAK`, 1/128.

    Parameters
    ----------
    slope : float
        `LEAK`, or the usual 0.01 as float32 or float64 stores it: it is read as `LEAK`, with a
        warning. A unit's value then differs by 0.0022 of a negative pre-activation.

    Raises
    ------
    InputError
        For any other slope.

    Warns
    -----
    ExchangeWarning
        For 0.01.
    """
    if abs(slope - USUAL_LEAK) < 1e-5:
        warnings.warn(
            "a leaky ReLU of slope 0.01 is read as the engine's, of slope 1/128: its value differs "
            "by 0.0022 of each negative pre-activation",
            ExchangeWarning,
            stacklevel=2,
        )
    elif slope != LEAK:
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
