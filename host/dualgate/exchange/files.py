# SPDX-License-Identifier: BSD-2-Clause

"""Networks from files and to files, whose kind follows from content and name."""

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..contract.errors import CheckpointError, InputError
from ..contract.losses import find_loss
from ..data.bounds import MOST_BYTES, NETWORK, SizeError
from ..data.files import replace_file
from ..data.zips import open_zip
from ..train.archives import ABOUT, SAFETENSORS, read_archive
from ..train.checkpoint import load_checkpoint
from .assemble import assemble
from .c_header import c_header
from .model import Model
from .onnx import read_onnx, write_onnx
from .state_dict import layers, state_dict
from .tensors import Arrays, pack_safetensors, pack_torch, read_safetensors, read_torch_file

KINDS = (
    "ONNX (.onnx), a checkpoint of dualgate (.npz, .safetensors), or a state dict of PyTorch "
    "(.safetensors, .pt, .npz)"
)
TORCH_SUFFIXES = (".pt", ".pth", ".bin")
WRITTEN = ".onnx, .safetensors, .pt or .h"


def read_model(path: Path, loss: str, hidden: Sequence[str], most: int = MOST_BYTES) -> Model:
    """Read a network with its weights.

    Parameters
    ----------
    path : Path
        An ONNX file (``.onnx``); a checkpoint; or a state dict of PyTorch, in a file of
        safetensors, of `torch.save` or of `numpy.savez`, whose every layer ``L`` has a matrix
        ``L.weight`` and, perhaps, ``L.bias``; see `state_dict.in_order`. The content tells
        these apart, and the suffix, in any case, where it cannot.
    loss : str
        A key of `LOSSES` to train by. Its output activation must be that of the file, or the
        file ends in logits.
    hidden : sequence of str
        Hidden activations, one for all or one for each, of a state dict, which has none.
    most : int
        The bound of `dualgate.data.bounds`; a state dict may have a sixteenth of it, and an
        ONNX file a 64th.

    Returns
    -------
    Model
        Its weights are those that answer, also those of a checkpoint that was trained with dropout.

    Raises
    ------
    InputError, CheckpointError
        When the file cannot be read, or holds no network that fits `loss` and `hidden`.
    MissingToolError
        When the format's package is not installed.
    """
    kind = _kind(path)
    if kind == "onnx":
        return read_onnx(path, loss, most)
    arrays: Arrays | None
    if kind == "torch":
        arrays = read_torch_file(path, most)
    elif kind == "safetensors":
        arrays = read_safetensors(path, most)
    else:
        arrays = _of_npz(path, most)
    if arrays is None:
        return _of_checkpoint(path, loss, most)
    try:
        return assemble(layers(arrays, hidden), loss)
    except (InputError, CheckpointError) as error:
        raise type(error)(f"{path}: {error}") from None


def write_model(path: Path, model: Model) -> None:
    """Write a network with the weights that answer, all or nothing.

    Parameters
    ----------
    path : Path
        The suffix selects the format: ``.onnx``, see `write_onnx`; ``.safetensors`` or ``.pt``, the
        state dict of `to_torch`, in float32, which `read_model` reads back; ``.h``, see
        `c_header.c_header`.
    model : Model

    Raises
    ------
    InputError
        For another suffix, a path that cannot be written, or a network that the format cannot hold:
        of the losses ``msle`` and ``perceptron`` in any but ``.h``; of weights out of range in
        ``.h``.
    MissingToolError
        When the format's package is not installed.
    """
    match path.suffix.lower():
        case ".onnx":
            write_onnx(model, path)
        case ".safetensors":
            replace_file(path, pack_safetensors(state_dict(model)))
        case ".pt":
            replace_file(path, pack_torch(state_dict(model)))
        case ".h":
            replace_file(path, c_header(model, path.stem).encode())
        case _:
            raise InputError(f"cannot write {path}: its suffix must be {WRITTEN}")


def _kind(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(9)
        if head.startswith(b"PK\x03\x04") and zipfile.is_zipfile(path):
            with open_zip(path) as archive:
                names = archive.namelist()
            return "torch" if any(name.endswith("data.pkl") for name in names) else "npz"
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or "it is damaged"
        raise InputError(f"cannot read {path}: {reason}; choose another") from None
    suffix = path.suffix.lower()
    if suffix == ".onnx":
        return "onnx"
    if suffix == SAFETENSORS or head[8:] == b"{":
        return "safetensors"
    if suffix in TORCH_SUFFIXES or head.startswith(b"\x80"):
        return "torch"
    if suffix == ".npz":
        return "npz"
    raise InputError(f"{path} is of no known kind; give {KINDS}")


def _of_npz(path: Path, most: int) -> Arrays | None:
    """Find the arrays of a state dict; None for a checkpoint, or for what is damaged."""
    try:
        archive = read_archive(path, most, NETWORK)
    except SizeError as error:
        raise SizeError(f"{path}: {error}") from None
    except CheckpointError:
        return None  # load_checkpoint says why
    return None if ABOUT in archive else archive


def _of_checkpoint(path: Path, loss: str, most: int) -> Model:
    state = load_checkpoint(path, most)
    have, wanted = state.network.objective.output, find_loss(loss).output
    if have is not wanted:
        raise InputError(
            f"{path}: the loss {loss} needs {wanted.name} at the outputs, which have {have.name}"
        )
    network = replace(state.network, loss=loss, frozen=())
    return Model.of_device(network, state.weights, state.recipe.dropout)
