# SPDX-License-Identifier: BSD-2-Clause

"""Arrays by name from files of other programs: safetensors, and state dicts of PyTorch."""

import io
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..train.archives import TEXT, import_safetensors
from .names import shown
from .pytorch.checks import torch_package

Arrays = dict[str, NDArray[Any]]

SAFETENSORS_TYPES = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4"},
    **{"I16": "<i2", "I8": "<i1", "U8": "<u1"},
}
"""numpy's name of each type of safetensors; BF16 is the upper half of a float32."""

NESTED = ("state_dict", "model_state_dict", "model")
"""Keys under which training scripts keep a state dict beside the state of an optimiser."""

MOST_NUMBERS = 1 << 27
"""Most numbers in the tensors of a file; a small file can describe a tensor of any size."""


def is_checkpoint(path: Path) -> bool:
    """Whether a safetensors file was written by dualgate; raises `InputError` for a damaged one."""
    package = import_safetensors()
    try:
        with package.safe_open(path, framework="numpy") as file:
            return TEXT in (file.metadata() or {})
    except (OSError, ValueError, TypeError, package.SafetensorError):
        raise InputError(
            f"cannot read {path}: not a whole .safetensors of arrays; choose another"
        ) from None


def read_safetensors(path: Path) -> Arrays:
    """Read the arrays of a safetensors file.

    Raises
    ------
    InputError
        For a damaged file, or a type of numbers that numpy cannot hold exactly.
    MissingToolError
        When the package safetensors is not installed.
    """
    package = import_safetensors()
    try:
        entries = package.deserialize(path.read_bytes())
    except (OSError, ValueError, package.SafetensorError):
        raise InputError(
            f"cannot read {path}: not a whole .safetensors of arrays; choose another"
        ) from None
    result: Arrays = {}
    for name, entry in entries:
        kind = SAFETENSORS_TYPES.get(entry["dtype"])
        if kind is None:
            raise InputError(
                f"{path}: {shown(name)} is of type {entry['dtype']}; save it as float32"
            )
        array = np.frombuffer(entry["data"], kind)
        if entry["dtype"] == "BF16":
            array = (array.astype(np.uint32) << 16).view(np.float32)
        result[name] = array.reshape(entry["shape"])
    return result


def read_torch_file(path: Path) -> Arrays:
    """Read the tensors of a file of `torch.save`, which may hold a state dict and nothing else.

    Raises
    ------
    InputError
        For a file with other objects, which only running its code would make.
    MissingToolError
        When PyTorch is not installed.
    """
    torch = torch_package()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # a damaged pickle ends in errors of every kind
        raise InputError(
            f"{path} is damaged or holds more than tensors, such as a whole module; save "
            "model.state_dict() by torch.save"
        ) from None
    for key in NESTED:
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping):
        raise InputError(f"{path} holds no state dict; save model.state_dict() by torch.save")
    return {str(name): _array(torch, path, str(name), value) for name, value in content.items()}


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


def _array(torch: Any, path: Path, name: str, value: Any) -> NDArray[Any]:
    plain = isinstance(value, torch.Tensor) and value.layout is torch.strided
    if not plain or value.is_meta or value.is_quantized or value.is_complex():
        raise InputError(
            f"{path}: {shown(name)} is not a plain tensor; save model.state_dict() by torch.save"
        )
    if value.numel() > MOST_NUMBERS:
        raise InputError(f"{path}: {shown(name)} has {value.numel()} numbers; that is too many")
    return np.asarray(value.double().numpy())
