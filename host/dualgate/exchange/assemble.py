# SPDX-License-Identifier: BSD-2-Clause

"""Assembly of a network from steps."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.losses import find_loss
from ..contract.network import Network
from .fuse import fuse
from .model import Model
from .precision import fitted
from .steps import Activate, Dense, Drop, ReadStep

Floats = NDArray[np.float64]

DEFAULT_LOSSES = {"identity": "mse", "sigmoid": "bce", "softmax": "cce"}
"""Default loss for each activation of the outputs."""


def assemble(steps: Iterable[ReadStep], loss: str | None = None) -> Model:
    """Make a model of steps; the inverse of `Model.steps`.

    Parameters
    ----------
    steps : iterable of ReadStep
        Each dense layer with at most one activation and then at most one dropout; scalings become
        part of the weights beside them.
    loss : str or None
        A key of `LOSSES`, whose output activation the last layer has, or will be given if it
        has none (logits); by default that of `DEFAULT_LOSSES`.

    Raises
    ------
    InputError
        For an order of steps that no network has, with the step's position, from 1.
    """
    layers: list[_Layer] = []
    for position, step in enumerate(fuse(steps), 1):
        if isinstance(step, Dense):
            if layers and layers[-1].outputs != len(step.weights) - 1:
                raise InputError(
                    f"step {position} takes {len(step.weights) - 1} values, and the layer before "
                    f"gives {layers[-1].outputs}; match them"
                )
            layers.append(_Layer(step.weights))
        elif not layers:
            raise InputError(f"step {position}, {step}, comes before any linear layer; move it")
        else:
            layers[-1].add(position, step)
    if not layers:
        raise InputError("there is no linear layer; give at least one")
    return fitted(_model(layers, loss))


class _Layer:
    """The parts of a layer that have been read."""

    def __init__(self, weights: Floats) -> None:
        self.weights = weights
        self.activation: str | None = None
        self.rate: float | None = None

    @property
    def outputs(self) -> int:
        return int(self.weights.shape[1])

    def add(self, position: int, step: Activate | Drop) -> None:
        if self.rate is not None or (self.activation is not None and isinstance(step, Activate)):
            raise InputError(
                f"step {position}, {step}: a layer has one activation at most, and one dropout "
                "after it"
            )
        if isinstance(step, Activate):
            self.activation = step.name
        else:
            self.rate = step.rate


def _model(layers: Sequence[_Layer], loss: str | None) -> Model:
    *hidden, last = layers
    if last.rate is not None:
        raise InputError("there is dropout after the last layer; leave it out")
    if any(layer.activation == "softmax" for layer in hidden):
        raise InputError(
            "softmax in a hidden layer is not supported; only the last layer may have it"
        )
    sizes = (len(layers[0].weights) - 1, *(layer.outputs for layer in layers))
    network = Network(
        sizes, tuple(layer.activation or "identity" for layer in hidden), _loss(last, loss)
    )
    return Model(
        network, [layer.weights for layer in layers], [layer.rate or 0.0 for layer in hidden]
    )


def _loss(last: _Layer, name: str | None) -> str:
    found = last.activation or "identity"
    if name is None:
        if found not in DEFAULT_LOSSES:
            raise InputError(
                f"{found} at the outputs is not supported; choose {', '.join(DEFAULT_LOSSES)}"
            )
        return DEFAULT_LOSSES[found]
    wanted = find_loss(name).output.name
    if last.activation is not None and found != wanted:
        raise InputError(f"the loss {name} needs {wanted} at the outputs, which have {found}")
    return name
