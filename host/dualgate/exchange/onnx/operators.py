# SPDX-License-Identifier: BSD-2-Clause

"""The ONNX operators that are read, each with its steps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...contract.errors import InputError
from ..names import shown
from ..steps import Activate, Dense, Drop, ReadStep, Scale, leaky_relu, per_unit, softmax

Floats = NDArray[np.float64]

CLASSIFIER = "LinearClassifier"
TRANSFORMS = {"NONE": None, "SOFTMAX": "softmax", "LOGISTIC": "sigmoid"}


@dataclass(frozen=True)
class Place:
    """What is known of the values at a place of the graph.

    Parameters
    ----------
    samples : int or None
        Size of the batch, where the file fixes it.
    dims : tuple of int, or None
        Sizes of the other axes, where the file says them.
    """

    samples: int | None
    dims: tuple[int, ...] | None

    @classmethod
    def of(cls, value: Any) -> "Place":
        """Read the shape of a graph's input; raises `InputError` for one without samples."""
        if value.shape is None:
            return cls(None, None)
        first, *rest = [n if isinstance(n, int) else None for n in value.shape] or [None]
        if not rest:
            raise InputError("the input is not (samples, inputs); export it with both axes")
        return cls(first, None if None in rest else tuple(n for n in rest if n is not None))


def _number(node: Any, name: str, default: Any) -> Any:
    attribute = node.attributes.get(name)
    return default if attribute is None else attribute.value


def _constant(node: Any, value: Any) -> Floats:
    if value.const_value is None:
        name = shown(value.name)
        raise InputError(f"node {node.op_type} takes {name}, which is not a constant")
    kind = value.const_value.dtype
    if not (kind.is_floating_point() or kind.is_integer() or kind.name == "BOOL"):
        raise InputError(f"node {node.op_type} has a constant of type {kind.name}; give numbers")
    try:
        return np.asarray(value.const_value.numpy()).astype(np.float64)
    except (KeyError, TypeError, ValueError):
        raise InputError("a constant is damaged; export the network again") from None


def _others(node: Any, at: Any) -> list[Floats | None]:
    """Return the inputs but the chain's; None for one that is left out."""
    return [
        None if value is None else _constant(node, value)
        for value in node.inputs
        if value is not at
    ]


def _dense(node: Any, at: Any, place: Place) -> Iterator[ReadStep]:
    plain = node.inputs[0] is at and not _number(node, "transA", 0)
    weights, *bias = _others(node, at) if plain else [None]
    many = place.dims is not None and len(place.dims) > 1
    if many or weights is None or weights.ndim != 2:
        raise InputError(f"node {node.op_type} is not values times a matrix of weights")
    matrix = _number(node, "alpha", 1.0) * weights
    if _number(node, "transB", 0):
        matrix = matrix.T
    added: Any = 0.0
    if bias and bias[0] is not None:
        added = _number(node, "beta", 1.0) * per_unit(bias[0], (matrix.shape[1],))
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
    if _number(node, "training_mode", 0):
        raise InputError("BatchNormalization is in training mode; export for inference")
    if place.dims is not None and len(place.dims) > 1:
        raise InputError("BatchNormalization comes before the inputs are flat; move it behind")
    scale, bias, mean, variance = (
        per_unit(v, place.dims) for v in _others(node, at) if v is not None
    )
    yield Scale.normalising(mean, variance, _number(node, "epsilon", 1e-5), scale, bias)


def _dropout(node: Any, at: Any, place: Place) -> Iterator[ReadStep]:
    others = _others(node, at)
    if len(others) > 1 and others[1] is not None and others[1].any():
        raise InputError("node Dropout is in training mode; export the network for inference")
    ratio = others[0] if others else None
    if ratio is None:
        yield Drop(float(_number(node, "ratio", 0.5)))
    elif ratio.size != 1:
        raise InputError(f"node Dropout has a ratio of shape {ratio.shape}; give one number")
    else:
        yield Drop(float(ratio.item()))


