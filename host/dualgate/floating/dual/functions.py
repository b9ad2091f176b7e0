# SPDX-License-Identifier: BSD-2-Clause

"""Elementary functions of floats and of `Dual` numbers alike."""

from typing import TypeVar

from .elementary import ELEMENTARY
from .number import Dual

N = TypeVar("N", float, Dual)


def apply(name: str, x: N) -> N:
    """The elementary function `name`, a key of `ELEMENTARY`, of `x`, a float or a `Dual`."""
    return x.apply(name) if isinstance(x, Dual) else ELEMENTARY[name][0](x)


def exp(x: N) -> N:
    """The exponential."""
    return apply("exp", x)


def log(x: N) -> N:
    """The natural logarithm; raises ValueError unless x > 0."""
    return apply("log", x)


def sin(x: N) -> N:
    """The sine, of radians."""
    return apply("sin", x)


def cos(x: N) -> N:
    """The cosine, of radians."""
    return apply("cos", x)


def tanh(x: N) -> N:
    """The hyperbolic tangent; its derivative is 1 - y^2."""
    return apply("tanh", x)


def sigmoid(x: N) -> N:
    """1 / (1 + exp(-x)); its derivative is y (1 - y)."""
    return apply("sigmoid", x)


def relu(x: N) -> N:
    """x where it is above zero, else zero; its derivative at zero is taken as zero."""
    return apply("relu", x)


def leaky_relu(x: N) -> N:
    """x where it is above zero, else `LEAK` of it, which is 1/128 as in the engine."""
    return apply("leaky_relu", x)
