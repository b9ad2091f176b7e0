# SPDX-License-Identifier: BSD-2-Clause

"""Classifiers in ONNX files, as skl2onnx writes them: their labels and probabilities."""

from typing import Any

LABELS = ("classlabels_strings", "classlabels_int64s", "classlabels_ints")
"""Attributes of ZipMap and LinearClassifier that hold names of classes."""


def class_names(content: Any) -> tuple[str, ...]:
    """Return the names of the classes in an `onnx.ModelProto` `content`; none if it has none."""
    import onnx

    constants = {tensor.name: tensor for tensor in content.graph.initializer}
    for node in content.graph.node:
        for attribute in node.attribute:
            if attribute.name in LABELS and (attribute.strings or attribute.ints):
                return tuple(map(_text, (*attribute.strings, *attribute.ints)))
        if node.op_type == "ArrayFeatureExtractor" and node.input[0] in constants:
            try:
                labels = onnx.numpy_helper.to_array(constants[node.input[0]])
            except (KeyError, TypeError, ValueError):
                return ()
            return tuple(map(_text, labels.reshape(-1).tolist()))
    return ()


def _text(label: Any) -> str:
    return label.decode("utf-8", "replace") if isinstance(label, bytes) else str(label)


def keep_probabilities(content: Any) -> None:
    """Remove a classifier's labels, and the nodes that put its probabilities in another form.

    Parameters
    ----------
    content : onnx.ModelProto
        If it has an output of numbers beside one of labels, that one stays, without ZipMap,
        without a normaliser behind softmax, and without the other class ``1 - p`` of a sigmoid.
    """
    graph = content.graph
    numbers = [value for value in graph.output if not _is_label(value)]
    if len(numbers) != 1:
        return
    makers = {name: node for node in graph.node for name in node.output}
    name = before = numbers[0].name
    for _ in graph.node:
        inner = _inner(makers, graph, name)
        if inner is None:
            break
        name = inner
    if name == before and len(graph.output) == 1:
        return
    del graph.output[:]
    kept = graph.output.add()
    kept.name = name
    if name == before:
        kept.CopyFrom(numbers[0])
    else:
        kept.type.tensor_type.elem_type = 1


def _is_label(value: Any) -> bool:
    import onnx

    kind = value.type.tensor_type.elem_type
    types = onnx.TensorProto
    return kind in (types.INT64, types.INT32, types.STRING, types.BOOL)


def _inner(makers: dict[str, Any], graph: Any, name: str) -> str | None:
    """Return the value that holds the same answers as `name` in a simpler form, if there is one."""
    node = makers.get(name)
    if node is None or not node.input:
        return None
    first = node.input[0]
    if node.op_type in ("ZipMap", "Identity") or _is_idle(node, makers.get(first)):
        return str(first)
    before = makers.get(first)
    if node.op_type == "Concat" and before is not None and len(node.input) == 2:
        ones = {t.name for t in graph.initializer if list(t.float_data) == [1.0] and not t.dims}
        columns = any(a.name == "axis" and a.i in (1, -1) for a in node.attribute)
        if columns and before.op_type == "Sub" and list(before.input[1:]) == [node.input[1]]:
            return str(node.input[1]) if before.input[0] in ones else None
    return None


def _is_idle(node: Any, before: Any) -> bool:
    """Whether a node divides by their sum what softmax has already made."""
    norm = next((a.s for a in node.attribute if a.name == "norm"), b"")
    if node.op_type != "Normalizer" or norm != b"L1" or before is None:
        return False
    transform = next((a.s for a in before.attribute if a.name == "post_transform"), b"")
    return bool(before.op_type == "Softmax" or transform == b"SOFTMAX")
