# SPDX-License-Identifier: BSD-2-Clause

"""Network and recipe of `dualgate train`, from its options and defaults."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...contract.errors import InputError
from ...contract.network import Network
from ...contract.settings import parse_prune
from ...optim.optimisers import OPTIMISERS
from ...tasks import Task
from ...train.checkpoint import Checkpoint
from ...train.recipe import WITH_MOMENTUM, Recipe
from ..first_weights import freeze, imported
from .options import Options


def choose_network(
    name: str, task: Task, start: Checkpoint | None, options: Options
) -> tuple[Network, list[NDArray[np.int64]] | None]:
    """Return the network, and first weights if a file has them.

    Parameters
    ----------
    name : str
        Name of the task.
    task : Task
    start : Checkpoint or None
        Of the run that goes on.
    options : Options
    """
    given, weights = (options.layers, options.activation, options.loss), None
    if options.weights is not None:
        network, weights = imported(
            options.weights, task, name, *given, options.dropout, options.most
        )
    elif start is not None and given == (None, None, None):
        network = start.network
    else:
        network = task.network(name, *given)
    return network if options.freeze is None else freeze(network, options.freeze), weights


def choose_recipe(default: Recipe, options: Options) -> Recipe:
    """Return the `default` recipe with the options that were given."""
    given: dict[str, Any] = {
        field.name: getattr(options, field.name)
        for field in fields(Recipe)
        if getattr(options, field.name) is not None
    }
    if options.prune is not None:
        given["prune"] = parse_prune(options.prune)
    if options.class_weights is not None:
        given["class_weights"] = _numbers(options.class_weights)
    if options.optimiser not in (None, default.optimiser):
        given = {**_usual(options.optimiser, default), **given}
    return replace(default, **given)


def _usual(optimiser: str, default: Recipe) -> dict[str, Any]:
    """Find the usual rate of another optimiser, or else the task's, and its momentum."""
    kind = OPTIMISERS.get(optimiser)
    lr = getattr(kind, "lr", default.lr)
    return {"lr": lr, "momentum": default.momentum if optimiser in WITH_MOMENTUM else 0.0}


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"class weights {text!r}: give numbers such as 1,2.5") from None
