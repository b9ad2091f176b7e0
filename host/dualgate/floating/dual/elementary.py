# SPDX-License-Identifier: BSD-2-Clause

"""Elementary functions and their derivatives, on plain floats: a line for each."""

import math
from collections.abc import Callable

from ...contract.activations import LEAK


def _sigmoid(x: float) -> float:
    # The exponential of a number that is not above zero cannot overflow.
    power = math.exp(-abs(x))
    return (1.0 if x >= 0 else power) / (1.0 + power)


ELEMENTARY: dict[str, tuple[Callable[[float], float], Callable[[float, float], float]]] = {
    "exp": (math.exp, lambda x, y: y),
    "log": (math.log, lambda x, y: 1.0 / x),
    "sin": (math.sin, lambda x, y: math.cos(x)),
    "cos": (math.cos, lambda x, y: -math.sin(x)),
    "tanh": (math.tanh, lambda x, y: 1.0 - y * y),
    "sigmoid": (_sigmoid, lambda x, y: y * (1.0 - y)),
    "relu": (lambda x: max(x, 0.0), lambda x, y: 1.0 if x > 0 else 0.0),
    "leaky_relu": (lambda x: x if x > 0 else LEAK * x, lambda x, y: 1.0 if x > 0 else LEAK),
    "identity": (lambda x: x, lambda x, y: 1.0),
    "step": (lambda x: 1.0 if x > 0 else 0.0, lambda x, y: 0.0),
}
"""By name: the value at x, and the derivative from x and that value y.

At zero, where neither kind of ReLU has a derivative, it is that of the side below, as in
`ACTIVATIONS`.
"""
