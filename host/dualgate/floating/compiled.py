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
Whole = NDArray[np.signedinteger[Any]]


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


def _drop_small(tangents: Floats, bits: Whole, least: Floats, least_bits: Whole, p: int) -> None:
    """Drop as `Kernels.drop_small`; `bits` are the bytes of `tangents`, as integers.

    Numbers that are not negative have the order of their bytes, and without its mantissa a number
    is the power of two at or below it. That takes vector instructions; functions of the library for
    it would be calls.
    """
    tags, n, samples = tangents.shape
    mantissa = bits.dtype.type((1 << (23 if bits.itemsize == 4 else 52)) - 1)
    magnitude = bits.dtype.type((1 << (8 * bits.itemsize - 1)) - 1)
    factor = least.dtype.type(2.0 ** (1 - p))
    for tag in range(tags):
        least_bits[:] = 0
        for unit in range(n):
            row = bits[tag, unit]
            for sample in range(samples):
                least_bits[sample] = max(least_bits[sample], row[sample] & magnitude)
        unusual = 0  # numbers so small that they have no exponent
        for sample in range(samples):
            unusual += 0 < least_bits[sample] <= mantissa
        if unusual:
            for sample in range(samples):
                least[sample] = math.ldexp(1.0, math.frexp(least[sample])[1] - p)
        else:
            for sample in range(samples):
                least_bits[sample] &= ~mantissa
            for sample in range(samples):
                least[sample] *= factor
        for unit in range(n):
            tangent = tangents[tag, unit]
            for sample in range(samples):
                tangent[sample] *= abs(tangent[sample]) >= least[sample]


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
    drop = njit(_drop_small)

    def drop_small(tangents: Floats, setting: int) -> None:
        whole = np.int32 if tangents.itemsize == 4 else np.int64
        least = np.empty(tangents.shape[2], tangents.dtype)
        drop(tangents, tangents.view(whole), least, least.view(whole), setting)

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

    return Kernels("numba", cross, meet, drop_small, njit(_drop_lowest))
