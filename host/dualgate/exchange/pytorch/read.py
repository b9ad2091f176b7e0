# SPDX-License-Identifier: BSD-2-Clause

"""Reading of PyTorch modules, by the graph of operations that they compute."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...contract.errors import InputError
from ..assemble import assemble
from ..model import Model
from ..names import shown
from ..steps import ReadStep
from .checks import check_module, named, torch_package
from .operators import READERS, operation

SAMPLES = 7
"""Samples in the example that a module is exported by; few networks have a layer of that size."""

MOST_TRIES = 5
"""Numbers of inputs that are tried, beginning with that of the first linear layer."""


def from_torch(module: Any, loss: str | None = None) -> Model:
    """Read a network from PyTorch; its weights are copied, exactly.

    Parameters
    ----------
    module : torch.nn.Module
        Any module that computes a chain of the operations that `READERS` holds. It is read by
        `torch.export`, in evaluation mode, as a function of inputs (samples, inputs). A layer's
        constants may be of any floating type.
    loss : str or None
        A key of `LOSSES`. Where the last layer is linear, its outputs are logits to a loss
        with an activation: ``from_torch(model, "cce")`` reads what was trained by
        `CrossEntropyLoss`. By default it follows from the last activation: ``mse`` without one,
        ``bce`` with Sigmoid, ``cce`` with Softmax or LogSoftmax.

    Returns
    -------
    Model
        Its outputs are those of the module, except that one that ends in LogSoftmax answers by
        probabilities, not by their logarithms.

    Raises
    ------
    InputError
        For a module that is no such chain, with the path and class of the layer; for a layer that
        has a hook, or no values yet.
    MissingToolError
        When PyTorch is not installed.

    Warns
    -----
    ExchangeWarning
        When the network that is read differs a little; see `steps.leaky_relu`.
    """
    torch = torch_package()
    if not isinstance(module, torch.nn.Module):
        raise InputError(f"{type(module).__name__} is not an nn.Module; give one")
    check_module(torch, module)
    with torch.no_grad():
        return assemble(_steps(torch, _export(torch, module)), loss)


@contextmanager
def _evaluating(module: Any) -> Iterator[None]:
    training = [layer for layer in module.modules() if layer.training]
    module.eval()
    try:
        yield
    finally:
        for layer in training:
            layer.training = True


def _export(torch: Any, module: Any) -> Any:
    """Export a module by an example, whose number of inputs is found by trying."""
    tensors = [t for t in (*module.parameters(), *module.buffers()) if t.is_floating_point()]
    if not tensors:
        raise InputError(
            f"{type(module).__name__} has no weights; give a module with linear layers"
        )
    layers = [m.in_features for m in module.modules() if isinstance(m, torch.nn.Linear)]
    matrices = [n for t in module.parameters() if t.ndim == 2 for n in reversed(t.shape)]
    first: Exception | None = None
    for inputs in list(dict.fromkeys([*layers, *matrices, *tensors[0].shape]))[:MOST_TRIES]:
        example = torch.zeros(SAMPLES, inputs, dtype=tensors[0].dtype, device=tensors[0].device)
        try:
            with _evaluating(module), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return torch.export.export(module, (example,), strict=False)
        except Exception as error:  # the module's own code runs
            first = first or error
    text = next((line.strip() for line in str(first).splitlines() if line.strip()), "no reason")
    raise InputError(
        f"{type(module).__name__} cannot be exported as a function of (samples, inputs): "
        f"{shown(text)}; give a chain of linear layers"
    )


def _steps(torch: Any, exported: Any) -> list[ReadStep]:
    """Return the steps of an exported graph; raises `InputError` for an unsupported operation."""
    constants, inputs = _placeholders(exported)
    if len(inputs) != 1:
        raise InputError(f"the module has {len(inputs)} inputs; it must have one")
    (at,), steps = inputs, list[ReadStep]()
    for node in exported.graph.nodes:
        if node.op == "output":
            results = [n for n in node.all_input_nodes if n not in constants]
            if results != [at] or len(exported.graph_signature.user_outputs) != 1:
                raise InputError("the module does not return its last values alone; no chain")
        # Checks of a tensor's type return nothing.
        if node.op != "call_function" or operation(node).startswith("_assert"):
            continue
        sources = [n for n in node.all_input_nodes if n not in constants]
        try:
            if not sources:
                constants[node] = _computed(torch, node, constants)
                continue
            if sources != [at]:
                raise InputError("it takes values from several places; no chain")
            reader = READERS.get(operation(node))
            if reader is None:
                raise InputError(f"it is not supported; known are {', '.join(READERS)}")
            steps += reader(node, at, constants)
        except InputError as error:
            raise InputError(f"{_where(node)}, operation {operation(node)}: {error}") from None
        at = node
    return steps


def _placeholders(exported: Any) -> tuple[dict[Any, Any], list[Any]]:
    """Return the tensors of a graph by their nodes, and the nodes of its inputs."""
    signature = exported.graph_signature
    names = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    values = {**exported.state_dict, **exported.constants}
    placeholders = [node for node in exported.graph.nodes if node.op == "placeholder"]
    constants = {n: values[names[n.name]] for n in placeholders if n.name in names}
    return constants, [n for n in placeholders if n.name not in names]


def _computed(torch: Any, node: Any, constants: dict[Any, Any]) -> Any:
    """Compute what depends on weights alone, such as a weight that is a product of two."""
    schema = getattr(node.target, "_schema", None)
    tags = getattr(node.target, "tags", ())
    if schema is None or schema.is_mutable or torch.Tag.nondeterministic_seeded in tags:
        raise InputError("it changes weights, or draws random numbers; it is not supported")
    args, kwargs = torch.fx.node.map_arg((node.args, node.kwargs), lambda n: constants[n])
    return node.target(*args, **kwargs)


def _where(node: Any) -> str:
    stack = list((node.meta.get("nn_module_stack") or {}).values())
    if not stack:
        return "the module"
    path, kind = stack[-1]
    return named(str(path), getattr(kind, "__name__", str(kind).rpartition(".")[2]))
