# SPDX-License-Identifier: BSD-2-Clause

"""Writing of ONNX files."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ...contract.activations import LEAK
from ...contract.errors import InputError
from ...data.files import replace_file
from ..model import Model
from ..steps import Dense, Drop, Step
from .load import onnx_package

OPERATORS = {"sigmoid": "Sigmoid", "tanh": "Tanh", "relu": "Relu"}
OPSET = 13
"""Operator set: the oldest with the current Softmax and Dropout; runtimes since 2020 have it."""

IR_VERSION = 8


def write_onnx(model: Model, path: Path, dtype: DTypeLike = np.float32) -> None:
    """Write a network to an ONNX file, all or nothing.

    The graph takes ``x`` (samples, inputs) and gives ``y`` (samples, outputs), for any number of
    samples, by opset 13.

    Parameters
    ----------
    model : Model
    path : Path
    dtype
        float32, which every runtime takes, or float64, which rounds no weight.

    Raises
    ------
    InputError
        For the loss ``msle``, or a path that cannot be written.
    MissingToolError
        When the package onnx is not installed.
    """
    onnx = onnx_package()
    helper, kind = onnx.helper, onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    nodes: list[Any] = []
    constants: dict[str, NDArray[Any]] = {}
    steps = list(model.steps())
    for index, step in enumerate(steps):
        source = f"v{index}" if index else "x"
        target = f"v{index + 1}" if index < len(steps) - 1 else "y"
        nodes.append(_node(helper, step, source, target, constants, dtype))
    sizes = model.network.sizes
    graph = helper.make_graph(
        nodes,
        "dualgate",
        [helper.make_tensor_value_info("x", kind, ["samples", sizes[0]])],
        [helper.make_tensor_value_info("y", kind, ["samples", sizes[-1]])],
        [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opset = helper.make_opsetid("", OPSET)
    made = helper.make_model(
        graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="dualgate"
    )
    onnx.checker.check_model(made, full_check=True)
    replace_file(path, made.SerializeToString())


def _node(
    helper: Any,
    step: Step,
    source: str,
    target: str,
    constants: dict[str, NDArray[Any]],
    dtype: DTypeLike,
) -> Any:
    """Make the node of a step, and add its constant inputs to `constants`."""

    def constant(part: str, value: Any, kind: DTypeLike) -> str:
        constants[f"{target}.{part}"] = np.asarray(value, kind)
        return f"{target}.{part}"

    if isinstance(step, Dense):
        weight = constant("weight", step.weights[:-1], dtype)
        bias = constant("bias", step.weights[-1], dtype)
        return helper.make_node("Gemm", [source, weight, bias], [target])
    if isinstance(step, Drop):
        ratio = constant("ratio", step.rate, np.float64)
        return helper.make_node("Dropout", [source, ratio], [target])
    if step.name == "leaky_relu":
        return helper.make_node("LeakyRelu", [source], [target], alpha=LEAK)
    if step.name == "softmax":
        return helper.make_node("Softmax", [source], [target], axis=1)
    if step.name not in OPERATORS:
        raise InputError(f"the activation {step.name} is not written to ONNX; use another")
    return helper.make_node(OPERATORS[step.name], [source], [target])
