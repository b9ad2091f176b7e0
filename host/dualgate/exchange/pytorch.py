# SPDX-License-Identifier: BSD-2-Clause

"""Conversion from and to `nn.Sequential` of PyTorch."""

from typing import Any

from ..contract.activations import LEAK
from ..contract.errors import InputError, MissingToolError
from .assemble import assemble
from .model import Model
from .steps import Activate, Dense, Drop, Step, leaky_relu, softmax

KNOWN = "Linear, Sigmoid, Tanh, ReLU, LeakyReLU, Softmax, Dropout"


def from_torch(sequential: Any, loss: str | None = None) -> Model:
    """Read a network from PyTorch; its weights are copied, exactly.

    Parameters
    ----------
    sequential : torch.nn.Sequential
        Of Linear, Sigmoid, Tanh, ReLU, LeakyReLU (of slope 1/128), Softmax (over units) and Dropout
        (after a hidden layer).
    loss : str or None
        A key of `LOSSES`. Where the last layer is Linear, its outputs are logits to a loss
        with an activation: ``from_torch(model, "cce")`` reads what was trained by
        `CrossEntropyLoss`. By default it follows from the last activation: ``mse`` without one,
        ``bce`` with Sigmoid, ``cce`` with Softmax.

    Returns
    -------
    Model

    Raises
    ------
    InputError
        For a layer that is not supported, or an order of layers that no network has.
    MissingToolError
        When PyTorch is not installed.
    """
    nn = _torch().nn
    if not isinstance(sequential, nn.Sequential):
        raise InputError(f"{type(sequential).__name__} is not an nn.Sequential; give one")
    return assemble([_step(nn, layer) for layer in sequential], loss)


def to_torch(model: Model) -> Any:
    """Convert a model to an `nn.Sequential` of PyTorch.

    Parameters
    ----------
    model : Model

    Returns
    -------
    torch.nn.Sequential
        In float64, so that no weight is rounded (``.float()`` makes it float32), and in evaluation
        mode. To train it by a loss that takes logits, leave out its last activation:
        ``sequential[:-1]``.

    Raises
    ------
    InputError
        For the loss ``msle``.
    MissingToolError
        When PyTorch is not installed.
    """
    torch = _torch()
    layers = [_layer(torch, step) for step in model.steps()]
    return torch.nn.Sequential(*layers).eval()


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise MissingToolError("PyTorch is not installed; pip install dualgate[torch]") from None
    return torch


def _step(nn: Any, layer: Any) -> Step:
    match layer:
        case nn.Linear():
            bias = 0.0 if layer.bias is None else layer.bias.detach().cpu().double().numpy()
            return Dense.of(layer.weight.detach().cpu().double().numpy().T, bias)
        case nn.Sigmoid():
            return Activate("sigmoid")
        case nn.Tanh():
            return Activate("tanh")
        case nn.ReLU():
            return Activate("relu")
        case nn.LeakyReLU():
            return leaky_relu(layer.negative_slope)
        case nn.Softmax():
            return softmax(layer.dim)
        case nn.Dropout():
            return Drop(layer.p)
    raise InputError(f"{type(layer).__name__} is not supported; known layers are {KNOWN}")


def _layer(torch: Any, step: Step) -> Any:
    nn = torch.nn
    if isinstance(step, Dense):
        rows, outputs = step.weights.shape
        linear = nn.Linear(rows - 1, outputs, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(step.weights[:-1].T.copy()))
            linear.bias.copy_(torch.from_numpy(step.weights[-1].copy()))
        return linear
    if isinstance(step, Drop):
        return nn.Dropout(step.rate)
    return {
        "sigmoid": nn.Sigmoid,
        "tanh": nn.Tanh,
        "relu": nn.ReLU,
        "leaky_relu": lambda: nn.LeakyReLU(LEAK),
        "softmax": lambda: nn.Softmax(dim=1),
    }[step.name]()
