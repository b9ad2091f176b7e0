# SPDX-License-Identifier: BSD-2-Clause

"""The ONNX operators that are read, each with its steps."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ...contract.errors import InputError
from ..steps import Activate, Dense, Drop, ReadStep, Scale, leaky_relu, per_unit, softmax
from .flat import flat
from .nodes import Floats, Place, constant, number

CLASSIFIER = "LinearClassifier"
TRANSFORMS = {"NONE": None, "SOFTMAX": "softmax", "LOGISTIC": "sigmoid"}


def _others(node: Any, at: Any) -> list[Floats | None]:
    """Return the inputs but the chain's; None for one that is left out."""
    return [
        None if value is None else constant(node, value) for value in node.inputs if value is not at
    ]


def _dense(node: Any, at: Any, place: Place) -> Iterator[ReadStep]:
    plain = node.inputs[0] is at and not number(node, "transA", 0)
    weights, *bias = _others(node, at) if plain else [None]
    many = place.dims is not None and len(place.dims) > 1
    if many or weights is None or weights.ndim != 2:
        raise InputError(f"node {node.op_type} is not values times a matrix of weights")
    matrix = number(node, "alpha", 1.0) * weights
    if number(node, "transB", 0):
        matrix = matrix.T
    added: Any = 0.0
    if bias and bias[0] is not None:
        added = number(node, "beta", 1.0) * per_unit(bias[0], (matrix.shape[1],))
    yield Dense.of(matrix, added)


def _arithmetic(node: Any, at: Any, place: Place) -> Iterator[ReadStep]:
    (other,) = _others(node, at)
    if other is None:
        raise InputError(f"node {node.op_type} has one input; export the network again")
    value, first = per_unit(other, place.dims), node.inputs[0] is at
    match node.op_type:
        case "Add":
            yield Scale(1.0, value)
        case "Sub":
            yield Scale(1.0, -value) if first else Scale(-1.0, value)
        case "Mul":
            yield Scale(value, 0.0)
        case _ if first:
            yield Scale(1.0 / value, 0.0)
        case _:
            raise InputError("node Div divides by the values; it is not supported")


def _batch_norm(node: Any, at: Any, place: Place) -> Iterator[ReadStep]:
    if number(node, "training_mode", 0):
        raise InputError("BatchNormalization is in training mode; export for inference")
    if place.dims is not None and len(place.dims) > 1:
        raise InputError("BatchNormalization comes before the inputs are flat; move it behind")
    scale, bias, mean, variance = (
        per_unit(v, place.dims) for v in _others(node, at) if v is not None
    )
    yield Scale.normalising(mean, variance, number(node, "epsilon", 1e-5), scale, bias)


def _dropout(node: Any, at: Any, place: Place) -> Iterator[ReadStep]:
    others = _others(node, at)
    if len(others) > 1 and others[1] is not None and others[1].any():
        raise InputError("node Dropout is in training mode; export the network for inference")
    ratio = others[0] if others else None
    if ratio is None:
        yield Drop(float(number(node, "ratio", 0.5)))
    elif ratio.size != 1:
        raise InputError(f"node Dropout has a ratio of shape {ratio.shape}; give one number")
    else:
        yield Drop(float(ratio.item()))


def _cast(node: Any, at: Any, place: Place) -> Iterator[ReadStep]:
    import onnx_ir as ir

    if not ir.DataType(number(node, "to", 1)).is_floating_point():
        raise InputError("node Cast rounds the values to integers; it is not supported")
    yield from ()


def _nothing(node: Any, at: Any, place: Place) -> Iterator[ReadStep]:
    yield from ()


def _scaler(node: Any, at: Any, place: Place) -> Iterator[ReadStep]:
    offset, scale = (
        per_unit(np.asarray(number(node, name, [default]), np.float64), place.dims)
        for name, default in (("offset", 0.0), ("scale", 1.0))
    )
    yield Scale(scale, -offset * scale)


def _linear_model(node: Any, at: Any, place: Place) -> Iterator[ReadStep]:
    coefficients = np.asarray(number(node, "coefficients", []), np.float64)
    intercepts = np.asarray(number(node, "intercepts", [0.0]), np.float64)
    rows = number(node, "targets", 1) if node.op_type == "LinearRegressor" else len(intercepts)
    name = number(node, "post_transform", "NONE")
    wrong = rows < 1 or coefficients.size == 0 or coefficients.size % rows
    if wrong or name not in TRANSFORMS or len(intercepts) not in (1, rows):
        raise InputError(f"node {node.op_type} is not of a known form; export an MLP")
    if node.op_type == CLASSIFIER and rows == 1:
        raise InputError("LinearClassifier has one row for two classes; export an MLPClassifier")
    yield Dense.of(coefficients.reshape(rows, -1).T, intercepts)
    activation = TRANSFORMS[name]
    if activation is not None:
        yield Activate(activation)


def _activate(name: str) -> "Reader":
    return lambda node, at, place: iter([Activate(name)])


Reader = Callable[[Any, Any, Place], Iterator[ReadStep]]

_ML = "ai.onnx.ml"

READERS: dict[tuple[str, str], Reader] = {
    ("", "Gemm"): _dense,
    ("", "MatMul"): _dense,
    **{("", kind): _arithmetic for kind in ("Add", "Sub", "Mul", "Div")},
    ("", "BatchNormalization"): _batch_norm,
    ("", "Sigmoid"): _activate("sigmoid"),
    ("", "Tanh"): _activate("tanh"),
    ("", "Relu"): _activate("relu"),
    ("", "LeakyRelu"): lambda n, at, p: iter([leaky_relu(number(n, "alpha", 0.01))]),
    ("", "Softmax"): lambda n, at, p: iter([softmax(number(n, "axis", None))]),
    ("", "LogSoftmax"): lambda n, at, p: iter([softmax(number(n, "axis", None))]),
    ("", "Dropout"): _dropout,
    ("", "Flatten"): flat,
    ("", "Reshape"): flat,
    ("", "Cast"): _cast,
    ("", "Identity"): _nothing,
    (_ML, "Scaler"): _scaler,
    (_ML, "LinearRegressor"): _linear_model,
    (_ML, CLASSIFIER): _linear_model,
}
"""Reader of each operator: node, value of the chain, `Place` -> steps."""
