# SPDX-License-Identifier: BSD-2-Clause

"""Optimisers, which compute new weights from weights and gradients of any origin.

An optimiser is immutable and holds only its settings. Its memory from batch to batch is a `State`,
an argument and a result of each step, so that it can be stored with the weights::

    state = adam.start(weights)
    weights, state = adam.step(weights, gradients, state)
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.names import unknown
from ..contract.values import Number, checked
from .schedules import Schedule, check_rate, rate_of

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class State:
    """The memory of an optimiser.

    Parameters
    ----------
    batches : int
        Number of steps so far.
    slots : list of tuple of array
        For each array of weights, the further arrays of the optimiser.
    """

    batches: int
    slots: list[tuple[Array, ...]]


@dataclass(frozen=True)
class Optimiser(ABC):
    """Base of all optimisers.

    Parameters
    ----------
    lr : float or Schedule
        Learning rate, above 0.

    Raises
    ------
    InputError
        For a rate that is not above 0, or another parameter out of range.
    """

    lr: float | Schedule
    slots: ClassVar[int] = 0
    squares: ClassVar[tuple[int, ...]] = ()  # positions of slots that are never negative

    def __post_init__(self) -> None:
        check_rate(self.lr)
        for field in fields(self):
            if field.name in _RANGES:
                _check(field.name, getattr(self, field.name), *_RANGES[field.name])

    def start(self, weights: Sequence[Array]) -> State:
        """Return the state before the first step, which is all zeros."""
        return State(0, [tuple(np.zeros_like(w) for _ in range(self.slots)) for w in weights])

    def step(
        self, weights: Sequence[Array], gradients: Sequence[Array], state: State
    ) -> tuple[list[Array], State]:
        """Make one step.

        Parameters
        ----------
        weights, gradients : sequences of arrays, shaped alike
        state : State

        Returns
        -------
        list of array, State
            New weights and the new state. The arguments do not change.
        """
        lr, number = rate_of(self.lr, state.batches), state.batches + 1
        moved: list[Array] = []
        slots: list[tuple[Array, ...]] = []
        for w, g, kept in zip(weights, gradients, state.slots, strict=True):
            move, *kept_now = self._move(g, lr, number, *kept)
            moved.append(w - move)
            slots.append(tuple(kept_now))
        return moved, State(number, slots)

    @abstractmethod
    def _move(self, g: Array, lr: float, number: int, *slots: Array) -> tuple[Array, ...]:
        """Return the decrement of the weights in step `number`, from 1, and the new slots."""


_RANGES = {
    "momentum": (0.0, 1.0),
    "decay": (0.0, 1.0),
    "mean_decay": (0.0, 1.0),
    "square_decay": (0.0, 1.0),
    "epsilon": (0.0, float("inf")),
}


def _check(name: str, value: float, least: float, below: float) -> None:
    if not least <= checked(name, value, Number) < below:
        raise InputError(f"{name} {value}: give a number from {least:g} to below {below:g}")


class SGD(Optimiser):
    """``w -= lr g``."""

    def _move(self, g: Array, lr: float, number: int, *slots: Array) -> tuple[Array, ...]:
        return (lr * g,)


@dataclass(frozen=True)
class Momentum(Optimiser):
    """``v = momentum v + lr g``, ``w -= v``: the engine's rule.

    The velocity includes the rate. With a schedule, an older gradient therefore keeps the rate of
    its own step. `momentum` is from 0 to below 1.
    """

    momentum: float = 0.9
    slots: ClassVar[int] = 1

    def _move(self, g: Array, lr: float, number: int, *slots: Array) -> tuple[Array, ...]:
        v = self.momentum * slots[0] + lr * g
        return v, v


@dataclass(frozen=True)
class Nesterov(Optimiser):
    """``v = momentum v + lr g``, ``w -= momentum v + lr g``: momentum with a step of look-ahead.

    Sutskever et al. 2013, in the form that takes the gradient at the weights themselves. `momentum`
    is from 0 to below 1.
    """

    momentum: float = 0.9
    slots: ClassVar[int] = 1

    def _move(self, g: Array, lr: float, number: int, *slots: Array) -> tuple[Array, ...]:
        v = self.momentum * slots[0] + lr * g
        return self.momentum * v + lr * g, v


@dataclass(frozen=True)
class Adagrad(Optimiser):
    """``s += g^2``, ``w -= lr g / (sqrt(s) + epsilon)``; Duchi et al. 2011.

    Weights with rare and small gradients move as far as others. `epsilon` is 0 or more.
    """

    lr: float | Schedule = 0.01
    epsilon: float = 1e-10
    slots: ClassVar[int] = 1
    squares: ClassVar[tuple[int, ...]] = (0,)

    def _move(self, g: Array, lr: float, number: int, *slots: Array) -> tuple[Array, ...]:
        s = slots[0] + g * g
        return lr * g / (np.sqrt(s) + self.epsilon), s


@dataclass(frozen=True)
class AdaDelta(Optimiser):
    """Adagrad over a window, in units of the previous steps; Zeiler 2012.

    ``s = decay s + (1 - decay) g^2``, ``move = g sqrt(d + epsilon) / sqrt(s + epsilon)``,
    ``d = decay d + (1 - decay) move^2``, ``w -= lr move``. `decay` is from 0 to below 1, `epsilon`
    0 or more.
    """

    lr: float | Schedule = 1.0
    decay: float = 0.9
    epsilon: float = 1e-6
    slots: ClassVar[int] = 2
    squares: ClassVar[tuple[int, ...]] = (0, 1)

    def _move(self, g: Array, lr: float, number: int, *slots: Array) -> tuple[Array, ...]:
        s = self.decay * slots[0] + (1.0 - self.decay) * g * g
        move = g * (np.sqrt(slots[1] + self.epsilon) / np.sqrt(s + self.epsilon))
        return lr * move, s, self.decay * slots[1] + (1.0 - self.decay) * move * move


@dataclass(frozen=True)
class RMSProp(Optimiser):
    """``s = decay s + (1 - decay) g^2``, ``w -= lr g / (sqrt(s) + epsilon)``; Tieleman 2012.

    `decay` is from 0 to below 1, `epsilon` 0 or more.
    """

    lr: float | Schedule = 0.01
    decay: float = 0.99
    epsilon: float = 1e-8
    slots: ClassVar[int] = 1
    squares: ClassVar[tuple[int, ...]] = (0,)

    def _move(self, g: Array, lr: float, number: int, *slots: Array) -> tuple[Array, ...]:
        s = self.decay * slots[0] + (1.0 - self.decay) * g * g
        return lr * g / (np.sqrt(s) + self.epsilon), s


@dataclass(frozen=True)
class Adam(Optimiser):
    """RMSProp of a gradient with momentum, both corrected for their initial zeros.

    ``m = mean_decay m + (1 - mean_decay) g``, ``s = square_decay s + (1 - square_decay) g^2``,
    ``w -= lr m' / (sqrt(s') + epsilon)`` with ``m' = m / (1 - mean_decay^t)`` and s' likewise;
    Kingma and Ba 2015. `mean_decay` and `square_decay` are from 0 to below 1, `epsilon` 0 or more.
    """

    lr: float | Schedule = 0.001
    mean_decay: float = 0.9
    square_decay: float = 0.999
    epsilon: float = 1e-8
    slots: ClassVar[int] = 2
    squares: ClassVar[tuple[int, ...]] = (1,)

    def _move(self, g: Array, lr: float, number: int, *slots: Array) -> tuple[Array, ...]:
        m = self.mean_decay * slots[0] + (1.0 - self.mean_decay) * g
        s = self.square_decay * slots[1] + (1.0 - self.square_decay) * g * g
        mean = m / (1.0 - self.mean_decay**number)
        square = s / (1.0 - self.square_decay**number)
        return lr * mean / (np.sqrt(square) + self.epsilon), m, s


OPTIMISERS: dict[str, type[Optimiser]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": Adagrad,
    "adadelta": AdaDelta,
    "rmsprop": RMSProp,
    "adam": Adam,
}


def find_optimiser(name: str) -> type[Optimiser]:
    """Look up an optimiser; raises `InputError` with the choices for an unknown name."""
    if name not in OPTIMISERS:
        raise InputError(unknown("optimiser", name, OPTIMISERS))
    return OPTIMISERS[name]
