# SPDX-License-Identifier: BSD-2-Clause

"""Training settings in the engine's formats: learning rate, momentum and pruning as integers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .formats import APPLY_BIAS, MASTER_FRAC, MOMENTUM_FRAC, RATE_WIDTH, VALUE_WIDTH
from .network import Network

HEADROOM = 4.0
"""Largest ratio of the delta of a hidden unit to the largest output error before an update scalar
saturates (and is counted)."""

MAX_ERROR = {
    "mse": 4.0,
    "msle": 4.0,
    "sigmoid-mse": 0.25,
    "bce": 1.0,
    "cce": 1.0,
    "perceptron": 1.0,
}
"""Largest expected output error, as the engine computes it (before `Loss.scale`)."""

PRUNE_BITS = 4
RATE_SHIFT_BITS = 6
PRUNE_OFF = (1 << PRUNE_BITS) - 1
"""Value of the pruning setting that keeps every nonzero tangent, so that gradients are exact."""


@dataclass(frozen=True)
class Settings:
    """Settings that may change from batch to batch.

    Parameters
    ----------
    rate_mantissa, rate_shift : int
        The update scalar of an output is ``round_shift(error * rate_mantissa, rate_shift)``.
    momentum : int
        Factor of the velocity after a batch, with `MOMENTUM_FRAC` fraction bits.
    prune : int
        p: a tangent m is dropped if ``|m| < 2**(b - p)``, where b is the bit length of the largest
        magnitude in its vector; `PRUNE_OFF` keeps all.
    masked : bool
        Whether every training sample comes with masks; see `sample_commands.mask_words`.
    """

    rate_mantissa: int
    rate_shift: int
    momentum: int = 0
    prune: int = PRUNE_OFF
    masked: bool = False


def update_frac(network: Network, lr: float, batch: int, weight: float = 1.0) -> int:
    """Return the fraction bits of update scalars: the most that leave `HEADROOM`.

    They must not change during a run, since they determine the format of the velocity. A schedule
    changes only the rate.

    Parameters
    ----------
    network : Network
    lr : float
        Largest learning rate of the run, > 0.
    batch : int
        Samples in a batch, >= 1.
    weight : float
        Largest class weight.

    Raises
    ------
    InputError
        For a setting outside its range.
    """
    return _frac(network, _rate(network, lr, batch, weight))


def _rate(network: Network, lr: float, batch: int, weight: float) -> float:
    if not (math.isfinite(lr) and lr > 0):
        raise InputError(f"learning rate {lr:g}: give a number above 0")
    if batch < 1:
        raise InputError(f"batch of {batch}: give at least 1 sample")
    rate = lr * weight / batch * network.objective.scale(network.sizes[-1])
    if not (math.isfinite(rate) and rate > 0):
        raise _unrepresentable(lr, weight, large=rate > 0)
    return rate


def _unrepresentable(lr: float, weight: float, large: bool) -> InputError:
    """Make the error for a rate beyond the number formats, in terms of what the user gave."""
    size, remedy = ("large", "lower it") if large else ("small", "raise it")
    if weight == 1.0:
        return InputError(f"learning rate {lr:g} is too {size} to be represented; {remedy}")
    return InputError(
        f"class weight {weight:g} is too {size} to be represented with learning rate {lr:g}; "
        f"{remedy}, or the other class weights"
    )


def make_settings(
    network: Network,
    frac: int,
    lr: float,
    batch: int,
    momentum: float = 0.0,
    prune: int = PRUNE_OFF,
    masked: bool = False,
    weight: float = 1.0,
) -> Settings:
    """Make the settings for one batch.

    Parameters
    ----------
    network : Network
    frac : int
        `update_frac` of the run.
    lr, batch
        Learning rate, and number of samples in this batch, over which the gradient is a mean.
    momentum : float
        In [0, 1).
    prune : int
        p, or `PRUNE_OFF`.
    masked : bool
        See `Settings`.
    weight : float
        Class weight of the samples, a factor of the learning rate.

    Raises
    ------
    InputError
        For a setting outside its range.
    """
    if not 0.0 <= momentum < 1.0:
        raise InputError(f"momentum {momentum}: give a number from 0 to below 1")
    whole = min(round(momentum * (1 << MOMENTUM_FRAC)), (1 << MOMENTUM_FRAC) - 1)
    mantissa, shift = _scaled(network, frac, _rate(network, lr, batch, weight))
    if not 0 <= shift < 1 << RATE_SHIFT_BITS:
        raise _unrepresentable(lr, weight, large=shift < 0)
    return Settings(mantissa, shift, whole, checked_prune(prune), masked)


def gradient_frac(network: Network) -> int:
    """Return the fraction bits of update scalars for `gradient_settings`."""
    return _frac(network, 1.0)


def gradient_settings(
    network: Network,
    weight: float = 1.0,
    prune: int = PRUNE_OFF,
    masked: bool = False,
    largest: float = 1.0,
) -> Settings:
    """Make settings with which a batch leaves its gradient in the velocity, for a host optimiser.

    The class weight, as a share of the largest, takes the place of the learning rate. If it is one
    (or any power of two), its mantissa is exact, and the update scalar of an output is its error,
    shifted. That is the same 16 bits as in training on the chip, but without the rounding of a
    learning rate and a batch size; the host applies these in float64.

    Parameters
    ----------
    network : Network
    weight : float
        Class weight of the following samples, above 0 and at most `largest`.
    prune : int
    masked : bool
    largest : float
        Largest class weight.

    Raises
    ------
    InputError
        For a setting outside its range.
    """
    mantissa, shift = _scaled(network, gradient_frac(network), weight / largest)
    if not (0 < weight / largest <= 1 and shift < 1 << RATE_SHIFT_BITS):
        raise InputError(
            f"class weight {weight:g} is too small beside the largest, {largest:g}, to be "
            "represented; raise it or lower the largest"
        )
    return Settings(mantissa, shift, 0, checked_prune(prune), masked)


def batch_gradient(
    network: Network, velocity: Sequence[NDArray[np.int64]], batch: int
) -> list[NDArray[np.float64]]:
    """Convert velocities that were zero before a batch to the gradient of its mean loss.

    A velocity is the sum over samples of inputs times update scalars, with ``in_frac +
    gradient_frac`` fraction bits. It has fewer than 53 bits, so only the division by the batch
    size rounds.

    Parameters
    ----------
    network : Network
    velocity : sequence of int array (inputs + 1, outputs)
    batch : int
        Number of samples.

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
    """Return the mantissa and the right shift that convert an error to an update scalar."""
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


def parse_prune(text: str | float) -> int:
    """Parse ``off``, ``1/2``, ``1/4``, ``0.25`` ... to p; raises `InputError` otherwise."""
    if text == "off":
        return PRUNE_OFF
    names: dict[object, int] = {f"1/{1 << p}": p for p in range(1, PRUNE_OFF)}
    names |= {2.0**-p: p for p in range(1, PRUNE_OFF)}
    try:
        return names[text if text in names else float(text)]
    except (KeyError, TypeError, ValueError):
        choices = f"off, 1/2, 1/4, 1/8 ... 1/{1 << (PRUNE_OFF - 1)}"
        raise InputError(f"prune {text!r}: choose {choices}, or 0.5, 0.25 ...") from None


def prune_name(prune: int) -> str:
    """Return the name of a pruning setting; the inverse of `parse_prune`."""
    return "off" if prune == PRUNE_OFF else f"1/{1 << prune}"
