# SPDX-License-Identifier: BSD-2-Clause

"""Checks of a run before a device is used."""

from dataclasses import asdict, replace

from ..contract.errors import InputError
from ..contract.network import Network
from ..data.augmentation import image_side
from ..data.quantized import QuantizedSamples
from .checkpoint import Checkpoint
from .recipe import Recipe


def check_recipe(
    network: Network, recipe: Recipe, train: QuantizedSamples, has_held_out: bool
) -> None:
    """Raise `InputError` unless a recipe suits the network and the samples.

    Parameters
    ----------
    network : Network
    recipe : Recipe
    train : QuantizedSamples
    has_held_out : bool
        Whether there are held-out samples.
    """
    if recipe.shift:
        image_side(network.sizes[0])
    if (recipe.shift or recipe.class_weights) and train.labels is None:
        raise InputError("shifts and class weights need samples with classes; leave them off")
    if recipe.patience and not has_held_out:
        raise InputError("early stopping watches held-out samples; give some")
    if recipe.dropout and len(network.layers) == 1:
        raise InputError("dropout leaves out hidden units, and the network has none; use 0")


def check_start(
    network: Network, recipe: Recipe, update_frac: int, data: int, start: Checkpoint
) -> None:
    """Raise `InputError` unless a run can continue from a checkpoint.

    Parameters
    ----------
    network : Network
    recipe : Recipe
        Of the run; the checkpoint may have another number of epochs.
    update_frac : int
    data : int
        `QuantizedSamples.checksum` of the training samples.
    start : Checkpoint
    """
    then = replace(start.recipe, epochs=recipe.epochs)
    theirs = {**asdict(then), **asdict(start.network), "update_frac": start.update_frac}
    ours = {**asdict(recipe), **asdict(network), "update_frac": update_frac}
    for name, value in ours.items():
        if theirs[name] != value:
            raise InputError(
                f"the checkpoint is of another run: its {name} is {theirs[name]}, here {value}"
            )
    if start.data != data:
        raise InputError("the checkpoint is of another run: it has other training samples")
