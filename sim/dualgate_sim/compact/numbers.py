# SPDX-License-Identifier: BSD-2-Clause

"""Arithmetic of signed numbers of a fixed width, and types of decoded instructions."""

from collections.abc import Callable

from dualgate.contract.formats import VALUE_WIDTH
from dualgate_hw.compact.instructions import Action, AluOp

Sources = dict[AluOp, Callable[[int], int]]
"""For each operation, a function from an instruction's word of memory to its result."""

Acts = dict[Action, Callable[[int], None]]
"""For each action, a function that uses an instruction's result, a signed number of 17 bits."""

MASK = (1 << VALUE_WIDTH) - 1

_SIGN = 1 << VALUE_WIDTH - 1


def signed(number: int) -> int:
    """Return the lowest 16 bits of a number, as a signed number."""
    return (number + _SIGN & MASK) - _SIGN


def clip(number: int, width: int) -> int:
    """Clip a number to `width` signed bits."""
    limit = 1 << width - 1
    return max(-limit, min(limit - 1, number))


def rounded(number: int, places: int) -> int:
    """Return ``number / 2**places``, halves rounded upwards; `places` may be negative."""
    return number << -places if places <= 0 else (number >> places - 1) + 1 >> 1
