# SPDX-License-Identifier: BSD-2-Clause

"""Activations: one table for the host, the golden model and the gateware.

Each activation has two definitions: value and slope in floating point, and a rule on integers,
which the engine computes bit for bit.

The integer rules of sigmoid and tanh share one table of 2048 steps of 1/256 over [0, 8), which
holds ``h = sigmoid(x) - 1/2``. Symmetry gives negative x, and ``tanh(x) = 2 h(2x)``. The slope of
both is ``1/4 - h**2`` up to a power of two, which the binary point absorbs (`slope_frac`).
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .formats import UNIT_FRAC, VALUE_WIDTH, round_shift
from .names import unknown

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

TABLE_BITS = 11
TABLE_STEP_FRAC = 8
ONE = 1 << UNIT_FRAC
LEAK_SHIFT = 7
LEAK = 2.0**-LEAK_SHIFT

_STEPS = [i / (1 << TABLE_STEP_FRAC) for i in range(1 << TABLE_BITS)]

SIGMOID_TABLE: tuple[int, ...] = tuple(
    min((1 << 15) - 1, round((1.0 / (1.0 + math.exp(-x)) - 0.5) * (1 << 16))) for x in _STEPS
)
"""``h(x) = sigmoid(x) - 1/2`` with 16 fraction bits, x = index / 256."""

EXP_TABLE: tuple[int, ...] = tuple(
    min((1 << 16) - 1, round(math.exp(-x) * (1 << 16))) for x in _STEPS
)
"""``exp(-x)`` with 16 fraction bits, x = index / 256; zero for indices beyond the table."""


def _table_index(magnitude: Ints, shift: int) -> Ints:
    return round_shift(magnitude, shift)


def _half_sigmoid(z: Ints, shift: int) -> Ints:
    last = (1 << TABLE_BITS) - 1
    return np.asarray(SIGMOID_TABLE)[np.minimum(_table_index(np.abs(z), shift), last)]


def _table_slope(h: Ints) -> Ints:
    return ONE - round_shift(h * h, 16)


def _identity_rule(z: Ints) -> tuple[Ints, Ints]:
    return z, np.full_like(z, ONE)


def _relu_rule(z: Ints) -> tuple[Ints, Ints]:
    return np.maximum(z, 0), np.where(z > 0, ONE, 0)


def _leaky_rule(z: Ints) -> tuple[Ints, Ints]:
    positive = z > 0
    return np.where(positive, z, round_shift(z, LEAK_SHIFT)), np.where(
        positive, ONE, ONE >> LEAK_SHIFT
    )


def _sigmoid_rule(z: Ints) -> tuple[Ints, Ints]:
    h = _half_sigmoid(z, SIGMOID.index_shift)
    return round_shift((1 << 15) + np.where(z < 0, -h, h), 16 - UNIT_FRAC), _table_slope(h)


def _tanh_rule(z: Ints) -> tuple[Ints, Ints]:
    h = _half_sigmoid(z, TANH.index_shift)
    magnitude = round_shift(h, 15 - UNIT_FRAC)
    return np.where(z < 0, -magnitude, magnitude), _table_slope(h)


def _step_rule(z: Ints) -> tuple[Ints, Ints]:
    return np.where(z > 0, ONE, 0), np.full_like(z, ONE)


def reciprocal(total: Ints) -> tuple[Ints, Ints]:
    """Return ``floor(2**(b + 15) / total)`` and b, the bit length of `total`.

    The result has 16 or 17 significant bits for any `total` >= 1.
    """
    bits = np.frexp(total.astype(np.float64))[1].astype(np.int64)
    return (np.int64(1) << (bits + 15)) // total, bits


def softmax_rule(z: Ints) -> Ints:
    """Compute the integer softmax over the last axis.

    Parameters
    ----------
    z : int array (..., n), `SOFTMAX.z_frac` fraction bits

    Returns
    -------
    int array (..., n), `UNIT_FRAC` fraction bits
        ``exp(z - max z)`` from the table, times the reciprocal of their sum. The probabilities add
        up to one within n units of the last place.
    """
    index = _table_index(z.max(axis=-1, keepdims=True) - z, SOFTMAX.index_shift)
    table = np.asarray((*EXP_TABLE, 0))
    power = table[np.minimum(index, len(EXP_TABLE))]
    inverse, bits = reciprocal(power.sum(axis=-1, keepdims=True))
    return round_shift(power * inverse, bits + 15 - UNIT_FRAC)


def _no_rule(z: Ints) -> tuple[Ints, Ints]:
    raise TypeError("softmax is not elementwise: use softmax_rule")


def _sigmoid(z: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-z))


def _softmax(z: Floats) -> Floats:
    power = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(power / power.sum(axis=-1, keepdims=True))


@dataclass(frozen=True)
class Activation:
    """One activation.

    Parameters
    ----------
    name : str
    code : int
        Its code in a layer descriptor.
    z_frac : int
        Fraction bits of the pre-activation, or -1 if the network chooses them.
    out_frac : int
        Fraction bits of the value, or -1 if they are those of the pre-activation.
    slope_frac : int
        Fraction bits of the slope g'.
    rule : callable
        z int array -> (value, slope) int arrays of the same shape, elementwise.
    value : callable
        z -> value, in floating point.
    slope : callable
        value -> slope g'(z), of the same shape and dtype. It takes the value instead of z to save
        a second exponential in a forward pass.
    """

    name: str
    code: int
    z_frac: int
    out_frac: int
    slope_frac: int
    rule: Callable[[Ints], tuple[Ints, Ints]]
    value: Callable[[Any], Any]
    slope: Callable[[Any], Any]

    def derivative(self, z: Floats) -> Floats:
        """Return the slope g'(z) at a pre-activation z, in floating point."""
        return np.asarray(self.slope(self.value(z)))

    @property
    def index_shift(self) -> int:
        """Right shift from ``|z|`` to an index of the table, if `z_frac` is fixed."""
        doubled = 1 if self.name == "tanh" else 0
        return self.z_frac - TABLE_STEP_FRAC - doubled


