# SPDX-License-Identifier: BSD-2-Clause

"""Exchange of networks and checkpoints with other software: PyTorch, ONNX, safetensors.

::

    from dualgate.exchange import from_torch, write_onnx

    model = from_torch(sequential)  # network and real weights
    write_onnx(model, Path("network.onnx"))
    Trainer(model.network, recipe, samples, weights=model.master_weights())  # continues training

The packages of others are optional, and imported where they are needed.
"""

from .files import read_model, write_model
from .model import Model
from .onnx import read_onnx, write_onnx
from .pytorch import from_torch, to_torch
from .steps import ExchangeWarning

__all__ = [
    "ExchangeWarning",
    "Model",
    "from_torch",
    "read_model",
    "read_onnx",
    "to_torch",
    "write_model",
    "write_onnx",
]
