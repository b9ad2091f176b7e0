# SPDX-License-Identifier: BSD-2-Clause

"""Tangents in the golden model: the tags of hidden units are carried to the outputs and pruned."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dualgate.contract.engine import EngineParameters
from dualgate.contract.formats import UNIT_FRAC, VALUE_WIDTH, WEIGHT_FRAC
from dualgate.contract.network import Network
from dualgate.contract.settings import PRUNE_OFF, Settings
from dualgate.cycles.chunks import Chunks

from .exact import Bools, Floats, Pass, Tally, exact, narrow

DELTA_SHIFT_MIN = -VALUE_WIDTH
DELTA_SHIFT_MAX = 47


@dataclass(frozen=True)
class Entered:
    """The tangents of a layer's tags in a later layer that they have entered, before pruning.

    Parameters
    ----------
    mantissas : (units, samples, tags)
        After the slopes in a hidden layer, before the contraction in the output layer.
    frac : (samples, tags)
        Their fraction bits.
    """

    mantissas: Floats
    frac: Floats


def normalise(sums: Floats) -> tuple[Floats, Floats]:
    """Convert sums to block floating point, with the smallest shift that fits 16 bits.

    Parameters
    ----------
    sums : (n, ...)

    Returns
    -------
    mantissas : (n, ...), floored
    shift : (...)
    """
    magnitude = np.maximum(sums.max(axis=0), -1.0 - sums.min(axis=0))
    shift = np.maximum(np.frexp(magnitude)[1] - (VALUE_WIDTH - 1), 0)
    scale = np.exp2(-shift.astype(np.float64))
    return np.floor(sums * scale), shift.astype(np.float64)


def prune(mantissas: Floats, setting: int, tally: Tally) -> Floats:
    """Set entries far below the largest of their vector to zero, and count nonzero entries.

    Vectors are along the first axis. An entry m is kept if ``|m| * 2**p >= 2**b``, where b is the
    bit length of the largest magnitude, so that the largest entry is always kept. A p of
    `PRUNE_OFF` keeps all.
    """
    nonzero = kept = int(np.count_nonzero(mantissas != 0))
    if setting != PRUNE_OFF:
        magnitude = np.abs(mantissas)
        bits = np.frexp(magnitude.max(axis=0))[1].astype(np.float64)
        # The threshold is above zero, so kept entries are nonzero.
        keep = magnitude >= np.exp2(bits - setting)
        mantissas = mantissas * keep
        kept = int(np.count_nonzero(keep))
    tally.kept += kept
    tally.dropped += nonzero - kept
    return mantissas


def _alive(
    sums: Floats, groups: int, chunks: Chunks | None, tally: Tally, seen: list[Bools] | None
) -> None:
    """Count the rows of vectors with a nonzero sum, and append a mask of these to `seen`."""
    alive: Bools = np.any(sums != 0, axis=0)
    tally.scale_rows += int(np.count_nonzero(chunks.any(alive) if chunks else alive)) * groups
    if seen is not None:
        seen.append(alive)


def tag_updates(
    network: Network,
    weights: Sequence[Floats],
    settings: Settings,
    done: Pass,
    update: Floats,
    tag_layer: int,
    engine: EngineParameters,
    tally: Tally,
    seen: list[Bools] | None = None,
    entered: list[Entered] | None = None,
) -> Floats:
    """Compute the update scalars of a hidden layer, whose units are tags carried to the outputs.

    Parameters
    ----------
    tag_layer : int
        Index of the layer whose units are the tags.
    update : (samples, outputs)
        From `golden.output_updates`.
    seen : list
        Receives masks of nonzero numbers. For each layer that the tags enter, in order: the tags
        with a nonzero sum, (samples, tags); then, except for the last layer, the kept entries,
        (samples, tags, units).
    entered : list
        Receives the tangents in each layer that the tags enter, in order.

    Returns
    -------
    (samples, units of the tag layer); zero for a frozen layer, whose tags have no seeds.
    """
    layers = network.layers
    seed = done.slopes[tag_layer]
    if layers[tag_layer].frozen:
        seed = np.zeros_like(seed)
    samples, tags = seed.shape
    frac = np.full((samples, tags), float(layers[tag_layer].activation.slope_frac))
    following = layers[tag_layer + 1]
    seeded = seed != 0
    tally.tangent_rows += int(np.count_nonzero(seeded)) * engine.groups_of(following)
    # Only the count of rows depends on the grouping of tags in chunks.
    chunks = (
        Chunks(seeded, engine.neurons, engine.tangent_lanes) if engine.tangent_lanes > 1 else None
    )
    # Vectors are along the first axis, for which numpy reduces fastest.
    sums = np.multiply(weights[tag_layer + 1][:-1].T[:, None, :], seed, order="C")
    for index in range(tag_layer + 1, len(layers) - 1):
        layer = layers[index]
        _alive(sums, engine.groups_of(layer), chunks, tally, seen)
        mantissas, shift = normalise(sums)
        mantissas *= done.slopes[index].T[:, :, None]
        mantissas = np.floor(mantissas * 2.0**-UNIT_FRAC + 0.5)
        frac += WEIGHT_FRAC - shift + layer.activation.slope_frac - UNIT_FRAC
        if entered is not None:
            entered.append(Entered(mantissas, frac.copy()))
        before = tally.kept
        mantissas = prune(mantissas, settings.prune, tally)
        kept = np.moveaxis(mantissas, 0, -1) != 0
        if seen is not None:
            seen.append(kept)
        rows = int(np.count_nonzero(chunks.any(kept))) if chunks else tally.kept - before
        tally.tangent_rows += rows * engine.groups_of(layers[index + 1])
        exact(layer.outputs)
        flat = weights[index + 1][:-1].T @ mantissas.reshape(len(mantissas), -1)
        sums = flat.reshape(-1, samples, tags)
    _alive(sums, engine.groups_of(layers[-1]), chunks, tally, seen)
    mantissas, shift = normalise(sums)
    frac += WEIGHT_FRAC - shift
    if entered is not None:
        entered.append(Entered(mantissas, frac))
    exact(layers[-1].outputs)
    delta = np.sum(mantissas * update.T[:, :, None], axis=0)
    down = np.clip(frac, DELTA_SHIFT_MIN, DELTA_SHIFT_MAX)
    return narrow(delta, down, tally, "saturated_updates")
