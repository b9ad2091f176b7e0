# SPDX-License-Identifier: BSD-2-Clause

"""Checkpoints: the whole state of a run, in a file of arrays and text (see `archives`)."""

from collections.abc import Mapping
from dataclasses import dataclass
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
from .checkpoint_description import VERSION, Description, parse_description
from .dropout import inference_weights
from .recipe import Recipe
from .record import Record, Tally

Ints = NDArray[np.int64]


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
        write_archive(path, about.text(), arrays)

    def contents(self) -> tuple[Description, dict[str, NDArray[Any]]]:
        """Return the contents of a file: its description, and arrays by name."""
        best = self.best
        about = Description(
            VERSION,
            self.network,
            self.recipe,
            self.update_frac,
            self.epoch,
            self.batch,
            self.state.batches,
            self.records,
            self.tally,
            self.counters,
            self.data,
            None if best is None else (best.epoch, best.loss),
        )
        arrays: dict[str, NDArray[Any]] = {f"weight{i}": w for i, w in enumerate(self.weights)}
        arrays |= {f"velocity{i}": v for i, v in enumerate(self.velocity)}
        for i, slots in enumerate(self.state.slots):
            arrays |= {f"slot{i}.{k}": slot for k, slot in enumerate(slots)}
        if best is not None:
            arrays |= {f"best{i}": w for i, w in enumerate(best.weights)}
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
        if "about" not in arrays:
            raise CheckpointError("about is missing")
        return restore(parse_description(str(arrays["about"])), arrays)
    except MissingToolError:
        raise
    except SizeError as error:
        raise SizeError(f"checkpoint {path}: {error}") from None
    except DualgateError as error:
        raise CheckpointError(f"checkpoint {path} cannot be used: {error}; train again") from None


def restore(about: Description, arrays: Mapping[str, Any]) -> Checkpoint:
    """Make a checkpoint from its contents; the inverse of `Checkpoint.contents`.

    Parameters
    ----------
    about : Description
    arrays : mapping of str to array
        Arrays may still be in a file, see `read_archive`.

    Raises
    ------
    DualgateError
        For arrays that are missing, or do not fit the description.
    """

    def layers(name: str, width: int) -> list[Ints]:
        return _integers(about.network, name, width, arrays)

    best = about.best
    return Checkpoint(
        about.network,
        about.recipe,
        about.update_frac,
        about.epoch,
        layers("weight", MASTER_WIDTH),
        layers("velocity", VELOCITY_KEPT_WIDTH),
        about.batch,
        State(about.batches, _slots(about.network, about.recipe, arrays)),
        about.records,
        about.tally,
        about.counters,
        about.data,
        None if best is None else Best(*best, layers("best", MASTER_WIDTH)),
    )


def _entry(arrays: Mapping[str, Any], name: str) -> Any:
    if name not in arrays:
        raise CheckpointError(f"{name} is missing")
    return arrays[name]


def _integers(network: Network, name: str, width: int, arrays: Mapping[str, Any]) -> list[Ints]:
    """Read the arrays ``name0``, ``name1`` ... of the layers; integers of `width` bits."""
    found = [_entry(arrays, f"{name}{i}") for i in range(len(network.layers))]
    check_shapes(network, found)
    unfit = CheckpointError(f"its weights or velocities are not integers of {width} bits")
    if any(array.dtype != np.int64 for array in found):
        raise unfit
    read: list[Ints] = list(map(np.asarray, found))
    limit = 1 << (width - 1)
    if any(array.min() < -limit or array.max() >= limit for array in read):
        raise unfit
    return read


def _slots(
    network: Network, recipe: Recipe, arrays: Mapping[str, Any]
) -> list[tuple[NDArray[np.floating[Any]], ...]]:
    if recipe.on_chip:
        return []
    optimiser = find_optimiser(recipe.optimiser)
    learning = [layer for layer in network.layers if not layer.frozen]
    slots = []
    for i, layer in enumerate(learning):
        found = [_entry(arrays, f"slot{i}.{k}") for k in range(optimiser.slots)]
        shape = (layer.rows, layer.outputs)
        if any(slot.shape != shape or slot.dtype != np.float64 for slot in found):
            raise CheckpointError("the arrays of its optimiser do not fit its network")
        each = tuple(map(np.asarray, found))
        for k, slot in enumerate(each):
            if not np.isfinite(slot).all() or (k in optimiser.squares and slot.min() < 0):
                raise CheckpointError(f"slot{i}.{k} holds numbers that {recipe.optimiser} cannot")
        slots.append(each)
    return slots
