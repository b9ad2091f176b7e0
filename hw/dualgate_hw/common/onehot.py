# SPDX-License-Identifier: BSD-2-Clause

"""Flags of a word's entries: the lowest alone, where it is and what it chooses.

All of it in the shape of trees, because a path through carries or through one choice after the
other is as long as a word is wide.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_

from amaranth import Cat, Const
from amaranth.hdl import Value

GROUP = 4
"""Flags that are looked at together: inputs of a LUT."""


def _first(flags: Sequence[Value]) -> list[Value]:
    """The first flag alone."""
    alone: list[Value] = []
    before: list[Value] = []
    for start in range(0, len(flags), GROUP):
        group = flags[start : start + GROUP]
        none = ~Cat(before).any()
        alone += [flag & ~Cat(group[:n]).any() & none for n, flag in enumerate(group)]
        before.append(Cat(group).any())
    return alone


def _place(flags: Sequence[Value]) -> Value:
    bits = (len(flags) - 1).bit_length()
    return Cat(
        Cat(flag for n, flag in enumerate(flags) if n >> bit & 1).any() for bit in range(bits)
    )


def isolate_lowest(flags: Value) -> Value:
    """The lowest flag alone; none if there is none."""
    return Cat(_first(list(flags)))


def more_than_one(flags: Value) -> Value:
    """Whether there is more than one flag."""
    some: list[Value] = []
    more: list[Value] = []
    for start in range(0, len(flags), GROUP):
        group = list(flags[start : start + GROUP])
        more += [flag & Cat(group[:n]).any() for n, flag in enumerate(group) if n]
        some.append(Cat(group).any())
    more += [flag & Cat(some[:n]).any() for n, flag in enumerate(some) if n]
    return Cat(more).any()


def onehot_index(flag: Value) -> Value:
    """The place of the only flag; zero without one."""
    return _place(list(flag))


def bit_length(value: Value) -> Value:
    """How many bits `value` takes, as a number."""
    highest = _first(list(value)[::-1])[::-1]
    return _place([Const(0, 1), *highest])


def onehot_mux(flag: Value, words: Iterable[Value]) -> Value:
    """The bits of the only flag's word; zeros without one."""
    bits = [Value.cast(word) for word in words]
    return reduce(or_, (word & flag[n].replicate(len(word)) for n, word in enumerate(bits)))
