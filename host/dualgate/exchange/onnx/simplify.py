# SPDX-License-Identifier: BSD-2-Clause

"""Simplification of ONNX graphs by the passes of onnxscript and onnx_ir."""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...contract.errors import InputError
from .nodes import number

FOLDED = frozenset(
    (
        *("Identity", "Transpose", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Concat"),
        *("Slice", "Gather", "Neg", "Sqrt", "Reciprocal", "Pow", "Add", "Sub", "Mul", "Div"),
        *("MatMul", "Gemm"),
    )
)
"""Operators that are computed when all their inputs are constant."""

LARGEST = 1 << 26
"""Most products that are computed in all."""

NUMBER = 8
"""Products that a number of a result counts for, so that 2^23 numbers are computed at most."""

HIDDEN = "dualgate.hidden"
"""Domain that hides Dropout from the passes, which would remove it and lose its rate."""


def simplify(content: Any) -> Any:
    """Simplify a model.

    Parameters
    ----------
    content : onnx.ModelProto
        A checked one.

    Returns
    -------
    onnx_ir.Graph
        Without functions, constants that are computed from others, and nodes that nothing needs.

    Raises
    ------
    InputError
        If the passes cannot take the model.
    """
    import onnx_ir as ir
    from onnx_ir.passes import common
    from onnxscript.optimizer import fold_constants_ir

    # The passes meet damaged files with errors of every kind.
    try:
        model = ir.serde.deserialize_model(content)
        common.InlinePass()(model)
        common.RemoveInitializersFromInputsPass()(model)
    except Exception:
        raise InputError("its graph cannot be read; export it again") from None
    try:
        common.RemoveUnusedNodesPass()(model)
        dropouts = [node for node in model.graph if (node.domain, node.op_type) == ("", "Dropout")]
        for node in dropouts:
            node.domain = HIDDEN
        fold_constants_ir(
            model,
            onnx_shape_inference=True,
            input_size_limit=LARGEST,
            output_size_limit=LARGEST,
            should_fold=_Budget().allows,
        )
        for node in dropouts:
            node.domain = ""
        common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(model)
        common.IdentityEliminationPass()(model)
        common.RemoveUnusedNodesPass()(model)
    except Exception:
        raise InputError("its constants cannot be computed; export it again") from None
    return model.graph


class _Budget:
    """The numbers that may still be computed, so that time and memory are bounded."""

    def __init__(self) -> None:
        self._left = LARGEST

    def allows(self, node: Any) -> bool:
        """Whether a node of constants is computed; if so, its cost is taken off."""
        if node.domain or node.op_type not in FOLDED:
            return False
        shapes = [v.const_value.shape.numpy() for v in node.inputs if v is not None]
        cost = _cost(node, shapes)
        if cost > self._left:
            return False
        self._left -= cost
        return True


def _cost(node: Any, shapes: list[tuple[int, ...]]) -> int:
    """Bound the products and numbers that a node computes of constants of some shapes."""
    sizes = [math.prod(shape) for shape in shapes]
    if node.op_type in ("MatMul", "Gemm"):
        # The size that both have in common is squared in this, unless it is 1.
        products = math.prod(max(size, 1) for size in sizes[:2])
        return products * (NUMBER if 1 in (*shapes[0], *shapes[1]) else 1)
    if node.op_type == "Gather":
        axis = int(number(node, "axis", 0))
        return NUMBER * sizes[0] * sizes[1] // max(shapes[0][axis], 1)
    if node.op_type in ("Add", "Sub", "Mul", "Div", "Pow"):
        # One axis of each may repeat the other; the broadcast shape is no larger than this.
        rank = max(map(len, shapes), default=0)
        padded = [(1,) * (rank - len(shape)) + tuple(shape) for shape in shapes]
        return NUMBER * math.prod(int(max(axis)) for axis in zip(*padded, strict=True))
    return NUMBER * sum(sizes)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep the packages from printing what they cannot compute; it is refused later."""
    loggers = [logging.getLogger(name) for name in ("onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
