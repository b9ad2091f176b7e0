# SPDX-License-Identifier: BSD-2-Clause

"""The inner loops of forward mode, and their implementation in numpy.

Tangents are arrays (tags, units, samples): every tag's vector, for every sample. Samples are the
last axis because there are many, and the processor's vector instructions treat them all alike.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Kernels:
    """One implementation of the inner loops.

    Parameters
    ----------
    name : str
    cross : callable
        (tangents (tags, n, samples), seeds (n, samples) or None, weights (n, m)) -> sums of the
        tangents at the next layer, (tags, m, samples). The seeds follow as n further tags.
    meet : callable
        (tangents, seeds, weights, error (m, samples)) -> the sums of `cross` times the error,
        added up over the m outputs, (tags, samples). The sums of seeds need not be stored.
    drop_small : callable
        (tangents, p): set the tangents that `RelativePerTag` drops to zero, in place.
    drop_lowest : callable
        (tangents, keys of the same shape, count): for each unit keep the `count` tags with the
        highest keys, the first ones among equal keys, and set the others to zero, in place.
    """

    name: str
    cross: Callable[[Floats, Floats | None, Floats], Floats]
    meet: Callable[[Floats, Floats | None, Floats, Floats], Floats]
    drop_small: Callable[[Floats, int], None]
    drop_lowest: Callable[[Floats, Floats, int], None]


def _cross(tangents: Floats, seeds: Floats | None, weights: Floats) -> Floats:
    sums: Floats = np.matmul(weights.T, tangents)
    if seeds is None:
        return sums
    return np.concatenate((sums, seeds[:, None] * weights[:, :, None]))


def meet_tangents(tangents: Floats, weights: Floats, error: Floats) -> Floats:
    """`Kernels.meet` without seeds; arguments as in `Kernels`."""
    return np.asarray(np.einsum("tqs,qs->ts", np.matmul(weights.T, tangents), error))


def _meet(tangents: Floats, seeds: Floats | None, weights: Floats, error: Floats) -> Floats:
    deltas = meet_tangents(tangents, weights, error)
    if seeds is None:
        return deltas
    return np.concatenate((deltas, np.einsum("us,uq,qs->us", seeds, weights, error)))


def _drop_small(tangents: Floats, setting: int) -> None:
    magnitude = np.abs(tangents)
    largest = magnitude.max(axis=1, keepdims=True)
    least = np.ldexp(tangents.dtype.type(1), np.frexp(largest)[1] - setting)
    tangents *= magnitude >= least


def _drop_lowest(tangents: Floats, keys: Floats, count: int) -> None:
    order = np.argsort(-keys, axis=0, kind="stable")
    np.put_along_axis(tangents, order[count:], 0, axis=0)


NUMPY = Kernels("numpy", _cross, _meet, _drop_small, _drop_lowest)
