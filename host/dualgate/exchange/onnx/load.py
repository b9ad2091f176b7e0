# SPDX-License-Identifier: BSD-2-Clause

"""Loading of ONNX files, with weights that are stored in a file beside them."""

import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from ...contract.errors import InputError, MissingToolError
from ...data.bounds import ONNX, beyond, check_claim
from ..names import shown
from .wire import memory

MODULES = ("onnx.numpy_helper", "onnx.external_data_helper", "onnxscript.optimizer", "onnx_ir")
"""Modules that are used, each of a package of the extra ``onnx``."""

MOST_NODES = 2000
"""Most nodes after functions of the file are expanded; a function can call another many times."""


def onnx_package() -> Any:
    """Import onnx and its companions; raises `MissingToolError` if one is not installed."""
    try:
        for name in MODULES:
            import_module(name)
        return import_module("onnx")
    except ImportError as error:
        missing = (error.name or "onnx").partition(".")[0]
        raise MissingToolError(f"{missing} is not installed; pip install dualgate[onnx]") from None


def load(path: Path, most: int) -> Any:
    """Load and check an ONNX file.

    Parameters
    ----------
    path : Path
        Weights in another file are read from the directory of `path`, wherever the process runs.
    most : int
        The bound of `bounds`, of which the file and the one with its weights may have a 64th.

    Returns
    -------
    onnx.ModelProto

    Raises
    ------
    InputError
        If the file, or the one with its weights, cannot be read or is damaged; or if the latter is
        outside the directory of `path`, or a link.
    SizeError
        If they claim more than the bound.
    MissingToolError
        If a package of the extra ``onnx`` is not installed.
    """
    onnx = onnx_package()
    from google.protobuf.message import DecodeError  # what onnx builds on

    unsound = InputError(f"{path} is not a sound ONNX file; export it again")
    try:
        check_claim(str(path), path.stat().st_size, most, ONNX)
        packed = path.read_bytes()
        if memory(memoryview(packed), most // ONNX) > most // ONNX:
            raise beyond(str(path), most, ONNX)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}; choose another") from None
    except ValueError:
        raise unsound from None
    try:
        content = onnx.load_model_from_string(packed, format="protobuf")
    except (DecodeError, ValueError):
        raise unsound from None
    del packed
    if content.graph.sparse_initializer:
        raise InputError(f"{path}: sparse weights are not supported; export them as dense ones")
    _add_external_data(onnx, content, path, most)
    try:
        onnx.checker.check_model(content)
    except (onnx.checker.ValidationError, DecodeError, ValueError):
        raise unsound from None
    if _expanded(content) > MOST_NODES:
        raise InputError(f"{path} has more than {MOST_NODES} nodes; give a chain of dense layers")
    return content


def _add_external_data(onnx: Any, content: Any, path: Path, most: int) -> None:
    # absolute(): for a bare name, the package would take an empty directory.
    directory = path.absolute().parent
    helper = onnx.external_data_helper
    where = "another file"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of keys that the package does not know
            total = 0
            for tensor in _tensors(content.graph.node, content.functions, content.graph):
                if helper.uses_external_data(tensor):
                    info = helper.ExternalDataInfo(tensor)
                    where = shown(info.location)
                    file = directory / info.location
                    total += info.length or (file.stat().st_size if file.is_file() else 0)
                    check_claim(f"{path}: what is in {where}", total, most, ONNX)
            helper.load_external_data_for_model(content, str(directory))
    except (OSError, ValueError, RuntimeError, onnx.checker.ValidationError):
        raise InputError(
            f"{path}: its weights are in {where}, which cannot be read; put the file beside "
            "the .onnx file, whole and not as a link"
        ) from None


def _tensors(nodes: Any, functions: Any, graph: Any = None) -> Iterator[Any]:
    """Find all tensors, in whatever part of a model; messages are not deeper than 100."""
    if graph is not None:
        yield from graph.initializer
    for node in nodes:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for inner in (attribute.g, *attribute.graphs):
                yield from _tensors(inner.node, (), inner)
    for function in functions:
        yield from _tensors(function.node, ())


def _expanded(content: Any) -> int:
    """Count the nodes of a model whose functions are expanded; stops above `MOST_NODES`."""
    functions = {(f.domain, f.name): f.node for f in content.functions}
    sizes: dict[tuple[str, str], int] = {}

    def size(nodes: Any, depth: int) -> int:
        total = 0
        for node in nodes:
            key = (node.domain, node.op_type)
            if key in functions and key not in sizes:
                # A function that calls itself has no end.
                sizes[key] = MOST_NODES + 1 if depth > 50 else size(functions[key], depth + 1)
            total += sizes.get(key, 1)
            for attribute in node.attribute:
                for graph in (attribute.g, *attribute.graphs):
                    total += size(graph.node, depth + 1) if depth <= 50 else MOST_NODES + 1
            if total > MOST_NODES:
                break
        return total

    return size(content.graph.node, 0)
