# SPDX-License-Identifier: BSD-2-Clause

"""Weights of samples: factors of their losses, from their classes or given for each.

A device has no weights of samples; it has a learning rate. The samples of each weight in a batch
are sent under a rate of their own, see `weight_update.WeightUpdate`.
"""

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.network import Network
from ..data.samples import Samples
from .recipe import LR_MAX, Recipe

Floats = NDArray[np.float64]

LEAST_SHARE = 2.0**-32
"""Smallest weight of a sample beside the heaviest. Update scalars have 16 bits, so those of lighter
samples round to zero in any case; but their rates could not be represented."""


def check_class_weights(network: Network, recipe: Recipe) -> None:
    """Raise `InputError` unless the class weights of a recipe suit the loss of the network.

    Parameters
    ----------
    network : Network
    recipe : Recipe
    """
    weights, objective = recipe.class_weights, network.objective
    if not weights:
        return
    outputs = network.sizes[-1]
    if not objective.classes:
        raise InputError(
            f"class weights do not apply to the loss {objective.name}; use a loss of classes, "
            "such as cce"
        )
    if objective.name == "bce" and outputs > 1:
        # Each output would have the weight of its own target, but the engine applies one rate
        # to all outputs of a sample.
        raise InputError(
            "class weights do not apply to bce with several outputs, which are independent "
            "yes-or-no questions; use cce or a single output"
        )
    needed = max(outputs, 2)
    if len(weights) != needed:
        raise InputError(f"{len(weights)} class weights: give {needed}, one for each class")


def sample_weights(recipe: Recipe, samples: Samples) -> Floats | None:
    """Compute the factor of each sample's loss.

    The weights that the samples have are divided by their mean: multiplied by any number, they
    train the same, with the step sizes of samples without weights. Class weights are a further
    factor.

    Parameters
    ----------
    recipe : Recipe
        Its class weights suit the network; see `check_class_weights`.
    samples : Samples

    Returns
    -------
    float array (samples,), or None if no sample has a weight

    Raises
    ------
    InputError
        For a weight that is too large for the learning rate.
    """
    of_class = None
    if recipe.class_weights and samples.labels is not None:
        of_class = np.asarray(recipe.class_weights)[samples.labels]
    if samples.weight is None:
        return of_class
    relative = samples.weight / samples.weight.mean()
    if recipe.lr * relative.max() > LR_MAX:
        raise InputError(
            f"a sample has {relative.max():g} times the mean weight, too much for learning rate "
            f"{recipe.lr:g}; lower one of them"
        )
    factor = relative if of_class is None else relative * of_class
    return np.asarray(np.maximum(factor, factor.max() * LEAST_SHARE))