IDENTITY = Activation("identity", 0, -1, -1, UNIT_FRAC, _identity_rule, lambda z: z, np.ones_like)
RELU = Activation(
    "relu",
    1,
    -1,
    -1,
    UNIT_FRAC,
    _relu_rule,
    lambda z: np.maximum(z, 0.0),
    lambda y: (y > 0).astype(y.dtype),
)
LEAKY_RELU = Activation(
    "leaky_relu",
    2,
    -1,
    -1,
    UNIT_FRAC,
    _leaky_rule,
    lambda z: np.where(z > 0, z, LEAK * z),
    lambda y: np.where(y > 0, y.dtype.type(1), y.dtype.type(LEAK)),
)
SIGMOID = Activation(
    "sigmoid",
    3,
    12,
    UNIT_FRAC,
    UNIT_FRAC + 2,
    _sigmoid_rule,
    _sigmoid,
    lambda y: y * (1 - y),
)
TANH = Activation("tanh", 4, 12, UNIT_FRAC, UNIT_FRAC, _tanh_rule, np.tanh, lambda y: 1 - y * y)
# The losses of softmax and step yield dL/dz without the slope, so their slopes are never used.
SOFTMAX = Activation("softmax", 5, 10, UNIT_FRAC, UNIT_FRAC, _no_rule, _softmax, np.ones_like)
STEP = Activation(
    "step",
    6,
    -1,
    UNIT_FRAC,
    UNIT_FRAC,
    _step_rule,
    lambda z: (z > 0).astype(z.dtype),
    np.ones_like,
)

ACTIVATIONS = {a.name: a for a in (IDENTITY, RELU, LEAKY_RELU, SIGMOID, TANH, SOFTMAX, STEP)}
HIDDEN_ACTIVATIONS = tuple(name for name in ACTIVATIONS if name not in ("softmax", "step"))
CODE_BITS = 3


def check_all_here(have: Iterable[str], where: str) -> None:
    """Raise `InputError` unless a place has every activation of the table.

    Parameters
    ----------
    have : iterable of str
        Names of the activations that the place implements.
    where : str
        The place, a file of the project.
    """
    missing = sorted(ACTIVATIONS.keys() - set(have))
    if missing:
        raise InputError(
            f"activation {', '.join(missing)}: missing in {where}; "
            "docs/how-to/add-an-activation.md lists all places"
        )


def check_codes(table: Mapping[str, Activation]) -> None:
    """Raise `InputError` unless each activation has a code of its own in the descriptor's bits."""
    taken: dict[int, str] = {}
    for name, activation in table.items():
        if not 0 <= activation.code < 1 << CODE_BITS:
            raise InputError(
                f"activation {name}: code {activation.code} does not fit the descriptor's "
                f"{CODE_BITS} bits; choose an unused one in dualgate/contract/activations.py"
            )
        if activation.code in taken:
            raise InputError(
                f"activation {name}: code {activation.code} is {taken[activation.code]}'s; choose "
                "an unused one in dualgate/contract/activations.py"
            )
        taken[activation.code] = name


def find_activation(name: str) -> Activation:
    """Look up a hidden activation; raises `InputError` with the choices for an unknown name."""
    if name == STEP.name:
        raise InputError(
            "hidden units cannot have the activation step, whose slope is zero; only outputs can, "
            f"with the loss perceptron; choose {', '.join(HIDDEN_ACTIVATIONS)}"
        )
    if name not in HIDDEN_ACTIVATIONS:
        raise InputError(unknown("activation", name, HIDDEN_ACTIVATIONS))
    return ACTIVATIONS[name]


check_codes(ACTIVATIONS)
assert VALUE_WIDTH == UNIT_FRAC + 2
