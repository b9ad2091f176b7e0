# SPDX-License-Identifier: BSD-2-Clause

"""A run that was written: its checkpoint, its description, its data, and its answers."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import CheckpointError, InputError
from ..data.bounds import MOST_BYTES
from ..data.dataset import Dataset
from ..data.own_dataset import read_inputs, read_samples
from ..data.quantized import QuantizedSamples
from ..data.samples import Samples
from ..tasks import Task, load_data
from ..train.checkpoint import Checkpoint, load_checkpoint
from ..train.checks import check_progress
from .description import Description, read_description
from .directory import RunDirectory


@dataclass(frozen=True)
class Run:
    """A run.

    Parameters
    ----------
    directory : RunDirectory
    checkpoint : Checkpoint
    description : Description
    most : int
        The bound of `dualgate.data.bounds` for files that are read.
    """

    directory: RunDirectory
    checkpoint: Checkpoint
    description: Description
    most: int = MOST_BYTES

    def task(self) -> tuple[Task, Dataset]:
        """Load the data of the run again, with its task.

        Raises
        ------
        InputError
            If they are not there any more, or not the same.
        """
        about, loss = self.description, self.checkpoint.network.loss
        task, dataset = load_data(about.name, about.data, about.own, about.seed, loss, self.most)
        samples = QuantizedSamples(self.checkpoint.network, dataset.train)
        if samples.checksum() != self.checkpoint.data:
            raise InputError(
                f"the data of the run in {self.directory.path} have changed since; train again"
            )
        state, has_classes = self.checkpoint, samples.labels is not None
        check_progress(state, state.recipe.epochs, len(samples), has_classes)
        return task, dataset

    def read_inputs(self, path: Path) -> tuple[NDArray[np.float64], list[str]]:
        """Read and prepare the inputs of a file; see `own_dataset.read_inputs`."""
        preparation = self.description.preparation
        if preparation is None:
            raise InputError(
                f"the run in {self.directory.path} does not know how its inputs were made; "
                "only built-in data without a description lack this: train on a file"
            )
        return read_inputs(path, self.description.own, preparation, self.most)

    def read_samples(self, path: Path, target: str | None = None) -> tuple[Samples, list[str]]:
        """Read inputs and targets of a file, prepared as those of the run were.

        Parameters
        ----------
        path : Path
        target : str or None
            See `own_dataset.read_samples`.
        """
        preparation, answers = self.description.preparation, self.description.answers
        if preparation is None or answers is None:
            raise InputError(
                f"the run in {self.directory.path} does not know what its inputs and outputs "
                "stand for; evaluate it without a file"
            )
        return read_samples(path, self.description.own, preparation, answers, target, self.most)


def load_run(path: Path, most: int = MOST_BYTES) -> Run:
    """Load a run.

    Parameters
    ----------
    path : Path
        A directory that `dualgate train` wrote.
    most : int
        The bound of `dualgate.data.bounds`, also for data that the run reads later.

    Raises
    ------
    InputError
        If it holds no run.
    CheckpointError
        If a file of it is damaged, of another version, or does not fit the others.
    """
    directory = RunDirectory(path)
    if not directory.checkpoint.exists() or not directory.description.exists():
        raise InputError(
            f"{path} holds no run; give a directory that dualgate train wrote, such as runs/digits"
        )
    run = Run(
        directory,
        load_checkpoint(directory.checkpoint, most),
        read_description(directory.description, most),
        most,
    )
    network, about = run.checkpoint.network, run.description
    if about.preparation and len(about.preparation.inputs) != network.sizes[0]:
        raise CheckpointError(f"{directory.description} is of another run than its checkpoint")
    if about.answers and about.answers.outputs != network.sizes[-1]:
        raise CheckpointError(f"{directory.description} is of another run than its checkpoint")
    return run
