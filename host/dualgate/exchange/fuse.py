# SPDX-License-Identifier: BSD-2-Clause

"""Fusion of scalings, such as batch normalisation, with the weights beside them."""

from collections.abc import Iterable

import numpy as np

from ..contract.errors import InputError
from .steps import Activate, Dense, ReadStep, Scale, Step


def fuse(steps: Iterable[ReadStep]) -> list[Step]:
    """Make every scaling part of the weights before it or, if there are none, after it.

    Parameters
    ----------
    steps : iterable of ReadStep
        A scaling stands beside a dense layer; dropout may stand between.

    Returns
    -------
    list of Step
        The same function in evaluation, without `Scale`.

    Raises
    ------
    InputError
        For a scaling without a dense layer beside it.
    """
    result: list[Step] = []
    waiting: Scale | None = None
    for position, step in enumerate(steps, 1):
        if isinstance(step, Scale):
            if waiting is None and result and isinstance(result[-1], Dense):
                result[-1] = _after(result[-1], step)
            else:
                waiting = step if waiting is None else _both(waiting, step)
        elif isinstance(step, Dense):
            result.append(step if waiting is None else _before(waiting, step, position))
            waiting = None
        elif isinstance(step, Activate) and waiting is not None:
            raise InputError(
                f"step {position}, {step}, follows a scaling that follows no linear layer; it is "
                "not supported"
            )
        else:
            result.append(step)
    if waiting is not None:
        raise InputError("the outputs are scaled after their activation; leave the scaling out")
    return result


def _both(one: Scale, other: Scale) -> Scale:
    factor = np.asarray(other.factor)
    return Scale(
        np.asarray(one.factor) * factor, np.asarray(one.offset) * factor + np.asarray(other.offset)
    )


def _after(dense: Dense, scale: Scale) -> Dense:
    w = dense.weights
    factor = np.asarray(scale.factor)
    return Dense.of(w[:-1] * factor, w[-1] * factor + np.asarray(scale.offset))


def _before(scale: Scale, dense: Dense, position: int) -> Dense:
    w = dense.weights
    size = len(w) - 1
    factor, offset = np.asarray(scale.factor), np.asarray(scale.offset)
    if not {factor.size, offset.size} <= {1, size}:
        raise InputError(
            f"step {position} takes {size} values, and the scaling before it gives "
            f"{max(factor.size, offset.size)}; match them"
        )
    inputs = np.broadcast_to(factor.reshape(-1), size)[:, None]
    return Dense.of(w[:-1] * inputs, w[-1] + np.broadcast_to(offset.reshape(-1), size) @ w[:-1])