def _flat(node: Any, at: Any, place: Place) -> Iterator[ReadStep]:
    """Read Flatten and Reshape, which must leave each sample whole."""
    if node.op_type == "Flatten":
        whole = _number(node, "axis", 1) == 1
    else:
        target, each = _target(node), place.dims and int(np.prod(place.dims))
        kept = len(target) == 2 and target[0] in (0, place.samples or 0)
        counted = len(target) == 2 and target[0] == -1
        whole = (kept and target[1] in (-1, each)) or (counted and target[1] == each)
    if not whole:
        raise InputError(f"node {node.op_type} does not keep samples apart; use (samples, -1)")
    yield from ()


def _target(node: Any) -> list[int]:
    """Return the shape that a Reshape gives; 0 for the number of samples that comes in."""
    shape = node.inputs[1]
    if shape is not None and shape.const_value is None:
        join = shape.producer()
        if join is not None and join.op_type == "Concat" and len(join.inputs) == 2:
            samples, rest = join.inputs
            if _counts_samples(samples):
                return [0, *_constant(node, rest).reshape(-1).astype(np.int64).tolist()]
    found: list[int] = _constant(node, shape).reshape(-1).astype(np.int64).tolist()
    if _number(node, "allowzero", 0):
        return [-2 if n == 0 else n for n in found]
    return found


def _counts_samples(value: Any) -> bool:
    """Whether a value is the first entry of a Shape, in the form of a list of one."""
    node = value.producer() if value is not None else None
    while node is not None and node.op_type in ("Unsqueeze", "Reshape", "Cast", "Squeeze"):
        node = node.inputs[0].producer()
    if node is None:
        return False
    if node.op_type == "Shape":
        return bool(_number(node, "start", 0) == 0 and _number(node, "end", None) == 1)
    before = node.inputs[0].producer()
    if before is None or before.op_type != "Shape" or _number(before, "start", 0):
        return False
    picked = [v.const_value for v in node.inputs[1:]]
    if any(v is None for v in picked):
        return False
    numbers = [v.numpy().reshape(-1).tolist() for v in picked]
    return (node.op_type == "Gather" and numbers == [[0]]) or (
        node.op_type == "Slice" and numbers[:2] == [[0], [1]]
    )


def _cast(node: Any, at: Any, place: Place) -> Iterator[ReadStep]:
    import onnx_ir as ir

    if not ir.DataType(_number(node, "to", 1)).is_floating_point():
        raise InputError("node Cast rounds the values to integers; it is not supported")
    yield from ()


def _nothing(node: Any, at: Any, place: Place) -> Iterator[ReadStep]:
    yield from ()


def _scaler(node: Any, at: Any, place: Place) -> Iterator[ReadStep]:
    offset, scale = (
        per_unit(np.asarray(_number(node, name, [default]), np.float64), place.dims)
        for name, default in (("offset", 0.0), ("scale", 1.0))
    )
    yield Scale(scale, -offset * scale)


def _linear_model(node: Any, at: Any, place: Place) -> Iterator[ReadStep]:
    coefficients = np.asarray(_number(node, "coefficients", []), np.float64)
    intercepts = np.asarray(_number(node, "intercepts", [0.0]), np.float64)
    rows = _number(node, "targets", 1) if node.op_type == "LinearRegressor" else len(intercepts)
    name = _number(node, "post_transform", "NONE")
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
    ("", "LeakyRelu"): lambda n, at, p: iter([leaky_relu(_number(n, "alpha", 0.01))]),
    ("", "Softmax"): lambda n, at, p: iter([softmax(_number(n, "axis", None))]),
    ("", "LogSoftmax"): lambda n, at, p: iter([softmax(_number(n, "axis", None))]),
    ("", "Dropout"): _dropout,
    ("", "Flatten"): _flat,
    ("", "Reshape"): _flat,
    ("", "Cast"): _cast,
    ("", "Identity"): _nothing,
    (_ML, "Scaler"): _scaler,
    (_ML, "LinearRegressor"): _linear_model,
    (_ML, CLASSIFIER): _linear_model,
}
"""Reader of each operator: node, value of the chain, `Place` -> steps."""
