# SPDX-License-Identifier: BSD-2-Clause

"""What `dualgate train` begins with, where that comes from a file: network and first weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.network import Network
from ..exchange import read_model
from ..tasks import Task


def imported(
    path: Path, task: Task, name: str, layers: str | None, activation: str | None, loss: str | None
) -> tuple[Network, list[NDArray[np.int64]]]:
    """The network of a file, for a task, and its weights.

    Parameters
    ----------
    path : Path
        See `read_model`.
    task : Task
    name : str
        Of the task.
    layers, activation, loss : str or None
        As for `Task.network`; by default what the file has, and else the task's.

    Raises
    ------
    InputError, CheckpointError, MissingToolError
        For a file that cannot be used, or a network with other inputs or outputs than the task's.
    """
    model = read_model(path, loss or task.loss, (activation or task.activation).split(","))
    file = model.network
    sizes = layers or ",".join(map(str, file.sizes))
    network = task.network(name, sizes, activation or ",".join(file.hidden), loss)
    network = replace(network, input_frac=file.input_frac, linear_frac=file.linear_frac)
    return network, model.master_weights()


def freeze(network: Network, text: str) -> Network:
    """The `network` with the layers of a list such as ``0,1`` frozen, and no others.

    Raises
    ------
    InputError
        For anything but numbers of layers.
    """
    try:
        return replace(network, frozen=tuple(int(part) for part in text.split(",")))
    except ValueError:
        raise InputError(f"frozen layers {text!r}: give numbers from 0, such as 0,1") from None
