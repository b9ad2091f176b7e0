# SPDX-License-Identifier: BSD-2-Clause

"""A task: a data set together with its default network, recipe and goal."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..contract.errors import InputError
from ..contract.network import Network, parse_sizes
from ..data.dataset import Dataset
from ..train.evaluation import Evaluation
from ..train.recipe import Recipe

SKLEARN = "scikit-learn"


@dataclass(frozen=True)
class Goal:
    """A bound on a metric of the held-out samples, which the defaults of a task reach.

    Parameters
    ----------
    metric : str
        ``accuracy`` or ``r2``, for which the bound is a minimum, or ``loss``, for which it is a
        maximum.
    bound : float
    """

    metric: str
    bound: float

    def met(self, evaluation: Evaluation) -> bool:
        """Return whether an evaluation reaches the bound."""
        value = getattr(evaluation, self.metric)
        if value is None:
            return False
        return bool(value <= self.bound if self.metric == "loss" else value >= self.bound)

    def __str__(self) -> str:
        return f"{self.metric} {'<=' if self.metric == 'loss' else '>='} {self.bound:g}"


@dataclass(frozen=True)
class Task:
    """A task and its defaults.

    Parameters
    ----------
    load : callable
        Directory or None -> `Dataset`.
    layers : tuple of int
        Units of the layers. The data determine the first and the last; see `fitted`.
    activation, loss : str
        See `Network`.
    recipe : Recipe
    goal : Goal or None
    about : str
        One line of description.
    source : str
        Origin of the data.
    needs_directory : bool
        Whether `load` needs a directory of files.
    """

    load: Callable[[Path | None], Dataset]
    layers: tuple[int, ...]
    activation: str
    loss: str
    recipe: Recipe
    goal: Goal | None
    about: str
    source: str = SKLEARN
    needs_directory: bool = False

    def data(self, name: str, directory: Path | None) -> Dataset:
        """Load the samples.

        Parameters
        ----------
        name : str
            Name of the task, for the error message.
        directory : Path or None
            What the user gave as the directory of the data.

        Raises
        ------
        InputError
            For a directory that the task does not take, or one that `load` refuses.
        """
        if directory is not None and not self.needs_directory:
            raise InputError(
                f"{name} takes no --data, since its samples come from {self.source}; to train on a "
                f"file of your own, give it instead of {name}: dualgate train {directory}"
            )
        return self.load(directory)

    def fitted(self, dataset: Dataset) -> "Task":
        """Return the task with as many inputs and outputs as the samples have."""
        ends = dataset.train.x.shape[1], dataset.train.target.shape[1]
        return replace(self, layers=(ends[0], *self.layers[1:-1], ends[1]))

    def network(
        self,
        name: str,
        layers: str | None = None,
        activation: str | None = None,
        loss: str | None = None,
    ) -> Network:
        """Make a network for this task; an argument of None stands for the task's default.

        Parameters
        ----------
        name : str
            Name of the task, for the error message.
        layers : str
            Units of the layers, such as ``64,32,10``.
        activation : str
            One for all hidden layers, or one for each, separated by commas.
        loss : str

        Raises
        ------
        InputError
            If the first or the last layer does not have the units that the data need.
        """
        sizes = self.layers if layers is None else parse_sizes(layers)
        if len(sizes) < 2 or (sizes[0], sizes[-1]) != (self.layers[0], self.layers[-1]):
            raise InputError(
                f"layers {','.join(map(str, sizes))}: {name} has {self.layers[0]} inputs and "
                f"{self.layers[-1]} outputs; give these as the first and the last layer"
            )
        names = (activation or self.activation).split(",")
        return Network(sizes, names[0] if len(names) == 1 else tuple(names), loss or self.loss)
