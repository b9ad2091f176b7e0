# SPDX-License-Identifier: BSD-2-Clause

"""Nodes of an ONNX graph: their attributes and constants, and the shape of the values they take."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...contract.errors import InputError
from ..names import shown

Floats = NDArray[np.float64]


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


def number(node: Any, name: str, default: Any) -> Any:
    """Return the attribute `name` of a `node`, or `default` where it has none."""
    attribute = node.attributes.get(name)
    return default if attribute is None else attribute.value


def constant(node: Any, value: Any) -> Floats:
    """Return the constant `value` that a `node` takes; raises `InputError` if it is none."""
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
