# SPDX-License-Identifier: BSD-2-Clause

"""Flatten and Reshape, which must leave each sample whole."""

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from ...contract.errors import InputError
from ..steps import ReadStep
from .nodes import Place, constant, number


def flat(node: Any, at: Any, place: Place) -> Iterator[ReadStep]:
    """Return no step for a `node` that takes `at`, at `place`, and makes each sample a row.

    Raises
    ------
    InputError
        If it mixes samples, or may do so.
    """
    if node.op_type == "Flatten":
        whole = number(node, "axis", 1) == 1
    else:
        target, each = _target(node), place.dims and prod(place.dims)
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
                return [0, *constant(node, rest).reshape(-1).astype(np.int64).tolist()]
    found: list[int] = constant(node, shape).reshape(-1).astype(np.int64).tolist()
    if number(node, "allowzero", 0):
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
        return bool(number(node, "start", 0) == 0 and number(node, "end", None) == 1)
    before = node.inputs[0].producer()
    if before is None or before.op_type != "Shape" or number(before, "start", 0):
        return False
    picked = [v.const_value for v in node.inputs[1:]]
    if any(v is None for v in picked):
        return False
    numbers = [v.numpy().reshape(-1).tolist() for v in picked]
    return (node.op_type == "Gather" and numbers == [[0]]) or (
        node.op_type == "Slice" and numbers[:2] == [[0], [1]]
    )
