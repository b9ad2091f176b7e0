# SPDX-License-Identifier: BSD-2-Clause

"""Checks of a run before a device is used."""

from dataclasses import asdict, replace

from ..contract.errors import InputError
from ..contract.network import Network
from ..contract.settings import prune_name
from ..data.augmentation import image_side
from ..data.quantized import QuantizedSamples
from .checkpoint import Checkpoint
from .recipe import Recipe
from .weighting import check_class_weights


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
    check_class_weights(network, recipe)
    if recipe.shift and recipe.shift >= image_side(network.sizes[0]):
        raise InputError(
            f"shift {recipe.shift} moves images out of sight; give less than their "
            f"{image_side(network.sizes[0])} pixels"
        )
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
    theirs = {**asdict(then), **asdict(start.network)}
    ours = {**asdict(recipe), **asdict(network)}
    for name, value in ours.items():
        if theirs[name] != value:
            raise InputError(
                f"the checkpoint is of another run: its {name.replace('_', ' ')} is "
                f"{_as_given(name, theirs[name])}, here {_as_given(name, value)}"
            )
    if start.data != data:
        raise InputError("the checkpoint is of another run: it has other training samples")
    # The format follows from what was compared above, so it differs only between versions.
    if start.update_frac != update_frac:
        raise InputError(
            "the checkpoint is of a version of dualgate with other number formats; train again"
        )


def check_progress(start: Checkpoint, epochs: int, samples: int, has_classes: bool) -> None:
    """Raise `InputError` unless a checkpoint can be of a run of so many epochs and samples.

    Parameters
    ----------
    start : Checkpoint
    epochs : int
        Of the run that goes on.
    samples : int
        Samples in an epoch.
    has_classes : bool
        Whether these samples have classes.
    """
    batches, batch = start.recipe.batches(samples), start.batch
    # After the last batch of an epoch all that is left of it is to measure.
    if not 0 <= batch <= batches:
        raise InputError(
            f"the checkpoint is of another run: it is {batch} batches into an epoch, which has "
            f"{batches} here"
        )
    each, longer = divmod(samples, batches)  # as `chance.epoch_batches` parts them
    trained = batch * each + min(batch, longer)
    if not 0 <= start.tally.right <= (trained if has_classes else 0):
        raise InputError(
            f"the checkpoint is of another run: of {trained} samples it predicted "
            f"{start.tally.right} correctly"
        )
    begun = start.epoch + (batch > 0)
    if begun > epochs:
        raise InputError(f"the checkpoint has begun {begun} epochs; ask for as many, or for more")


def _as_given(name: str, value: object) -> str:
    """Write the value of a setting as the user gives it."""
    return prune_name(value) if name == "prune" and isinstance(value, int) else str(value)
