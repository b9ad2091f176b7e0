# SPDX-License-Identifier: BSD-2-Clause

"""Training settings as the engine takes them: rate, momentum and pruning as integers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .formats import APPLY_BIAS, MASTER_FRAC, MOMENTUM_FRAC, RATE_WIDTH, VALUE_WIDTH
from .network import Network

HEADROOM = 4.0
"""A hidden unit's delta may exceed the output's largest error this many times before an update
scalar saturates (and is counted)."""

MAX_ERROR = {
    "mse": 4.0,
    "msle": 4.0,
    "sigmoid-mse": 0.25,
    "bce": 1.0,
    "cce": 1.0,
    "perceptron": 1.0,
}
"""Largest error expected at an output, as the engine carries it (before `Loss.scale`)."""

PRUNE_BITS = 4
RATE_SHIFT_BITS = 6
PRUNE_OFF = (1 << PRUNE_BITS) - 1
"""Value of the pruning setting that keeps every nonzero tangent; exact."""


@dataclass(frozen=True)
class Settings:
    """What may change from batch to batch.

    Parameters
    ----------
    rate_mantissa, rate_shift : int
        An output's update scalar is ``round_shift(error * rate_mantissa, rate_shift)``.
    momentum : int
        Fraction of `2**MOMENTUM_FRAC` of the velocity that is left after a batch.
    prune : int
        p: a tangent is dropped when ``|m| < 2**(b - p)``, with b the bit length of the largest
        magnitude of its vector; `PRUNE_OFF` keeps all.
    masked : bool
        Whether every sample to train on comes with masks, see `commands.mask_words`.
    """

    rate_mantissa: int
    rate_shift: int
    momentum: int = 0
    prune: int = PRUNE_OFF
    masked: bool = False


def update_frac(network: Network, lr: float, batch: int) -> int:
    """Fraction bits of update scalars: the most that leave `HEADROOM` above the largest error.

    It stays fixed while a velocity lives, so a schedule changes the rate and not this.

    Parameters
    ----------
    network : Network
    lr : float
        Largest learning rate of the run, > 0.
    batch : int
        Samples a batch, >= 1.
    """
    return _frac(network, _rate(network, lr, batch))


def _rate(network: Network, lr: float, batch: int) -> float:
    if not (math.isfinite(lr) and lr > 0):
        raise InputError(f"learning rate {lr}: give a number above 0")
    if batch < 1:
        raise InputError(f"batch of {batch}: give at least 1 sample")
    return lr / batch * network.objective.scale(network.sizes[-1])


def make_settings(
    network: Network,
    frac: int,
    lr: float,
    batch: int,
    momentum: float = 0.0,
    prune: int = PRUNE_OFF,
    masked: bool = False,
) -> Settings:
    """Settings for one batch.

    Parameters
    ----------
    network : Network
    frac : int
        `update_frac` of the run.
    lr, batch
        Learning rate and the samples in this batch; the gradient is their mean.
    momentum : float
        In [0, 1).
    prune : int
        p, or `PRUNE_OFF`.
    masked : bool
        See `Settings`.

    Raises
    ------
    InputError
        For a setting outside its range.
    """
    if not 0.0 <= momentum < 1.0:
        raise InputError(f"momentum {momentum}: give a number from 0 to below 1")
    whole = min(round(momentum * (1 << MOMENTUM_FRAC)), (1 << MOMENTUM_FRAC) - 1)
    mantissa, shift = _scaled(network, frac, _rate(network, lr, batch))
    if not 0 <= shift < 1 << RATE_SHIFT_BITS:
        raise InputError(f"learning rate {lr} is out of reach beside the run's; change it less")
    return Settings(mantissa, shift, whole, checked_prune(prune), masked)


def gradient_frac(network: Network) -> int:
    """Fraction bits of update scalars where the host moves the weights; see `gradient_settings`."""
    return _frac(network, 1.0)


def gradient_settings(
    network: Network, weight: float = 1.0, prune: int = PRUNE_OFF, masked: bool = False
) -> Settings:
    """Settings under which a batch leaves its bare gradient in the velocity.

    The rate is the weight itself. With a weight of one (any power of two) its mantissa is exact, so
    that an output's update scalar is its error, shifted: the same 16 bits as when the chip moves
    the weights, without the rounding of a learning rate and a batch size, which the host divides by
    in float64 instead.

    Parameters
    ----------
    network : Network
    weight : float
        Of the samples to come, above 0 to 1.
    prune : int
    masked : bool

    Raises
    ------
    InputError
        For a setting outside its range.
    """
    mantissa, shift = _scaled(network, gradient_frac(network), weight)
    if not (0 < weight <= 1 and shift < 1 << RATE_SHIFT_BITS):
        raise InputError(f"weight {weight} of a class is out of reach beside the largest; raise it")
    return Settings(mantissa, shift, 0, checked_prune(prune), masked)


def batch_gradient(
    network: Network, velocity: Sequence[NDArray[np.int64]], batch: int
) -> list[NDArray[np.float64]]:
    """Gradient of a batch's mean loss from what it left in velocities that were zero.

    A velocity is the sum over samples of inputs times update scalars, ``in_frac + gradient_frac``
    fraction bits; fewer than 53 bits, so that only the division by the batch rounds.

    Parameters
    ----------
    network : Network
    velocity : sequence of int array (inputs + 1, outputs)
    batch : int
        Samples.

    Returns
    -------
    list of float array (inputs + 1, outputs)
    """
    frac, scale = gradient_frac(network), network.objective.scale(network.sizes[-1]) / batch
    return [
        np.ldexp(v.astype(np.float64), -(layer.in_frac + frac)) * scale
        for layer, v in zip(network.layers, velocity, strict=True)
    ]


def _frac(network: Network, rate: float) -> int:
    largest = rate * MAX_ERROR[network.loss] * HEADROOM
    frac = VALUE_WIDTH - 1 - math.ceil(math.log2(largest))
    lowest = MASTER_FRAC - APPLY_BIAS - min(layer.in_frac for layer in network.layers)
    return max(frac, lowest)


def _scaled(network: Network, frac: int, rate: float) -> tuple[int, int]:
    """Mantissa and right shift that take an error to an update scalar."""
    fraction, exponent = math.frexp(rate * 2.0 ** (frac - network.error_frac))
    mantissa, shift = round(fraction * (1 << RATE_WIDTH)), RATE_WIDTH - exponent
    if mantissa == 1 << RATE_WIDTH:
        return mantissa >> 1, shift - 1
    return mantissa, shift


def checked_prune(prune: int) -> int:
    """Return `prune`; raises `InputError` unless it is a p of the engine."""
    if not 1 <= prune <= PRUNE_OFF:
        raise InputError(f"prune {prune}: give 1 to {PRUNE_OFF - 1}, or {PRUNE_OFF} for off")
    return prune


def parse_prune(text: str) -> int:
    """Read ``off``, ``1/2``, ``1/4``, ``1/8`` ... into p; raises `InputError` otherwise."""
    if text == "off":
        return PRUNE_OFF
    names = {f"1/{1 << p}": p for p in range(1, PRUNE_OFF)}
    if text not in names:
        raise InputError(f"prune {text!r}: choose off, 1/2, 1/4, 1/8 ... 1/{1 << (PRUNE_OFF - 1)}")
    return names[text]


def prune_name(prune: int) -> str:
    """The inverse of `parse_prune`."""
    return "off" if prune == PRUNE_OFF else f"1/{1 << prune}"
