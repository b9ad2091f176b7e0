# SPDX-License-Identifier: BSD-2-Clause

"""Losses: one table for the host, the golden model and the gateware.

Each loss has an output activation, and a relation between the engine's error ``y - t`` and dL/dz.
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
from .names import unknown

Floats = NDArray[np.float64]


def _mse(y: Floats, t: Floats) -> Floats:
    return np.asarray(((y - t) ** 2).mean(axis=-1))


def _clipped(y: Floats) -> Floats:
    """Keep a probability at least half a unit of the last place away from 0 and 1."""
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
    """A loss and its output activation.

    For every loss the engine's error is ``y - t``. A loss of another form is trained as one of
    these, on transformed targets.

    Parameters
    ----------
    name : str
    output : Activation
    sloped : bool
        Whether dL/dz has the slope of the activation as a factor (MSE); otherwise it is ``y - t``.
    value : callable
        (outputs, transformed targets), float arrays (..., n) -> loss of each sample (...).
    mean : bool
        Whether the loss is a mean over the n outputs, so that its gradient is divided by n.
    factor : float
        Further factor of dL/dz: 2 for a square.
    transform, inverse : callables
        Elementwise maps from targets to the training targets of the outputs, and from outputs to
        predictions. The identity except for ``msle``.
    least : float
        Exclusive lower bound of the targets.
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
        """Return the factor from the engine's error to dL/dz for a layer of `outputs` units."""
        return self.factor / (outputs if self.mean else 1)

    def transformed(self, t: ArrayLike) -> Floats:
        """Transform targets of any shape to the training targets of the outputs.

        Raises
        ------
        InputError
            For a target that is not above `least`.
        """
        wanted = np.asarray(t, np.float64)
        if wanted.size and wanted.min() <= self.least:
            raise InputError(
                f"target {wanted.min():.6g}: {self.name} needs targets above {self.least:g}; "
                "use another loss"
            )
        return np.asarray(self.transform(wanted))

    @property
    def classes(self) -> bool:
        """Whether targets are classes, from 0 to 1, so that there is an accuracy."""
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
        # A network with outputs y = expm1(z), trained by the mean of (log1p y - log1p t)^2, equals
        # a network with outputs z, trained by mse on log1p t: this is no approximation.
        Loss("msle", IDENTITY, True, _mse, True, 2.0, np.log1p, np.expm1, -1.0),
        Loss("bce", SIGMOID, False, _bce, True, 1.0),
        Loss("cce", SOFTMAX, False, _cce, False, 1.0),
        # Rosenblatt's rule, w += lr (t - y) x. The value counts mistakes; the error y - t is the
        # derivative of the perceptron criterion (y - t) z.
        Loss("perceptron", STEP, False, _mistakes, False, 1.0),
    )
}


def find_loss(name: str) -> Loss:
    """Look up a loss; raises `InputError` with the choices for an unknown name."""
    if name not in LOSSES:
        raise InputError(unknown("loss", name, LOSSES))
    return LOSSES[name]
