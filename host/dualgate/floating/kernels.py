# SPDX-License-Identifier: BSD-2-Clause

"""What forward mode spends its time on, in numpy; `compiled` has the same for numba.

Tangents are arrays (tags, units, samples): every tag's vector, for every sample. Samples come last
because they are many, and all alike to the processor's vector instructions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Kernels:
    """One implementation.

    Parameters
    ----------
    name : str
    cross : callable
        (tangents (tags, n, samples), seeds (n, samples) or None, weights (n, m)) -> their sums at
        the next layer, (tags, m, samples); seeds follow the tags, as n tags more.
    meet : callable
        (tangents, seeds, weights, error (m, samples)) -> the sums of `cross` times the error,
        added up over the m outputs, (tags, samples). The sums of seeds need not be stored.
    drop_small : callable
        (tangents, p): zero what `RelativePerTag` drops, in place.
    drop_lowest : callable
        (tangents, keys of the same shape, count): of each unit keep the `count` tags with the
        highest keys, of equals the first, and zero the others in place.
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

KERNELS = ("numpy", "numba")


def find_kernels(name: str) -> Kernels:
    """Look up an implementation.

    Raises
    ------
    InputError
        For an unknown name; names the choices.
    MissingToolError
        For ``numba`` where it is not installed.
    """
    if name == "numpy":
        return NUMPY
    if name == "numba":
        from .compiled import numba_kernels

        return numba_kernels()
    raise InputError(f"unknown kernels {name!r}; choose {', '.join(KERNELS)}")
