# SPDX-License-Identifier: BSD-2-Clause

"""Simplification of ONNX graphs by the passes of onnxscript and onnx_ir."""

from typing import Any

import numpy as np

from ...contract.errors import InputError

FOLDED = frozenset(
    (
        *("Identity", "Transpose", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Concat"),
        *("Slice", "Gather", "Neg", "Sqrt", "Reciprocal", "Pow", "Add", "Sub", "Mul", "Div"),
        *("MatMul", "Gemm"),
    )
)
"""Operators that are computed when all their inputs are constant."""

LARGEST = 1 << 24
"""Most numbers in a constant that is computed."""

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
            should_fold=_is_cheap,
        )
        for node in dropouts:
            node.domain = ""
        common.LiftConstantsToInitializersPass(lift_all_constants=True, size_limit=0)(model)
        common.IdentityEliminationPass()(model)
        common.RemoveUnusedNodesPass()(model)
    except Exception:
        raise InputError("its constants cannot be computed; export it again") from None
    return model.graph


def _is_cheap(node: Any) -> bool:
    """Whether a node of constants can be computed in bounded time and memory."""
    if node.domain or node.op_type not in FOLDED:
        return False
    shapes = [value.const_value.shape.numpy() for value in node.inputs if value is not None]
    if node.op_type in ("MatMul", "Gemm"):
        return int(np.prod([max(int(np.prod(s)), 1) for s in shapes[:2]], dtype=object)) <= LARGEST
    if node.op_type == "Gather":
        return sum(int(np.prod(s, dtype=object)) for s in shapes) <= 1 << 10
    if node.op_type in ("Add", "Sub", "Mul", "Div", "Pow"):
        try:
            return int(np.prod(np.broadcast_shapes(*shapes), dtype=object)) <= LARGEST
        except ValueError:
            return False
    return sum(int(np.prod(s, dtype=object)) for s in shapes) <= LARGEST
