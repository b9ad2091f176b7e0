# SPDX-License-Identifier: BSD-2-Clause

"""Forward-mode automatic differentiation of plain Python: numbers that carry their tangents."""

from .functions import cos, exp, leaky_relu, log, relu, sigmoid, sin, tanh
from .number import Dual, Number, variable
from .pruning import LargestPerNumber, Policy, RandomPerNumber, RelativePerTag, keep_all

__all__ = [
    "Dual",
    "LargestPerNumber",
    "Number",
    "Policy",
    "RandomPerNumber",
    "RelativePerTag",
    "cos",
    "exp",
    "keep_all",
    "leaky_relu",
    "log",
    "relu",
    "sigmoid",
    "sin",
    "tanh",
    "variable",
]
