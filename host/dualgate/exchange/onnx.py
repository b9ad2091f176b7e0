# SPDX-License-Identifier: BSD-2-Clause

"""Reading and writing of ONNX files."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..contract.activations import LEAK
from ..contract.errors import InputError, MissingToolError
from ..data.files import replace_file
from .assemble import assemble
from .model import Model
from .steps import Activate, Dense, Drop, Step, leaky_relu, softmax

KNOWN = "Gemm, MatMul, Add, Sigmoid, Tanh, Relu, LeakyRelu, Softmax, Dropout"
SIMPLE = {"Sigmoid": "sigmoid", "Tanh": "tanh", "Relu": "relu"}
OPERATORS = {name: operator for operator, name in SIMPLE.items()}
OPSET = 13
"""Operator set: the oldest with the current Softmax and Dropout; runtimes since 2020 have it."""

IR_VERSION = 8


def read_onnx(path: Path, loss: str | None = None) -> Model:
    """Read a network from an ONNX file; its weights are copied, exactly.

    Parameters
    ----------
    path : Path
        A chain of Gemm, or MatMul and Add, with constant weights, and of Sigmoid, Tanh, Relu,
        LeakyRelu (of slope 1/128), Softmax (over units) and Dropout (after a hidden layer).
    loss : str or None
        As for `from_torch`.

    Returns
    -------
    Model

    Raises
    ------
    InputError
        When the file cannot be read, or holds a node or an order of nodes that is not supported.
    MissingToolError
        When the package onnx is not installed.
    """
    onnx = _onnx()
    from google.protobuf.message import DecodeError  # what onnx builds on

    try:
        content = onnx.load_from_string(path.read_bytes())
        onnx.checker.check_model(content)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; choose another") from None
    except (onnx.checker.ValidationError, DecodeError, ValueError):
        raise InputError(f"{path} is not a sound ONNX file; export it again") from None
    try:
        return assemble(_Chain(onnx, content.graph).steps(), loss)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


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
    onnx = _onnx()
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


def _onnx() -> Any:
    try:
        import onnx
        import onnx.numpy_helper
    except ImportError:
        raise MissingToolError("onnx is not installed; pip install dualgate[onnx]") from None
    return onnx


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
    return helper.make_node(OPERATORS[step.name], [source], [target])


class _Chain:
    """A graph that is a chain: each node takes the output of the previous one."""

    def __init__(self, onnx: Any, graph: Any) -> None:
        self._onnx = onnx
        self._graph = graph
        self._constants = {t.name: self._array(t) for t in graph.initializer}

    def steps(self) -> list[Step]:
        """Return the steps; raises `InputError` for an unsupported node."""
        given = [i.name for i in self._graph.input if i.name not in self._constants]
        if len(given) != 1 or len(self._graph.output) != 1:
            raise InputError(
                f"the graph has {len(given)} inputs and {len(self._graph.output)} outputs; it must "
                "have one of each"
            )
        at, result = given[0], list[Step]()
        for node in self._graph.node:
            attributes = {a.name: self._onnx.helper.get_attribute_value(a) for a in node.attribute}
            if node.op_type == "Constant" and "value" in attributes:
                self._constants[node.output[0]] = self._array(attributes["value"])
                continue
            if list(node.input).count(at) != 1:
                raise InputError(f"node {node.op_type} does not follow the one before; no chain")
            self._read(node, at, attributes, result)
            at = node.output[0]
        if at != self._graph.output[0].name:
            raise InputError("the output is not that of the last node; the graph is no chain")
        return result

    def _read(self, node: Any, at: str, attributes: dict[str, Any], steps: list[Step]) -> None:
        """Append the step of a node."""
        kind = node.op_type
        if kind == "Add":
            self._add(node, at, steps)
        elif kind in ("Gemm", "MatMul"):
            steps.append(self._dense(node, at, attributes))
        elif kind in SIMPLE:
            steps.append(Activate(SIMPLE[kind]))
        elif kind == "LeakyRelu":
            steps.append(leaky_relu(attributes.get("alpha", 0.01)))
        elif kind == "Softmax":
            steps.append(softmax(attributes.get("axis")))
        elif kind == "Dropout":
            steps.append(Drop(self._rate(node, attributes)))
        else:
            raise InputError(f"node {kind} is not supported; known are {KNOWN}")

    def _dense(self, node: Any, at: str, attributes: dict[str, Any]) -> Dense:
        plain = node.input[0] == at and not attributes.get("transA", 0)
        others = [self._constant(node, name) for name in list(node.input)[1:] if plain and name]
        if not plain or others[0].ndim != 2:
            raise InputError(f"node {node.op_type} is not values times a matrix of weights")
        matrix = attributes.get("alpha", 1.0) * np.asarray(others[0], np.float64)
        if attributes.get("transB", 0):
            matrix = matrix.T
        bias = attributes.get("beta", 1.0) * self._bias(others[1], matrix) if others[1:] else 0.0
        return Dense.of(matrix, bias)

    def _add(self, node: Any, at: str, steps: list[Step]) -> None:
        if not steps or not isinstance(steps[-1], Dense):
            raise InputError("node Add follows no MatMul; it is not supported")
        (name,) = (name for name in node.input if name != at)
        w = steps[-1].weights
        steps[-1] = Dense.of(w[:-1], w[-1] + self._bias(self._constant(node, name), w))

    def _rate(self, node: Any, attributes: dict[str, Any]) -> float:
        others = [self._constant(node, name) if name else None for name in list(node.input)[1:]]
        if len(others) > 1 and others[1] is not None and others[1].any():
            raise InputError("node Dropout is in training mode; export the network for inference")
        ratio = others[0] if others else None
        if ratio is None:
            return float(attributes.get("ratio", 0.5))
        if ratio.size != 1:
            raise InputError(f"node Dropout has a ratio of shape {ratio.shape}; give one number")
        return float(ratio.item())

    def _array(self, tensor: Any) -> NDArray[Any]:
        try:
            return np.asarray(self._onnx.numpy_helper.to_array(tensor))
        except (KeyError, TypeError, ValueError):
            raise InputError("a constant is damaged; export the network again") from None

    def _constant(self, node: Any, name: str) -> NDArray[Any]:
        if name not in self._constants:
            raise InputError(f"node {node.op_type} takes {name}, which is not a constant")
        return np.asarray(self._constants[name])

    @staticmethod
    def _bias(value: NDArray[Any], matrix: NDArray[Any]) -> NDArray[np.float64]:
        if value.size not in (1, matrix.shape[1]):
            raise InputError(f"a bias of shape {value.shape} for {matrix.shape[1]} outputs")
        return np.asarray(value, np.float64).reshape(-1)
