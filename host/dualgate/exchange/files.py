# SPDX-License-Identifier: BSD-2-Clause

"""Networks from files: ONNX, checkpoints, and state dicts of PyTorch in safetensors."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import CheckpointError, InputError
from ..contract.losses import find_loss
from ..train.archives import SAFETENSORS, TEXT, read_archive
from ..train.checkpoint import load_checkpoint
from .assemble import assemble
from .model import Model
from .onnx import read_onnx
from .steps import Activate, Dense, Step

Arrays = Mapping[str, NDArray[Any]]


def read_model(path: Path, loss: str, hidden: Sequence[str]) -> Model:
    """Read a network with its weights.

    Parameters
    ----------
    path : Path
        An ONNX file (``.onnx``); a checkpoint; or a state dict of PyTorch (``.safetensors``) whose
        every layer ``L`` has a matrix ``L.weight`` and, perhaps, ``L.bias``.
    loss : str
        A key of `LOSSES` to train by. Its output activation must be that of the file, or the
        file ends in logits.
    hidden : sequence of str
        Hidden activations, one for all or one for each, of a state dict, which has none.

    Returns
    -------
    Model

    Raises
    ------
    InputError, CheckpointError
        When the file cannot be read, or holds no network that fits `loss` and `hidden`.
    MissingToolError
        When the format's package is not installed.
    """
    if path.suffix == ".onnx":
        return read_onnx(path, loss)
    if path.suffix == SAFETENSORS:
        try:
            arrays = read_archive(path)
        except CheckpointError as error:
            raise InputError(f"cannot read {path}: {error}; choose another") from None
        if TEXT not in arrays:
            try:
                return assemble(_state_dict(arrays, hidden), loss)
            except InputError as error:
                raise InputError(f"{path}: {error}") from None
    state = load_checkpoint(path)
    have, wanted = state.network.objective.output, find_loss(loss).output
    if have is not wanted:
        raise InputError(
            f"{path}: the loss {loss} needs {wanted.name} at the outputs, which have {have.name}"
        )
    return Model.of_device(replace(state.network, loss=loss, frozen=()), state.weights)


def _state_dict(arrays: Arrays, hidden: Sequence[str]) -> Iterable[Step]:
    """Make the steps of a state dict, with `hidden` activations between its layers."""
    names = sorted((n[:-7] for n in arrays if n.endswith(".weight")), key=_in_order)
    known = {f"{name}.{part}" for name in names for part in ("weight", "bias")}
    unknown = sorted(set(arrays) - known)
    if unknown or any(arrays[f"{name}.weight"].ndim != 2 for name in names):
        raise InputError(
            f"{unknown[0] if unknown else 'one of its weights'} is not of a linear layer; give "
            "a matrix NAME.weight and a vector NAME.bias for each"
        )
    between = list(hidden) * (len(names) - 1) if len(hidden) == 1 else list(hidden)
    if len(between) != max(len(names) - 1, 0):
        raise InputError(
            f"{len(between)} activations for {len(names) - 1} hidden layers; give one for all or "
            "one for each"
        )
    for index, name in enumerate(names):
        if index:
            yield Activate(between[index - 1])
        yield _dense(arrays, name)


def _dense(arrays: Arrays, name: str) -> Dense:
    matrix = np.asarray(arrays[f"{name}.weight"], np.float64).T
    bias = np.asarray(arrays.get(f"{name}.bias", 0.0), np.float64)
    if bias.shape not in ((), (matrix.shape[1],)):
        raise InputError(f"{name}.bias has shape {bias.shape}; {name}.weight needs one number each")
    return Dense.of(matrix, bias)


def _in_order(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts ``layers.10`` after ``layers.9``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
