# SPDX-License-Identifier: BSD-2-Clause

"""The network and first weights of `dualgate train`, read from a file."""

import warnings
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.network import Network
from ..data.bounds import MOST_BYTES
from ..exchange import ExchangeWarning, read_model
from ..tasks import Task
from . import printable


def imported(
    path: Path,
    task: Task,
    name: str,
    layers: str | None,
    activation: str | None,
    loss: str | None,
    dropout: float | None = None,
    most: int = MOST_BYTES,
) -> tuple[Network, list[NDArray[np.int64]]]:
    """Read a file's network, fitted to a task, and its weights.

    Parameters
    ----------
    path : Path
        See `read_model`.
    task : Task
    name : str
        The name of the task.
    layers, activation, loss : str or None
        As for `Task.network`; by default the file's, or the task's if the file has none.
    dropout : float or None
        Rate of the training that goes on from the weights; by default the task's. The weights that
        the file answers by are scaled for it; see `Model.master_weights`.
    most : int
        The bound of `dualgate.data.bounds`.

    Raises
    ------
    InputError, CheckpointError, MissingToolError
        If the file cannot be used, or its network's inputs or outputs differ from the task's.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ExchangeWarning)
        hidden = (activation or task.activation).split(",")
        model = read_model(path, loss or task.loss, hidden, most)
    for message in dict.fromkeys(str(w.message) for w in caught):
        click.echo(f"note: {printable(message)}", err=True)
    file = model.network
    sizes = layers or ",".join(map(str, file.sizes))
    network = task.network(name, sizes, activation or ",".join(file.hidden), loss)
    network = replace(network, input_frac=file.input_frac, linear_frac=file.linear_frac)
    rate = task.recipe.dropout if dropout is None else dropout
    return network, model.master_weights(rate)


def freeze(network: Network, text: str) -> Network:
    """Freeze the layers of `network` that `text` lists, such as ``0,1``, and no others.

    Raises
    ------
    InputError
        If `text` is not a list of integers.
    """
    try:
        return replace(network, frozen=tuple(int(part) for part in text.split(",")))
    except ValueError:
        raise InputError(f"frozen layers {text!r}: give numbers from 0, such as 0,1") from None
