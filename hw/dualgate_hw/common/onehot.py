# SPDX-License-Identifier: BSD-2-Clause

"""Logic on words of flags and on one-hot words: isolate, encode, select.

All functions build trees, because the delay of a carry chain, or of a chain of multiplexers, grows
with the width of the word.
"""

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import or_

from amaranth import Cat, Const
from amaranth.hdl import Value

GROUP = 4
"""Number of flags in a group, that of a LUT's inputs."""


def _first(flags: Sequence[Value]) -> list[Value]:
    """Clear every flag but the first one that is set."""
    alone: list[Value] = []
    before: list[Value] = []
    for start in range(0, len(flags), GROUP):
        group = flags[start : start + GROUP]
        none = ~Cat(before).any()
        alone += [flag & ~Cat(group[:n]).any() & none for n, flag in enumerate(group)]
        before.append(Cat(group).any())
    return alone


def _place(flags: Sequence[Value]) -> Value:
    """Return the position of the only flag that is set."""
    bits = (len(flags) - 1).bit_length()
    return Cat(
        Cat(flag for n, flag in enumerate(flags) if n >> bit & 1).any() for bit in range(bits)
    )


def isolate_lowest(flags: Value) -> Value:
    """Clear every flag but the lowest one that is set; zero stays zero."""
    return Cat(_first(list(flags)))


def more_than_one(flags: Value) -> Value:
    """Return whether more than one flag is set."""
    some: list[Value] = []
    more: list[Value] = []
    for start in range(0, len(flags), GROUP):
        group = list(flags[start : start + GROUP])
        more += [flag & Cat(group[:n]).any() for n, flag in enumerate(group) if n]
        some.append(Cat(group).any())
    more += [flag & Cat(some[:n]).any() for n, flag in enumerate(some) if n]
    return Cat(more).any()


def onehot_index(flag: Value) -> Value:
    """Return the position of the only flag that is set; zero if none is."""
    return _place(list(flag))


def bit_length(value: Value) -> Value:
    """Return the number of bits that an unsigned value takes, as `int.bit_length` does."""
    highest = _first(list(value)[::-1])[::-1]
    return _place([Const(0, 1), *highest])


def onehot_mux(flag: Value, words: Iterable[Value]) -> Value:
    """Select the word of the only flag that is set; zero if none is."""
    bits = [Value.cast(word) for word in words]
    return reduce(or_, (word & flag[n].replicate(len(word)) for n, word in enumerate(bits)))
