# SPDX-License-Identifier: BSD-2-Clause

"""Continuing a run with other samples, or with other settings."""

import sys
from dataclasses import replace

import numpy as np

from ..contract.errors import InputError
from ..contract.formats import VELOCITY_KEPT_WIDTH
from ..contract.network import Network
from .checkpoint import Best, Checkpoint
from .recipe import Recipe
from .record import Tally


def carried(
    before: Checkpoint, network: Network, recipe: Recipe, update_frac: int, data: int
) -> Checkpoint:
    """Make the start of a run that goes on where another ended.

    Weights, the state of the optimiser, the number of epochs and the records go on. The velocity is
    brought to the binary point of the new run. Early stopping waits for its patience anew.

    Parameters
    ----------
    before : Checkpoint
    network : Network
    recipe : Recipe
        Of the new run; its epochs count from the beginning of the old one.
    update_frac, data : int
        Of the new run, as in `Checkpoint`.

    Raises
    ------
    InputError
        For another network or optimiser.
    """
    if network != before.network:
        raise InputError("the network is another than so far; train it from the beginning")
    if (recipe.optimiser, recipe.on_chip) != (before.recipe.optimiser, before.recipe.on_chip):
        raise InputError(
            f"optimiser {recipe.optimiser} or its penalties cannot take over from "
            f"{before.recipe.optimiser}; train from the beginning"
        )
    # Velocities have fewer than 53 bits, so that float64 holds them, and those that are clipped.
    limit, up = 1 << (VELOCITY_KEPT_WIDTH - 1), update_frac - before.update_frac
    velocity = [
        np.clip(np.floor(np.ldexp(v.astype(np.float64), up) + 0.5), -limit, limit - 1)
        for v in before.velocity
    ]
    loss = sys.float_info.max if before.best is None else before.best.loss
    return replace(
        before,
        recipe=recipe,
        update_frac=update_frac,
        velocity=[v.astype(np.int64) for v in velocity],
        batch=0,
        tally=Tally(),
        data=data,
        best=Best(before.epoch, loss, before.weights) if recipe.patience else None,
    )
