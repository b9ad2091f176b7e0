# SPDX-License-Identifier: BSD-2-Clause

"""Arrays by name from files of other programs: safetensors, and state dicts of PyTorch."""

import io
import math
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..data.bounds import NETWORK, SizeError, check_claim
from ..data.stored import StoredArray
from ..data.tensor_files import TYPES, Tensor, import_safetensors, read_header
from ..train.archives import ABOUT
from .names import shown
from .pickles import DAMAGED, check_torch_file
from .pytorch.checks import torch_package

Arrays = Mapping[str, NDArray[Any]]
"""Arrays by name, which may still be in a file: `numpy.asarray` reads them."""

BRAIN = "BF16"
"""The type that numpy has not: the upper half of a float32."""

NESTED = ("state_dict", "model_state_dict", "model")
"""Keys under which training scripts keep a state dict beside the state of an optimiser."""

NUMBER = 8
"""Bytes of a number as it is read."""


def read_safetensors(path: Path, most: int) -> Arrays | None:
    """Find the arrays of a safetensors file; None for one that was written by dualgate.

    Parameters
    ----------
    path : Path
    most : int
        The bound of `bounds` for the file; its numbers may have a sixteenth, in float64.

    Raises
    ------
    InputError
        For a damaged file, or a type of numbers that numpy cannot hold exactly.
    SizeError
        For a file that claims more than the bound.
    MissingToolError
        When the package safetensors is not installed.
    """
    try:
        tensors, metadata = read_header(path, most)
    except SizeError as error:
        raise SizeError(f"{path}: {error}") from None
    except (OSError, ValueError, KeyError) as error:
        reason = getattr(error, "strerror", None) or "not a whole .safetensors of arrays"
        raise InputError(f"cannot read {path}: {reason}; choose another") from None
    if ABOUT in metadata:
        return None
    numbers = sum(math.prod(each.shape) for each in tensors.values())
    check_claim(str(path), numbers * NUMBER, most, NETWORK)
    return cast(Arrays, {name: _of_tensor(name, each) for name, each in tensors.items()})


def _of_tensor(name: str, tensor: Tensor) -> StoredArray:
    if tensor.kind == BRAIN:
        halves = tensor.stored("<u2")

        def read() -> NDArray[Any]:
            return (np.asarray(halves).astype(np.uint32) << 16).view(np.float32)

        return StoredArray(tensor.shape, np.float32, read)
    if tensor.kind not in TYPES:
        raise InputError(
            f"{tensor.path}: {shown(name)} is of type {tensor.kind}; save it as float32"
        )
    return tensor.stored()


def read_torch_file(path: Path, most: int) -> Arrays:
    """Read the tensors of a file of `torch.save`, which may hold a state dict and nothing else.

    Parameters
    ----------
    path : Path
    most : int
        The bound of `bounds` for the file; its numbers may have a sixteenth, in float64.

    Raises
    ------
    InputError
        For a file with other objects, which only running its code would make.
    SizeError
        For a file that claims more than the bound.
    MissingToolError
        When PyTorch is not installed.
    """
    unsound = InputError(
        f"{path} is damaged or holds more than tensors, such as a whole module; save "
        "model.state_dict() by torch.save"
    )
    try:
        is_zip = check_torch_file(path, most)
    except SizeError as error:
        raise SizeError(f"{path}: {error}") from None
    except DAMAGED:
        raise unsound from None
    torch = torch_package()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
    except Exception:  # a damaged pickle ends in errors of every kind
        raise unsound from None
    for key in NESTED:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping):
        raise InputError(f"{path} holds no state dict; save model.state_dict() by torch.save")
    for name, value in content.items():
        _check_plain(torch, path, str(name), value)
    numbers = sum(value.numel() for value in content.values())
    check_claim(str(path), numbers * NUMBER, most, NETWORK)
    return cast(Arrays, {str(name): _of_torch(value) for name, value in content.items()})


def _of_torch(value: Any) -> StoredArray:
    return StoredArray(value.shape, np.float64, lambda: np.asarray(value.double().numpy()))


def pack_safetensors(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the content of a safetensors file of `arrays`."""
    import_safetensors()
    from safetensors.numpy import save

    return bytes(save(dict(arrays)))


def pack_torch(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return what `torch.save` writes of a state dict with `arrays`, and of nothing else."""
    torch = torch_package()
    content = io.BytesIO()
    torch.save({name: torch.from_numpy(array) for name, array in arrays.items()}, content)
    return content.getvalue()


def _check_plain(torch: Any, path: Path, name: str, value: Any) -> None:
    plain = isinstance(value, torch.Tensor) and value.layout is torch.strided
    if not plain or value.is_meta or value.is_quantized or value.is_complex():
        raise InputError(
            f"{path}: {shown(name)} is not a plain tensor; save model.state_dict() by torch.save"
        )
