# SPDX-License-Identifier: BSD-2-Clause

"""The kernels of forward mode, compiled by numba, which is optional.

The product of tangents and weights is left to numpy, whose matrix product is faster than any loop.
Compiled are the operations for which numpy makes several passes over the tangents. Inner loops run
over samples without branches, so that the compiler can use vector instructions.
"""

import math
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import MissingToolError
from .kernels import Kernels, meet_tangents

Floats = NDArray[np.floating[Any]]


def _cross_seeds(seeds: Floats, weights: Floats, sums: Floats) -> None:
    n, samples = seeds.shape
    for unit in range(n):
        seed = seeds[unit]
        for q in range(sums.shape[1]):
            total, w = sums[unit, q], weights[unit, q]
            for sample in range(samples):
                total[sample] = seed[sample] * w


def _meet_seeds(seeds: Floats, weights: Floats, error: Floats, deltas: Floats) -> None:
    n, samples = seeds.shape
    for unit in range(n):
        seed, delta = seeds[unit], deltas[unit]
        delta[:] = 0
        for q in range(len(error)):
            w, e = weights[unit, q], error[q]
            for sample in range(samples):
                delta[sample] += seed[sample] * w * e[sample]


def _drop_small(tangents: Floats, setting: int) -> None:
    tags, n, samples = tangents.shape
    least = np.empty(samples, tangents.dtype)
    for tag in range(tags):
        least[:] = 0
        for unit in range(n):
            tangent = tangents[tag, unit]
            for sample in range(samples):
                least[sample] = max(least[sample], abs(tangent[sample]))
        for sample in range(samples):  # until here, `least` is the largest
            least[sample] = math.ldexp(1.0, math.frexp(least[sample])[1] - setting)
        for unit in range(n):
            tangent = tangents[tag, unit]
            for sample in range(samples):
                tangent[sample] = tangent[sample] if abs(tangent[sample]) >= least[sample] else 0


def _drop_lowest(tangents: Floats, keys: Floats, count: int) -> None:
    tags, n, samples = tangents.shape
    best = np.empty((count, samples), keys.dtype)
    fallen = np.empty(samples, keys.dtype)
    room = np.empty(samples, np.int64)
    for unit in range(n):
        best[:] = -1  # keys are 0 or more
        for tag in range(tags):  # insert into the sorted best ones
            fallen[:] = keys[tag, unit]
            for place in range(count):
                row = best[place]
                for sample in range(samples):
                    here, new = row[sample], fallen[sample]
                    row[sample], fallen[sample] = max(here, new), min(here, new)
        least = best[count - 1]
        room[:] = count  # for keys equal to the least
        for tag in range(tags):
            key = keys[tag, unit]
            for sample in range(samples):
                room[sample] -= key[sample] > least[sample]
        for tag in range(tags):
            key, tangent = keys[tag, unit], tangents[tag, unit]
            for sample in range(samples):
                tie = key[sample] == least[sample] and room[sample] > 0
                room[sample] -= tie
                tangent[sample] = tangent[sample] if tie or key[sample] > least[sample] else 0


@cache
def numba_kernels() -> Kernels:
    """Make the kernels; each is compiled at its first call with a precision.

    Raises
    ------
    MissingToolError
        If numba is not installed.
    """
    try:
        import numba
    except ImportError:
        raise MissingToolError("numba is not installed; pip install dualgate[numba]") from None
    njit: Any = numba.njit
    cross_seeds, meet_seeds = njit(_cross_seeds), njit(_meet_seeds)

    def cross(tangents: Floats, seeds: Floats | None, weights: Floats) -> Floats:
        if seeds is None:
            return np.asarray(np.matmul(weights.T, tangents))
        tags, n, samples = tangents.shape
        sums = np.empty((tags + n, weights.shape[1], samples), weights.dtype)
        np.matmul(weights.T, tangents, out=sums[:tags])
        cross_seeds(seeds, weights, sums[tags:])
        return sums

    def meet(tangents: Floats, seeds: Floats | None, weights: Floats, error: Floats) -> Floats:
        deltas = meet_tangents(tangents, weights, error)
        if seeds is None:
            return deltas
        new = np.empty_like(seeds)
        meet_seeds(seeds, weights, error, new)
        return np.concatenate((deltas, new))

    return Kernels("numba", cross, meet, njit(_drop_small), njit(_drop_lowest))
