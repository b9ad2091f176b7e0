# SPDX-License-Identifier: BSD-2-Clause

"""Speed of PyTorch for the same network on this machine; an optional yardstick."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import MissingToolError
from ..contract.network import Network
from .speed import cpu_seconds

Floats = NDArray[np.float64]

WARM_UP = 10
"""Number of batches before the measurement."""


def torch_samples_per_s(
    network: Network, x: Floats, target: Floats, batch: int, lr: float, momentum: float
) -> tuple[str, float]:
    """Train with float32 backpropagation and SGD on one thread.

    Parameters
    ----------
    network : Network
    x : (samples, inputs)
    target : (samples, outputs)
    batch : int
    lr, momentum : float

    Returns
    -------
    str, float
        Version of PyTorch, and samples per second of this thread's CPU time, in one pass over the
        samples. Backpropagation on the CPU runs in the thread that asks for it.

    Raises
    ------
    MissingToolError
        If PyTorch is not installed.
    """
    try:
        import torch
    except ImportError:
        raise MissingToolError("PyTorch is not installed; pip install dualgate[torch]") from None
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        seconds = _train(torch, network, x, target, batch, lr, momentum)
    finally:
        torch.set_num_threads(before)
    return str(torch.__version__), len(x) / seconds


def _train(
    torch: Any, network: Network, x: Floats, target: Floats, batch: int, lr: float, momentum: float
) -> float:
    layers: list[Any] = []
    for layer, hidden in zip(network.layers, (*network.hidden, None), strict=True):
        layers.append(torch.nn.Linear(layer.inputs, layer.outputs))
        if hidden is not None and hidden != "identity":
            layers.append(_ACTIVATIONS[hidden](torch))
    model = torch.nn.Sequential(*layers)
    loss = _LOSSES[network.loss](torch)
    optimiser = torch.optim.SGD(model.parameters(), lr=lr, momentum=momentum)
    inputs = torch.as_tensor(x, dtype=torch.float32).split(batch)
    wanted = torch.as_tensor(target, dtype=torch.float32).split(batch)

    def step(part: Any, right: Any) -> None:
        optimiser.zero_grad()
        loss(model(part), right).backward()
        optimiser.step()

    for _ in range(WARM_UP):
        step(inputs[0], wanted[0])

    def epoch() -> None:
        for part, right in zip(inputs, wanted, strict=True):
            step(part, right)

    return cpu_seconds(epoch)


_ACTIVATIONS: dict[str, Any] = {
    "relu": lambda torch: torch.nn.ReLU(),
    "leaky_relu": lambda torch: torch.nn.LeakyReLU(2.0**-7),
    "sigmoid": lambda torch: torch.nn.Sigmoid(),
    "tanh": lambda torch: torch.nn.Tanh(),
}

_LOSSES: dict[str, Any] = {
    "mse": lambda torch: torch.nn.MSELoss(),
    "sigmoid-mse": lambda torch: lambda z, t: torch.nn.functional.mse_loss(z.sigmoid(), t),
    "msle": lambda torch: lambda z, t: torch.nn.functional.mse_loss(z, t.log1p()),
    "bce": lambda torch: torch.nn.BCEWithLogitsLoss(),
    "cce": lambda torch: torch.nn.CrossEntropyLoss(),
    "perceptron": lambda torch: lambda z, t: (((z > 0).float() - t) * z).sum(dim=1).mean(),
}
