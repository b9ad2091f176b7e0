# SPDX-License-Identifier: BSD-2-Clause

"""All random choices of a run: each follows from the seed, the epoch and the batch.

So a run can stop after any batch and continue from a checkpoint, which stores no generator.
"""

import numpy as np
from numpy.typing import NDArray

from ..contract.network import Network
from ..data.augmentation import shift_images
from ..optim.regularisation import draw_masks
from .recipe import Recipe


def epoch_batches(
    seed: int, epoch: int, samples: int, batches: int, stream: bool = False
) -> list[NDArray[np.intp]]:
    """Draw the order of the samples in an epoch; a stream keeps its own.

    Parameters
    ----------
    seed, epoch : int
    samples, batches : int
        Samples and batches in an epoch.
    stream : bool
        Whether the samples keep their order; see `Samples.parts`.

    Returns
    -------
    list of int array
        Positions of the samples of each batch. The sizes of the batches differ by one at most.
    """
    order = np.arange(samples)
    if not stream:
        order = np.random.default_rng((seed, epoch)).permutation(samples)
    return np.array_split(order, batches)


def draw_shifts(recipe: Recipe, epoch: int, batch: int, x: NDArray[np.int64]) -> NDArray[np.int64]:
    """Shift the images of a batch by random distances.

    Parameters
    ----------
    recipe : Recipe
        Its `shift` is the largest distance.
    epoch, batch : int
    x : int array (samples, inputs)

    Returns
    -------
    int array (samples, inputs)
    """
    if not recipe.shift:
        return x
    return shift_images(x, recipe.shift, np.random.default_rng((recipe.seed, epoch, batch)))


def draw_dropout(
    network: Network, recipe: Recipe, epoch: int, batch: int, samples: int
) -> list[NDArray[np.bool_]] | None:
    """Draw the units that take part in each sample of a batch.

    Parameters
    ----------
    network : Network
    recipe : Recipe
        Its `dropout` is the share of units that is left out.
    epoch, batch : int
    samples : int
        Number of samples in the batch.

    Returns
    -------
    list of bool array (samples, units), one for each hidden layer; None without dropout
    """
    if not recipe.dropout:
        return None
    # The last number separates this stream of random numbers from that of the shifts.
    random = np.random.default_rng((recipe.seed, epoch, batch, 1))
    return draw_masks(network, recipe.dropout, samples, random)
