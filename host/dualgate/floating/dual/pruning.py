# SPDX-License-Identifier: BSD-2-Clause

"""Dynamic pruning of the tangents of `Dual` numbers.

A policy is called with the numbers of a layer and returns them with fewer tangents; values never
change. Policies *per number* let the tags of one number compete, as the hypothesis was first put;
`RelativePerTag` lets the numbers of the layer compete for each tag, as the engine does, so that no
tag is lost altogether.
"""

import math
import random
from collections.abc import Callable, Hashable, Sequence

from ...contract.settings import PRUNE_OFF, checked_prune
from ..pruning import check_count
from .number import Dual

Policy = Callable[[Sequence[Dual]], list[Dual]]


def keep_all(layer: Sequence[Dual]) -> list[Dual]:
    """Keep all tangents, so that the gradient is exact."""
    return list(layer)


class LargestPerNumber:
    """Keep the `count` largest tangents of each number; among equal ones, the oldest tags.

    Raises
    ------
    InputError
        For a count below 1.
    """

    def __init__(self, count: int) -> None:
        check_count(count)
        self._count = count

    def __call__(self, layer: Sequence[Dual]) -> list[Dual]:
        """Prune a layer."""
        return [self._prune(number) for number in layer]

    def _prune(self, number: Dual) -> Dual:
        ranked = sorted(number.tangents.items(), key=lambda item: -abs(item[1]))
        return Dual(number.value, dict(ranked[: self._count]))


class RandomPerNumber:
    """Keep `count` random nonzero tangents of each number, as a baseline for other policies.

    Parameters
    ----------
    count : int
    seed : int

    Raises
    ------
    InputError
        For a count below 1.
    """

    def __init__(self, count: int, seed: int = 0) -> None:
        check_count(count)
        self._count = count
        self._random = random.Random(seed)

    def __call__(self, layer: Sequence[Dual]) -> list[Dual]:
        """Prune a layer."""
        return [self._prune(number) for number in layer]

    def _prune(self, number: Dual) -> Dual:
        tags = [tag for tag, tangent in number.tangents.items() if tangent]
        kept = self._random.sample(tags, min(self._count, len(tags)))
        return Dual(number.value, {tag: number.tangents[tag] for tag in kept})


class RelativePerTag:
    """Drop tangents far below the largest of their tag in the layer, by the engine's rule.

    Parameters
    ----------
    setting : int
        p: with ``2**(e - 1) <= largest < 2**e``, a tangent below ``2**(e - p)`` is dropped.
        `PRUNE_OFF` keeps all; `parse_prune` reads names such as ``1/4``.

    Raises
    ------
    InputError
        For a setting out of 1 to `PRUNE_OFF`.
    """

    def __init__(self, setting: int) -> None:
        self._setting = checked_prune(setting)

    def __call__(self, layer: Sequence[Dual]) -> list[Dual]:
        """Prune a layer."""
        if self._setting == PRUNE_OFF:
            return list(layer)
        largest: dict[Hashable, float] = {}
        for number in layer:
            for tag, tangent in number.tangents.items():
                largest[tag] = max(largest.get(tag, 0.0), abs(tangent))
        least = {tag: self._threshold(most) for tag, most in largest.items()}
        return [
            Dual(n.value, {tag: t for tag, t in n.tangents.items() if t and abs(t) >= least[tag]})
            for n in layer
        ]

    def _threshold(self, largest: float) -> float:
        return math.ldexp(1.0, math.frexp(largest)[1] - self._setting)
