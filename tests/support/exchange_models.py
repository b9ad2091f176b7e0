# SPDX-License-Identifier: BSD-2-Clause

"""Models of every shape that can be exchanged."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from dualgate.contract.activations import HIDDEN_ACTIVATIONS
from dualgate.contract.losses import LOSSES
from dualgate.contract.network import Network
from dualgate.exchange import Model
from dualgate.exchange.precision import fitted
from dualgate.optim.initialisers import initial_weights

Floats = NDArray[np.float64]

OUTPUTS = {"mse": "identity", "bce": "sigmoid", "cce": "softmax"}


@st.composite
def models(draw: Any) -> Model:
    """Up to three hidden layers; biases that are not zero; dropout now and then."""
    sizes = draw(st.lists(st.integers(1, 7), min_size=2, max_size=5))
    hidden = tuple(draw(st.sampled_from(HIDDEN_ACTIVATIONS)) for _ in sizes[2:])
    network = Network(tuple(sizes), hidden, draw(st.sampled_from(sorted(OUTPUTS))))
    seed = draw(st.integers(0, 99))
    random = np.random.default_rng(seed)
    weights = [w + random.normal(0, 0.1, w.shape) for w in initial_weights(network, seed=seed)]
    weights[-1][-1] += 1.0  # outputs of many steps of their format
    return fitted(Model(network, weights, [draw(st.sampled_from([0.0, 0.1, 0.5])) for _ in hidden]))


def inputs(model: Model, samples: int = 9) -> Floats:
    """Random inputs (samples, inputs)."""
    return np.random.default_rng(1).normal(0, 1, (samples, model.network.sizes[0]))


def assert_same(one: Model, other: Model) -> None:
    """The same network, weights to the bit, and dropout."""
    assert one.network == other.network
    assert one.dropout == other.dropout
    for mine, theirs in zip(one.weights, other.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs)


def small(loss: str = "cce", scale: float = 1.0) -> Model:
    """4-3-2 with tanh."""
    network = Network((4, 3, 2), "tanh", loss)
    return Model(network, [scale * w for w in initial_weights(network, seed=3)])


assert set(OUTPUTS) <= set(LOSSES)
