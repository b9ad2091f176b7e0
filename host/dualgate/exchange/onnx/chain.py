# SPDX-License-Identifier: BSD-2-Clause

"""Reading of ONNX graphs that are chains of operators."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ...contract.errors import InputError
from ...data.bounds import MOST_BYTES
from ..assemble import assemble
from ..model import Model
from ..names import shown
from ..steps import Dense, ReadStep
from .classifiers import class_names, keep_probabilities
from .load import load
from .nodes import Place
from .operators import CLASSIFIER, READERS
from .simplify import quiet, simplify


def read_onnx(path: Path, loss: str | None = None, most: int = MOST_BYTES) -> Model:
    """Read a network from an ONNX file; its weights are copied, exactly.

    Parameters
    ----------
    path : Path
        A chain of the operators that `READERS` holds, with constant weights. Dropout is read where
        it follows a hidden layer. Weights in another file are read from beside `path`.
    loss : str or None
        As for `from_torch`.
    most : int
        The bound of `dualgate.data.bounds`, of which the file and the one with its weights may have
        a 64th.

    Returns
    -------
    Model
        Its outputs are those of the file, except that a network that ends in LogSoftmax answers by
        probabilities, not by their logarithms.

    Raises
    ------
    InputError
        When the file cannot be read, or holds a node or an order of nodes that is not supported.
    MissingToolError
        When a package of the extra ``onnx`` is not installed.

    Warns
    -----
    ExchangeWarning
        When the network that is read differs a little; see `steps.leaky_relu`.
    """
    content = load(path, most)
    try:
        # Numbers that are not finite are refused where the weights are checked.
        with np.errstate(all="ignore"), quiet():
            classes = class_names(content)
            keep_probabilities(content)
            model = assemble(_steps(simplify(content)), loss)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return replace(model, classes=classes)


def _steps(graph: Any) -> list[ReadStep]:
    """Return the steps of a graph; raises `InputError` for an unsupported node."""
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise InputError(
            f"the graph has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs; it must "
            "have one of each"
        )
    (at,), (end,) = graph.inputs, graph.outputs
    place, steps = Place.of(at), list[ReadStep]()
    while at is not end:
        nodes = [use.node for use in at.uses() if use.node.op_type != "Shape"]
        if len(nodes) != 1 or list(nodes[0].inputs).count(at) != 1:
            kinds = ", ".join(node.op_type for node in nodes) or "no node"
            raise InputError(f"{kinds} takes the value {shown(at.name)}; the graph is no chain")
        (node,) = nodes
        reader = READERS.get((node.domain, node.op_type))
        if reader is None:
            known = ", ".join(kind for _, kind in READERS)
            raise InputError(f"node {shown(node.op_type)} is not supported; known are {known}")
        for step in reader(node, at, place):
            steps.append(step)
            if isinstance(step, Dense):
                place = replace(place, dims=(step.weights.shape[1],))
        if node.op_type in ("Flatten", "Reshape") and place.dims is not None:
            place = replace(place, dims=(int(np.prod(place.dims)),))
        at = node.outputs[1 if node.op_type == CLASSIFIER else 0]
    return steps
