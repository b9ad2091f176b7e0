# SPDX-License-Identifier: BSD-2-Clause

"""Losses: one table for the host, the golden model and the gateware.

Each names its output activation and says how the engine's error ``y - t`` relates to dL/dz.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .activations import IDENTITY, SIGMOID, SOFTMAX, STEP, Activation
from .errors import InputError
from .formats import UNIT_FRAC

Floats = NDArray[np.float64]


def _mse(y: Floats, t: Floats) -> Floats:
    return np.asarray(((y - t) ** 2).mean(axis=-1))


def _clipped(y: Floats) -> Floats:
    """Keep a probability that rounded to 0 or 1 half a unit of the last place away from it."""
    half = 2.0 ** -(UNIT_FRAC + 1)
    return np.clip(y, half, 1.0 - half)


def _bce(y: Floats, t: Floats) -> Floats:
    y = _clipped(y)
    return np.asarray(-(t * np.log(y) + (1.0 - t) * np.log(1.0 - y)).mean(axis=-1))


def _cce(y: Floats, t: Floats) -> Floats:
    return np.asarray(-(t * np.log(_clipped(y))).sum(axis=-1))


def _mistakes(y: Floats, t: Floats) -> Floats:
    return np.asarray(np.abs(y - t).sum(axis=-1))


def _unchanged(values: Any) -> Any:
    return values


@dataclass(frozen=True)
class Loss:
    """An output activation with the loss it is trained by.

    Whatever the loss, the engine's error is ``y - t``: a loss of another shape is trained as one of
    these on transformed targets.

    Parameters
    ----------
    name : str
    output : Activation
    sloped : bool
        Whether dL/dz carries the activation's slope (MSE); otherwise it is ``y - t``.
    value : callable
        (outputs, transformed targets), float arrays (..., n) -> loss of each sample (...).
    mean : bool
        Whether the loss is a mean over the n outputs, so that its gradient is divided by n.
    factor : float
        What else multiplies dL/dz: 2 for a square.
    transform, inverse : callables
        From targets to what the outputs are trained to be, and from outputs back to predictions;
        elementwise. The identity but for ``msle``.
    least : float
        Targets must be above it.
    """

    name: str
    output: Activation
    sloped: bool
    value: Callable[[Any, Any], Floats]
    mean: bool
    factor: float
    transform: Callable[[Any], Any] = _unchanged
    inverse: Callable[[Any], Any] = _unchanged
    least: float = -math.inf

    def scale(self, outputs: int) -> float:
        """Constant between the engine's error and dL/dz for a layer of `outputs` units."""
        return self.factor / (outputs if self.mean else 1)

    def transformed(self, t: ArrayLike) -> Floats:
        """What the outputs are trained to be, for targets of any shape.

        Raises
        ------
        InputError
            For a target that is not above `least`.
        """
        wanted = np.asarray(t, np.float64)
        if wanted.size and wanted.min() <= self.least:
            raise InputError(
                f"target {wanted.min():.6g}: {self.name} needs targets above {self.least:g}"
            )
        return np.asarray(self.transform(wanted))

    @property
    def classes(self) -> bool:
        """Whether targets are 0 and 1, or between, so that accuracy means something."""
        return self.probable or self.output is STEP

    @property
    def probable(self) -> bool:
        """Whether outputs are probabilities of classes."""
        return self.output in (SIGMOID, SOFTMAX)


LOSSES = {
    loss.name: loss
    for loss in (
        Loss("mse", IDENTITY, True, _mse, True, 2.0),
        Loss("sigmoid-mse", SIGMOID, True, _mse, True, 2.0),
        # A network that answers y = expm1(z), trained by the mean of (log1p y - log1p t)^2, is one
        # that answers z, trained by mse to answer log1p t: nothing is approximated.
        Loss("msle", IDENTITY, True, _mse, True, 2.0, np.log1p, np.expm1, -1.0),
        Loss("bce", SIGMOID, False, _bce, True, 1.0),
        Loss("cce", SOFTMAX, False, _cce, False, 1.0),
        # Rosenblatt's rule, w += lr (t - y) x: the value counts mistakes, and what the error
        # y - t is the derivative of is the perceptron criterion (y - t) z.
        Loss("perceptron", STEP, False, _mistakes, False, 1.0),
    )
}


def find_loss(name: str) -> Loss:
    """Look up a loss; raises `InputError` naming the choices."""
    if name not in LOSSES:
        raise InputError(f"unknown loss {name!r}; choose {', '.join(LOSSES)}")
    return LOSSES[name]
