# SPDX-License-Identifier: BSD-2-Clause

"""Checkpoints: the whole state of a run, in a file of arrays and text (see `archives`)."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..contract.errors import CheckpointError, DualgateError, MissingToolError
from ..contract.formats import MASTER_WIDTH, VELOCITY_KEPT_WIDTH
from ..contract.network import Network, check_shapes
from ..data.bounds import MOST_BYTES, SizeError
from ..devices import Counters, Device
from ..optim.optimisers import State, find_optimiser
from .archives import read_archive, write_archive
from .dropout import inference_weights
from .recipe import Recipe
from .record import Record, Tally

Ints = NDArray[np.int64]

VERSION = 2
"""Version of the keys in the file and of their meaning."""


@dataclass(frozen=True)
class Best:
    """The best state so far, which early stopping restores.

    Parameters
    ----------
    epoch : int
        Epoch with the lowest held-out loss.
    loss : float
    weights : list of int array (inputs + 1, outputs)
        Weights after that epoch.
    """

    epoch: int
    loss: float
    weights: list[Ints]


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run between two batches.

    Parameters
    ----------
    network : Network
    recipe : Recipe
        The order of samples follows from its seed and the epoch, so no generator is stored.
    update_frac : int
        Fraction bits of the update scalars, which the velocity's binary point follows.
    epoch : int
        Number of finished epochs.
    weights, velocity : list of int array (inputs + 1, outputs)
        As in `Device.read_weights` and `Device.read_velocity`; see `inference_weights`.
    batch : int
        Number of finished batches in the current epoch.
    state : State
        State of an optimiser on the host.
    records : sequence of Record
        One of each finished epoch.
    tally : Tally
        Totals of the current epoch.
    counters : Counters
        Counts of the whole run.
    data : int
        `QuantizedSamples.checksum` of the training samples.
    best : Best or None
        The best state so far, with early stopping.
    """

    network: Network
    recipe: Recipe
    update_frac: int
    epoch: int
    weights: list[Ints]
    velocity: list[Ints]
    batch: int = 0
    state: State = State(0, [])  # noqa: RUF009 - it is frozen
    records: tuple[Record, ...] = ()
    tally: Tally = Tally()  # noqa: RUF009
    counters: Counters = Counters()  # noqa: RUF009
    data: int = 0
    best: Best | None = None

    @property
    def inference_weights(self) -> list[Ints]:
        """Weights for inference: `weights`, scaled down if they were trained with dropout.

        See `dualgate.train.dropout`.
        """
        return inference_weights(self.weights, self.recipe.dropout)

    def infer(self, device: Device, x: ArrayLike) -> Ints:
        """Run inference with the network and its weights for inference.

        Parameters
        ----------
        device : Device
            It is configured, and holds these weights afterwards.
        x : float array (samples, inputs)

        Returns
        -------
        int array (samples, outputs), `Network.output_format`

        Raises
        ------
        InputError
            For inputs that do not fit the network.
        """
        inputs = self.network.quantize_inputs(x)
        device.configure(self.network, self.update_frac)
        device.write_weights(self.inference_weights)
        return device.infer(inputs)

    def save(self, path: Path) -> None:
        """Write the checkpoint, in the format that the suffix of `path` selects.

        Raises
        ------
        InputError
            If `path` cannot be written.
        MissingToolError
            If the package for the format is not installed.
        """
        about, arrays = self.contents()
        write_archive(path, json.dumps(about), arrays)

    def contents(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return the contents of a file: a description for JSON, and arrays by name."""
        about = {
            "version": VERSION,
            "network": asdict(self.network),
            "recipe": asdict(self.recipe),
            "update_frac": self.update_frac,
            "epoch": self.epoch,
            "batch": self.batch,
            "batches": self.state.batches,
            "records": [asdict(record) for record in self.records],
            "tally": asdict(self.tally),
            "counters": asdict(self.counters),
            "data": self.data,
            "best": None if self.best is None else [self.best.epoch, self.best.loss],
        }
        arrays: dict[str, NDArray[Any]] = {f"weight{i}": w for i, w in enumerate(self.weights)}
        arrays |= {f"velocity{i}": v for i, v in enumerate(self.velocity)}
        for i, slots in enumerate(self.state.slots):
            arrays |= {f"slot{i}.{k}": slot for k, slot in enumerate(slots)}
        if self.best is not None:
            arrays |= {f"best{i}": w for i, w in enumerate(self.best.weights)}
        return about, arrays


def load_checkpoint(path: Path, most: int = MOST_BYTES) -> Checkpoint:
    """Read a checkpoint.

    The description is read first, and then only arrays that have the shapes of its network.

    Parameters
    ----------
    path : Path
    most : int
        The bound of `dualgate.data.bounds`.

    Raises
    ------
    CheckpointError
        If the file is missing, damaged, of another version, or inconsistent.
    SizeError
        If something in it claims more than the bound.
    """
    try:
        arrays = read_archive(path, most)
        return restore(_described(arrays), arrays)
    except MissingToolError:
        raise
    except SizeError as error:
        raise SizeError(f"checkpoint {path}: {error}") from None
    except DualgateError as error:
        raise CheckpointError(f"checkpoint {path} cannot be used: {error}; train again") from None


def _described(arrays: Mapping[str, Any]) -> dict[str, Any]:
    if "about" not in arrays:
        raise CheckpointError("about is missing")
    try:
        about = json.loads(str(arrays["about"]))
    except ValueError:
        about = None
    if not isinstance(about, dict):
        raise CheckpointError("its description is damaged")
    return about


def restore(about: dict[str, Any], arrays: Mapping[str, Any]) -> Checkpoint:
    """Make a checkpoint from its contents; the inverse of `Checkpoint.contents`.

    Parameters
    ----------
    about : dict
    arrays : mapping of str to array
        The two values that it returned; arrays may still be in a file, see `read_archive`.

    Raises
    ------
    DualgateError
        For contents that are incomplete, of another version, or inconsistent.
    """
    try:
        if about["version"] != VERSION:
            raise CheckpointError(f"it has version {about['version']}, not {VERSION}")
        network, recipe = Network(**about["network"]), Recipe(**about["recipe"])
        tally = {**about["tally"], "counters": Counters(**about["tally"]["counters"])}
        best = about["best"]

        def layers(name: str, width: int) -> list[Ints]:
            found = [arrays[f"{name}{i}"] for i in range(len(network.layers))]
            return _read(network, found, width)

        return Checkpoint(
            network,
            recipe,
            int(about["update_frac"]),
            int(about["epoch"]),
            layers("weight", MASTER_WIDTH),
            layers("velocity", VELOCITY_KEPT_WIDTH),
            int(about["batch"]),
            State(int(about["batches"]), _slots(network, recipe, arrays)),
            tuple(Record(**record) for record in about["records"]),
            Tally(**tally),
            Counters(**about["counters"]),
            int(about["data"]),
            None
            if best is None
            else Best(int(best[0]), float(best[1]), layers("best", MASTER_WIDTH)),
        )
    except KeyError as error:
        raise CheckpointError(f"{error.args[0]} is missing") from None
    except (TypeError, ValueError, AttributeError):
        raise CheckpointError("its description is damaged") from None


def _slots(
    network: Network, recipe: Recipe, arrays: Mapping[str, Any]
) -> list[tuple[NDArray[np.floating[Any]], ...]]:
    if recipe.on_chip:
        return []
    count = find_optimiser(recipe.optimiser).slots
    learning = [layer for layer in network.layers if not layer.frozen]
    slots = [tuple(arrays[f"slot{i}.{k}"] for k in range(count)) for i in range(len(learning))]
    for layer, each in zip(learning, slots, strict=True):
        for slot in each:
            if slot.shape != (layer.rows, layer.outputs) or slot.dtype != np.float64:
                raise CheckpointError("the arrays of its optimiser do not fit its network")
    return [tuple(map(np.asarray, each)) for each in slots]


def _read(network: Network, arrays: list[Any], width: int) -> list[Ints]:
    """Read arrays of the shapes of a network's layers, of integers of `width` bits."""
    check_shapes(network, arrays)
    unfit = CheckpointError(f"its weights or velocities are not integers of {width} bits")
    if any(array.dtype != np.int64 for array in arrays):
        raise unfit
    limit = 1 << (width - 1)
    read: list[Ints] = list(map(np.asarray, arrays))
    if any(array.min() < -limit or array.max() >= limit for array in read):
        raise unfit
    return read
