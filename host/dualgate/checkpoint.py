"""Checkpoints: a run's whole state in one `.npz` that holds arrays and text, no pickles."""

import io
import json
import zipfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import CheckpointError, DualgateError
from .files import replace_file
from .formats import MASTER_WIDTH, VELOCITY_KEPT_WIDTH
from .network import Network, check_shapes
from .recipe import Recipe

Ints = NDArray[np.int64]

VERSION = 1
"""Of the file's keys and their meaning."""

NOT_WHOLE = "not a whole .npz of arrays"


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run between two epochs.

    Parameters
    ----------
    network : Network
    recipe : Recipe
        The order of samples follows from its seed and the epoch, so no generator is stored.
    update_frac : int
        Fraction bits of the update scalars, which the velocity's binary point follows.
    epoch : int
        Epochs done.
    weights, velocity : list of int array (inputs + 1, outputs)
        As in `Device.read_weights` and `Device.read_velocity`.
    """

    network: Network
    recipe: Recipe
    update_frac: int
    epoch: int
    weights: list[Ints]
    velocity: list[Ints]

    def save(self, path: Path) -> None:
        """Write the checkpoint; raises `InputError` when `path` cannot be written."""
        about = {
            "version": VERSION,
            "network": asdict(self.network),
            "recipe": asdict(self.recipe),
            "update_frac": self.update_frac,
            "epoch": self.epoch,
        }
        arrays = {f"weight{i}": w for i, w in enumerate(self.weights)}
        arrays |= {f"velocity{i}": v for i, v in enumerate(self.velocity)}
        content = io.BytesIO()
        np.savez(content, allow_pickle=False, about=np.array(json.dumps(about)), **arrays)
        replace_file(path, content.getvalue())


def load_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Raises
    ------
    CheckpointError
        When the file is missing, damaged, of another version, or does not fit together.
    """
    try:
        return _restore(_read(path))
    except DualgateError as error:
        raise CheckpointError(f"checkpoint {path} cannot be used: {error}; train again") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, EOFError, MemoryError, NotImplementedError) as error:
        raise CheckpointError(getattr(error, "strerror", None) or NOT_WHOLE) from None
    except (AttributeError, TypeError, ValueError, zipfile.BadZipFile, zlib.error):
        raise CheckpointError(NOT_WHOLE) from None


def _restore(arrays: dict[str, Any]) -> Checkpoint:
    try:
        about = json.loads(str(arrays["about"]))
        if about["version"] != VERSION:
            raise CheckpointError(f"it has version {about['version']}, not {VERSION}")
        network, recipe = Network(**about["network"]), Recipe(**about["recipe"])
        update_frac, epoch = int(about["update_frac"]), int(about["epoch"])
        layers = range(len(network.layers))
        weights = [arrays[f"weight{i}"] for i in layers]
        velocity = [arrays[f"velocity{i}"] for i in layers]
    except KeyError as error:
        raise CheckpointError(f"{error.args[0]} is missing") from None
    except (TypeError, ValueError):
        raise CheckpointError("its description is damaged") from None
    _check(network, weights, MASTER_WIDTH)
    _check(network, velocity, VELOCITY_KEPT_WIDTH)
    return Checkpoint(network, recipe, update_frac, epoch, weights, velocity)


def _check(network: Network, arrays: list[Ints], width: int) -> None:
    check_shapes(network, arrays)
    limit = 1 << (width - 1)
    for array in arrays:
        if array.dtype != np.int64 or array.min() < -limit or array.max() >= limit:
            raise CheckpointError(f"its weights or velocities are not integers of {width} bits")
