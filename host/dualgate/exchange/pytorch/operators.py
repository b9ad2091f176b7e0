# SPDX-License-Identifier: BSD-2-Clause

"""The operations of exported PyTorch graphs that are read, each with its steps."""

from collections.abc import Callable, Iterator, Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...contract.errors import InputError
from ..steps import Activate, Dense, Drop, ReadStep, Scale, leaky_relu, per_unit, softmax

Floats = NDArray[np.float64]
Constants = Mapping[Any, Any]
Reader = Callable[[Any, Any, Constants], Iterator[ReadStep]]


def operation(node: Any) -> str:
    """Return the name of a node's operation, such as ``linear``, in place or not."""
    schema = getattr(node.target, "_schema", None)
    name = str(getattr(node.target, "__name__", node.target)) if schema is None else schema.name
    return name.removeprefix("aten::").rstrip("_")


def arguments(node: Any) -> dict[str, Any]:
    """Return the arguments of a node by name, with defaults where it gives none."""
    parameters = node.target._schema.arguments
    result = {p.name: p.default_value for p in parameters if p.has_default_value()}
    result |= {p.name: value for p, value in zip(parameters, node.args, strict=False)}
    return result | dict(node.kwargs)


def _dims(node: Any) -> tuple[int, ...]:
    return tuple(node.meta["val"].shape[1:])


def _real(value: Any, constants: Constants) -> Floats:
    """Return a constant argument, a number or a tensor, as real numbers."""
    if isinstance(value, int | float):
        return np.asarray(value, np.float64)
    tensor = constants[value]
    if tensor.is_complex():
        raise InputError("its constant is complex; give real numbers")
    return np.asarray(tensor.detach().cpu().double().numpy())


def _dense(node: Any, at: Any, constants: Constants) -> Iterator[ReadStep]:
    given = arguments(node)
    match operation(node):
        case "linear":
            values, weight, bias = given["input"], given["weight"], given["bias"]
        case "addmm":
            values, weight, bias = given["mat1"], given["mat2"], given["self"]
        case _:
            values, weight, bias = given["self"], given.get("mat2", given.get("other")), None
    if values is not at or weight is at or bias is at or len(_dims(at)) != 1:
        raise InputError("it is not values (samples, units) times a matrix of weights")
    matrix = _real(weight, constants)
    if matrix.ndim != 2:
        raise InputError("its weights are not a matrix; give one")
    matrix = matrix.T if operation(node) == "linear" else given.get("alpha", 1) * matrix
    added = 0.0 if bias is None else per_unit(_real(bias, constants), _dims(node))
    yield Dense.of(matrix, given.get("beta", 1) * np.asarray(added))


def _arithmetic(node: Any, at: Any, constants: Constants) -> Iterator[ReadStep]:
    given, kind = arguments(node), operation(node)
    first = given["self"] is at
    other = per_unit(_real(given["other"] if first else given["self"], constants), _dims(at))
    alpha = given.get("alpha", 1)
    if given.get("rounding_mode") is not None or _dims(node) != _dims(at):
        raise InputError("it rounds, or changes the number of units; it is not supported")
    match kind:
        case "add":
            yield Scale(1.0, alpha * other) if first else Scale(alpha, other)
        case "sub":
            yield Scale(1.0, -alpha * other) if first else Scale(-alpha, other)
        case "rsub":
            yield Scale(-alpha, other) if first else Scale(1.0, -alpha * other)
        case "mul":
            yield Scale(other, 0.0)
        case _ if first:
            yield Scale(1.0 / other, 0.0)
        case _:
            raise InputError("it divides by the values; it is not supported")


def _batch_norm(node: Any, at: Any, constants: Constants) -> Iterator[ReadStep]:
    given = arguments(node)
    if given["training"] or given["running_mean"] is None or len(_dims(at)) != 1:
        raise InputError("it normalises by the moments of a batch; keep running ones")
    gain, bias = (
        default if given[name] is None else _real(given[name], constants)
        for name, default in (("weight", 1.0), ("bias", 0.0))
    )
    mean, variance = (_real(given[f"running_{name}"], constants) for name in ("mean", "var"))
    yield Scale.normalising(mean, variance, given["eps"], gain, bias)


def _dropout(node: Any, at: Any, constants: Constants) -> Iterator[ReadStep]:
    given = arguments(node)
    if given["train"]:
        raise InputError("it drops units in evaluation, too; use nn.Dropout")
    yield Drop(float(given["p"]))


def _flat(node: Any, at: Any, constants: Constants) -> Iterator[ReadStep]:
    before, after = at.meta["val"].shape, node.meta["val"].shape
    if after[0] != before[0] or tuple(after[1:]) != (prod(before[1:]),):
        raise InputError("it does not keep samples apart; use nn.Flatten")
    yield from ()


def _converted(node: Any, at: Any, constants: Constants) -> Iterator[ReadStep]:
    if not node.meta["val"].is_floating_point():
        raise InputError("it rounds the values to integers; it is not supported")
    yield from ()


def _nothing(node: Any, at: Any, constants: Constants) -> Iterator[ReadStep]:
    yield from ()


def _softmax(node: Any, at: Any, constants: Constants) -> Iterator[ReadStep]:
    yield softmax(arguments(node)["dim"])


def _activate(name: str) -> Reader:
    return lambda node, at, constants: iter([Activate(name)])


READERS: dict[str, Reader] = {
    **{name: _dense for name in ("linear", "addmm", "matmul", "mm")},
    **{name: _arithmetic for name in ("add", "sub", "rsub", "mul", "div")},
    "batch_norm": _batch_norm,
    "sigmoid": _activate("sigmoid"),
    "tanh": _activate("tanh"),
    "relu": _activate("relu"),
    "leaky_relu": lambda n, at, c: iter([leaky_relu(float(arguments(n)["negative_slope"]))]),
    "softmax": _softmax,
    "log_softmax": _softmax,
    "dropout": _dropout,
    **{name: _flat for name in ("flatten", "view", "reshape")},
    **{name: _converted for name in ("to", "_to_copy")},
    **{name: _nothing for name in ("clone", "contiguous", "detach", "alias")},
}
"""Reader of each operation: node, node before it, constants -> steps."""
