# SPDX-License-Identifier: BSD-2-Clause

"""Writing of networks as `nn.Sequential` of PyTorch."""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ...contract.activations import LEAK
from ...contract.errors import InputError
from ..model import Model
from ..steps import Dense, Drop, Step
from .checks import torch_package


def to_torch(model: Model, dtype: DTypeLike = np.float32) -> Any:
    """Convert a model to an `nn.Sequential` of PyTorch.

    Parameters
    ----------
    model : Model
    dtype
        float32, PyTorch's usual, or float64. A master weight has 32 bits and a float32 has 24: a
        weight of a magnitude of 1/16 or more is rounded, by at most 2**-24 of it. The engine's
        multipliers read 16 bits of a weight, and those differ where the rounding crosses one of
        their steps. float64 rounds no weight.

    Returns
    -------
    torch.nn.Sequential
        In evaluation mode. To train it by a loss that takes logits, leave out its last activation:
        ``sequential[:-1]``.

    Raises
    ------
    InputError
        For the loss ``msle``.
    MissingToolError
        When PyTorch is not installed.
    """
    torch = torch_package()
    kind = torch.from_numpy(np.zeros(1, dtype)).dtype
    layers = [_layer(torch, step, kind) for step in model.steps()]
    return torch.nn.Sequential(*layers).eval()


def _layer(torch: Any, step: Step, dtype: Any) -> Any:
    nn = torch.nn
    if isinstance(step, Dense):
        rows, outputs = step.weights.shape
        linear = nn.Linear(rows - 1, outputs, dtype=dtype)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(step.weights[:-1].T.copy()))
            linear.bias.copy_(torch.from_numpy(step.weights[-1].copy()))
        return linear
    if isinstance(step, Drop):
        return nn.Dropout(step.rate)
    layers = {
        "sigmoid": nn.Sigmoid,
        "tanh": nn.Tanh,
        "relu": nn.ReLU,
        "leaky_relu": lambda: nn.LeakyReLU(LEAK),
        "softmax": lambda: nn.Softmax(dim=1),
    }
    if step.name not in layers:
        raise InputError(f"the activation {step.name} is not made for PyTorch; use another")
    return layers[step.name]()
