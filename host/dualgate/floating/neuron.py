# SPDX-License-Identifier: BSD-2-Clause

"""A single neuron, ``z = sum(w * x) + b``: the base of its models, and gradient descent."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..contract.errors import InputError
from ..contract.network import Network
from ..optim.optimisers import Optimiser
from .forward_mode import ForwardMode
from .losses import Loss

Floats = NDArray[np.float64]


class Neuron:
    """A trained neuron.

    Members
    -------
    coef_ : float array (features,)
        After `fit`: w.
    intercept_ : float
        After `fit`: b.
    """

    coef_: Floats
    intercept_: float

    def decision_function(self, x: ArrayLike) -> Floats:
        """Return z for each sample (samples,).

        Raises
        ------
        InputError
            Before `fit`, or for inputs that are not (samples, features) of finite numbers.
        """
        if not hasattr(self, "coef_"):
            raise InputError(f"this {type(self).__name__} is not trained; call fit first")
        return np.asarray(check_inputs(x, len(self.coef_)) @ self.coef_ + self.intercept_)

    def _keep(self, w: NDArray[Any]) -> Self:
        """Store weights (features + 1,), the last of which is the bias."""
        self.coef_, self.intercept_ = w[:-1].copy(), float(w[-1])
        return self


class BinaryNeuron(Neuron):
    """A neuron that predicts 1 for z > 0 and 0 otherwise."""

    def predict(self, x: ArrayLike) -> NDArray[np.int64]:
        """Return the label, 0 or 1, of each sample (samples,)."""
        return np.asarray(self.decision_function(x) > 0, np.int64)


@dataclass(frozen=True)
class Descent:
    """Settings of gradient descent.

    Parameters
    ----------
    optimiser : Optimiser
    epochs : int
    batch : int or None
        Samples for each step: 1 is on-line, None takes all samples, any other number is a
        mini-batch (the last of an epoch may be smaller).
    seed : int or None
        Seed by which the samples are shuffled in every epoch; None keeps their order.

    Raises
    ------
    InputError
        For a number below 1.
    """

    optimiser: Optimiser
    epochs: int
    batch: int | None = 1
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.epochs < 1 or (self.batch is not None and self.batch < 1):
            raise InputError(f"{self.epochs} epochs in batches of {self.batch}: give 1 or more")

    def batches(self, samples: int) -> Iterator[NDArray[np.intp]]:
        """Return the positions of the samples of each batch, over all epochs."""
        random = None if self.seed is None else np.random.default_rng(self.seed)
        size = self.batch or samples
        for _ in range(self.epochs):
            order = np.arange(samples) if random is None else random.permutation(samples)
            yield from (order[i : i + size] for i in range(0, samples, size))


def descend(loss: Loss, x: Floats, target: Floats, descent: Descent) -> NDArray[Any]:
    """Train a network of one unit, with initial weights of zero.

    Parameters
    ----------
    loss : Loss
        Its output activation is that of the neuron.
    x : (samples, features)
    target : (samples,)
    descent : Descent

    Returns
    -------
    float array (features + 1,)
        The last entry is the bias.
    """
    mode = ForwardMode(Network((x.shape[1], 1)), loss)
    weights: list[NDArray[Any]] = [np.zeros((x.shape[1] + 1, 1))]
    state = descent.optimiser.start(weights)
    for chosen in descent.batches(len(x)):
        slopes = mode.gradient(weights, x[chosen], target[chosen, None]).weights
        weights, state = descent.optimiser.step(weights, slopes, state)
    return weights[0][:, 0]


def check_inputs(x: ArrayLike, features: int | None = None) -> Floats:
    """`x` as floats; raises `InputError` unless it is (samples, `features`), finite, not empty."""
    array = np.asarray(x, np.float64)
    if array.ndim != 2 or 0 in array.shape or features not in (None, array.shape[1]):
        wanted = "features" if features is None else features
        raise InputError(f"inputs have shape {array.shape}; give (samples, {wanted}), not empty")
    if not np.isfinite(array).all():
        raise InputError("inputs are not all finite numbers; clean the data first")
    return array


def check_targets(y: ArrayLike, samples: int) -> Floats:
    """`y` as floats; raises `InputError` unless it is (`samples`,) and finite."""
    array = np.asarray(y, np.float64)
    if array.shape != (samples,):
        raise InputError(f"targets have shape {array.shape}; give one for each of {samples} inputs")
    if not np.isfinite(array).all():
        raise InputError("targets are not all finite numbers; clean the data first")
    return array


def check_labels(labels: ArrayLike, samples: int) -> Floats:
    """`labels` as floats; raises `InputError` unless each of the `samples` has 0 or 1."""
    array = check_targets(labels, samples)
    if not np.isin(array, (0.0, 1.0)).all():
        raise InputError("labels are not all 0 or 1; a single neuron tells two classes apart")
    return array
