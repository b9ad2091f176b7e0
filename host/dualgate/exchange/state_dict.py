# SPDX-License-Identifier: BSD-2-Clause

"""State dicts: the weights of linear layers by name, and the order of the layers."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from .model import Model
from .names import shown
from .steps import Activate, Dense, Step

Arrays = Mapping[str, NDArray[Any]]

MOST_STEPS = 10_000
"""Most places that are tried in the search for orders that fit."""

SUFFIX = re.compile(r"(?:^|\.)(?:weight|bias)$")


def layers(arrays: Arrays, hidden: Sequence[str]) -> Iterable[Step]:
    """Make the steps of a state dict.

    Parameters
    ----------
    arrays : mapping of str to array
        Each layer ``L`` has a matrix ``L.weight`` (outputs, inputs) and, perhaps, ``L.bias``.
        `in_order` says how the layers follow each other.
    hidden : sequence of str
        Activations between the layers, one for all or one for each.

    Raises
    ------
    InputError
        For other arrays, or layers in no clear order.
    """
    names = [SUFFIX.sub("", name) for name in arrays if name.split(".")[-1] == "weight"]
    known = {_part(name, part) for name in names for part in ("weight", "bias")}
    unknown = sorted(set(arrays) - known)
    if unknown or not names or any(arrays[_part(name, "weight")].ndim != 2 for name in names):
        raise InputError(
            f"{shown(unknown[0]) if unknown else 'one of its weights'} is not of a linear layer; "
            "give a matrix NAME.weight and a vector NAME.bias for each, or read the module itself "
            "by from_torch"
        )
    between = list(hidden) * (len(names) - 1) if len(hidden) == 1 else list(hidden)
    if len(between) != len(names) - 1:
        raise InputError(
            f"{len(between)} activations for {len(names) - 1} hidden layers; give one for all or "
            "one for each"
        )
    shapes = {name: arrays[_part(name, "weight")].shape[::-1] for name in names}
    for index, name in enumerate(in_order(shapes)):
        if index:
            yield Activate(between[index - 1])
        yield _dense(arrays, name)


def state_dict(model: Model) -> dict[str, NDArray[np.float32]]:
    """Return the weights of a `model` as the state dict of the sequence that `to_torch` makes."""
    result = {}
    for index, step in enumerate(model.steps()):
        if isinstance(step, Dense):
            w = step.weights.astype(np.float32)
            result[f"{index}.weight"] = np.ascontiguousarray(w[:-1].T)
            result[f"{index}.bias"] = w[-1].copy()
    return result


def in_order(shapes: Mapping[str, tuple[int, ...]]) -> list[str]:
    """Return names of layers in the order in which the network has them.

    Names that differ in numbers alone follow these. If that leaves a choice, the sizes decide; the
    order in the file does not, because it is that of the alphabet or of the definition.

    Parameters
    ----------
    shapes : mapping of str to (inputs, outputs)

    Raises
    ------
    InputError
        When no order fits, or more than one.
    """
    groups: dict[str, list[str]] = {}
    for name in sorted(shapes, key=_numbers):
        groups.setdefault(re.sub("[0-9]+", "#", name), []).append(name)
    if len(groups) == 1:
        return next(iter(groups.values()))
    budget = iter(range(MOST_STEPS))
    found = list(islice(_orders(shapes, list(groups.values()), None, budget), 2))
    if len(found) == 1 and next(budget, None) is not None:
        return found[0]
    several = "several orders" if found else "no order"
    raise InputError(
        f"{several} of the layers {shown(', '.join(sorted(shapes)))} fit; rename them to 0.weight, "
        "0.bias, 1.weight, ... in the order of the network"
    )


def _orders(
    shapes: Mapping[str, tuple[int, ...]],
    queues: list[list[str]],
    size: int | None,
    budget: Iterator[int],
) -> Iterator[list[str]]:
    """Find the orders that take the first of a queue each time, and whose sizes match."""
    if not any(queues):
        yield []
    for index, queue in enumerate(queues):
        if not queue or size not in (None, shapes[queue[0]][0]) or next(budget, None) is None:
            continue
        rest = [*queues[:index], queue[1:], *queues[index + 1 :]]
        for order in _orders(shapes, rest, shapes[queue[0]][1], budget):
            yield [queue[0], *order]


def _numbers(name: str) -> list[tuple[int, str]]:
    """Return a key that sorts ``layers.10`` after ``layers.9``, whatever their length."""
    parts = (part.lstrip("0") for part in re.findall("[0-9]+", name))
    return [(len(part), part) for part in parts]


def _part(name: str, part: str) -> str:
    return f"{name}.{part}" if name else part


def _dense(arrays: Arrays, name: str) -> Dense:
    weight = arrays[_part(name, "weight")]
    bias = arrays.get(_part(name, "bias"), np.zeros(()))
    if weight.dtype.kind not in "fiu" or bias.dtype.kind not in "fiu":
        raise InputError(f"{shown(name)} does not hold real numbers; give float32")
    if bias.shape not in ((), weight.shape[:1]):
        raise InputError(
            f"{shown(name)}.bias has shape {bias.shape}; {shown(name)}.weight needs one number each"
        )
    # A damaged NaN makes numpy warn; what is not finite is refused where the weights are checked.
    with np.errstate(invalid="ignore"):
        matrix, added = (np.asarray(array).astype(np.float64) for array in (weight, bias))
    return Dense.of(matrix.T, added)
