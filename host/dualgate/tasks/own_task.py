# SPDX-License-Identifier: BSD-2-Clause

"""The task of a data set of one's own: its network and recipe are chosen by the samples."""

from collections.abc import Callable
from pathlib import Path

from ..contract.settings import parse_prune
from ..data.bounds import MOST_BYTES
from ..data.dataset import Dataset
from ..data.own import OwnData
from ..data.own_dataset import load_own
from ..train.recipe import Recipe
from .registry import find_task
from .task import Task

MOST_SAMPLES = 400_000
"""Training samples of a run by default: large sets have fewer epochs."""

LEAST_EPOCHS, MOST_EPOCHS = 3, 30


def own_task(
    own: OwnData, seed: int = 0, loss: str | None = None, most: int = MOST_BYTES
) -> tuple[Task, Dataset]:
    """Load samples and choose a network and a recipe for them.

    Parameters
    ----------
    own : OwnData
    seed : int
        Seed of the choice of held-out samples.
    loss : str or None
        A key of `LOSSES`, which decides between classes and numbers; by default ``cce`` or
        ``mse``, by what the targets are.
    most : int
        The bound of `dualgate.data.bounds`.

    Returns
    -------
    Task, Dataset
        A task without a goal, and its samples.

    Raises
    ------
    InputError, MissingToolError
        As for `load_own`.
    """
    dataset = load_own(own, seed, loss, most)
    classes = dataset.answers is not None and bool(dataset.answers.classes)
    loss = loss or ("cce" if classes else "mse")
    inputs, outputs = dataset.train.x.shape[1], dataset.train.target.shape[1]
    layers = (inputs, outputs) if loss == "perceptron" else (inputs, *_hidden(inputs), outputs)
    task = Task(
        _always(dataset),
        layers,
        "tanh",
        loss,
        _recipe(len(dataset.train.x), classes, loss, seed),
        None,
        f"the samples of {own.path}",
        str(own.path),
        needs_directory=False,
    )
    return task, dataset


def load_data(
    name: str,
    directory: Path | None,
    own: OwnData | None,
    seed: int,
    loss: str | None,
    most: int = MOST_BYTES,
) -> tuple[Task, Dataset]:
    """Load the samples of a task, or those of one's own.

    Parameters
    ----------
    name : str
        Name of the task.
    directory : Path or None
        Directory of the task's files.
    own : OwnData or None
        None for a task.
    seed, loss, most
        As for `own_task`. A task's own files are read within the usual bound.

    Returns
    -------
    Task, Dataset
        The task with as many inputs and outputs as the samples have.

    Raises
    ------
    InputError, MissingToolError
        For an unknown task, and as `Task.data` and `own_task` do.
    """
    if own is not None:
        return own_task(own, seed, loss, most)
    task = find_task(name)
    dataset = task.data(name, directory)
    return task.fitted(dataset), dataset


def _always(dataset: Dataset) -> Callable[[Path | None], Dataset]:
    return lambda directory: dataset


def _hidden(inputs: int) -> tuple[int, ...]:
    """Choose the hidden layers: two lanes' worth of 16 units, or one layer for few inputs."""
    return (16,) if inputs <= 32 else (32, 16) if inputs <= 256 else (64, 32)


def _recipe(samples: int, classes: bool, loss: str, seed: int) -> Recipe:
    """Choose small batches for few samples, and rates that suit them."""
    epochs = min(max(MOST_SAMPLES // samples, LEAST_EPOCHS), MOST_EPOCHS)
    batch = 16 if samples < 5_000 else 32 if samples < 20_000 else 100
    if loss == "perceptron":
        return Recipe(epochs, batch=1, lr=0.125, seed=seed)
    rate = (
        {16: 0.03, 32: 0.05, 100: 0.1}[batch] if classes else {16: 0.01, 32: 0.02, 100: 0.05}[batch]
    )
    if loss == "sigmoid-mse":
        rate *= 10
    return Recipe(epochs, batch=batch, lr=rate, momentum=0.9, prune=parse_prune("1/4"), seed=seed)
