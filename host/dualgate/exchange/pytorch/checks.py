# SPDX-License-Identifier: BSD-2-Clause

"""Checks of a PyTorch module before it is exported."""

from typing import Any

from ...contract.errors import InputError, MissingToolError


def torch_package() -> Any:
    """Import PyTorch; raises `MissingToolError` if it is not installed."""
    try:
        import torch
    except ImportError:
        raise MissingToolError("PyTorch is not installed; pip install dualgate[torch]") from None
    return torch


def named(path: str, kind: str) -> str:
    """Name a layer by its `path` in the module, and by its class `kind`."""
    return f"{path} ({kind})" if path else kind


def check_module(torch: Any, module: Any) -> None:
    """Check that a module has values, and no hooks.

    Parameters
    ----------
    torch : module
    module : torch.nn.Module

    Raises
    ------
    InputError
        Names the layer that has no values yet, stores them in an unusual way, or has a hook.
    """
    every = torch.nn.modules.module
    if every._global_forward_hooks or every._global_forward_pre_hooks:
        raise InputError(
            "there are forward hooks on all modules; remove them, then read the module"
        )
    for path, layer in module.named_modules():
        name = named(path, type(layer).__name__)
        tensors = [*layer.named_parameters(recurse=False), *layer.named_buffers(recurse=False)]
        for part, tensor in tensors:
            if torch.nn.parameter.is_lazy(tensor) or tensor.is_meta:
                raise InputError(f"{name} has no values in {part} yet; run it once first")
            if not _is_plain(torch, tensor):
                raise InputError(f"{name} stores {part} in a special form; give plain numbers")
        # A hook may compute anything, and may be made for training alone, so none is read.
        if layer._forward_hooks or layer._forward_pre_hooks:
            raise InputError(f"{name} has a forward hook; remove it, then read the module")


def _is_plain(torch: Any, tensor: Any) -> bool:
    kinds = (torch.Tensor, torch.nn.Parameter, getattr(torch.nn, "Buffer", torch.Tensor))
    return type(tensor) in kinds and tensor.layout is torch.strided and not tensor.is_quantized
