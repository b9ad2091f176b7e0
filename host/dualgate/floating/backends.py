# SPDX-License-Identifier: BSD-2-Clause

"""The implementations of the kernels, by name."""

from ..contract.errors import InputError
from .compiled import numba_kernels
from .kernels import NUMPY, Kernels

KERNELS = ("numpy", "numba")


def find_kernels(name: str) -> Kernels:
    """Look up an implementation.

    Raises
    ------
    InputError
        For an unknown name; the message lists the choices.
    MissingToolError
        For ``numba`` if it is not installed.
    """
    if name == "numpy":
        return NUMPY
    if name == "numba":
        return numba_kernels()
    raise InputError(f"unknown kernels {name!r}; choose {', '.join(KERNELS)}")
