# SPDX-License-Identifier: BSD-2-Clause

"""Initial weights, in floating point and as integers for a device. Biases are zero."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..contract.errors import InputError
from ..contract.formats import MASTER
from ..contract.names import unknown
from ..contract.network import Network

Floats = NDArray[np.floating[Any]]
Initialiser = Callable[[np.random.Generator, int, int], NDArray[np.float64]]
"""(random generator, inputs, outputs) -> weights (inputs + 1, outputs)."""


def _uniform(random: np.random.Generator, limit: float, rows: int, outputs: int) -> Any:
    return random.uniform(-limit, limit, (rows, outputs))


INITIALISERS: dict[str, Initialiser] = {
    # He et al. 2015: keeps the variance of values through ReLU layers.
    "kaiming": lambda random, n, m: _uniform(random, math.sqrt(6.0 / n), n + 1, m),
    # Glorot and Bengio 2010: a compromise between the variances for values and for gradients.
    "glorot": lambda random, n, m: _uniform(random, math.sqrt(6.0 / (n + m)), n + 1, m),
    # A standard normal distribution divided by the square root of the inputs.
    "normal": lambda random, n, m: random.standard_normal((n + 1, m)) / math.sqrt(n),
}


def check_initialiser(name: str | None) -> None:
    """Raise `InputError`, naming the choices, unless `name` is None or in `INITIALISERS`."""
    if name is not None and name not in INITIALISERS:
        raise InputError(unknown("initialiser", name, INITIALISERS))


def initial_weights(
    network: Network, name: str | None = None, seed: int = 0, dtype: DTypeLike = np.float64
) -> list[Floats]:
    """Draw random weights for each layer; `initial_master_weights` rounds these.

    Parameters
    ----------
    network : Network
    name : str or None
        A key of `INITIALISERS` for all layers. None selects ``kaiming`` for layers with a kind of
        ReLU and ``glorot`` for the others.
    seed : int
    dtype
        Precision of the result. The random numbers do not depend on it.

    Returns
    -------
    list of float array (inputs + 1, outputs)
        The last row is the bias, which is zero.

    Raises
    ------
    InputError
        For an unknown name.
    """
    check_initialiser(name)
    random = np.random.default_rng(seed)
    result = []
    for layer in network.layers:
        kind = name or ("kaiming" if "relu" in layer.activation.name else "glorot")
        w = INITIALISERS[kind](random, layer.inputs, layer.outputs)
        w[-1] = 0.0
        result.append(w.astype(dtype))
    return result


def initial_master_weights(
    network: Network, seed: int = 0, name: str | None = None
) -> list[NDArray[np.int64]]:
    """Draw random master weights.

    Parameters
    ----------
    network : Network
    seed : int
    name : str or None
        As for `initial_weights`. The result is its weights, rounded.

    Returns
    -------
    list of int array (inputs + 1, outputs), `MASTER` format.

    Raises
    ------
    InputError
        For an unknown name.
    """
    return [MASTER.quantize(w, "weight") for w in initial_weights(network, name, seed)]
