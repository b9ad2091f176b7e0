# SPDX-License-Identifier: BSD-2-Clause

"""Tables in two parts, which together take fewer block RAMs than one where these are small."""

from amaranth import Module
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.rules import TABLE_BITS

from ..common.shapes import VALUE

FINE_BITS = 3
"""So many entries, a power of two, share a coarse one."""


def split(table: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """Every eighth entry, and how far all are from the one before them, which is a small number.

    Parameters
    ----------
    table : tuple of int
        Entries that only rise, or only fall; in the latter case they are less by that number.
    """
    coarse = list(table[:: 1 << FINE_BITS])
    return coarse, [abs(entry - coarse[at >> FINE_BITS]) for at, entry in enumerate(table)]


class SplitTable(wiring.Component):
    """A table of `TABLE_BITS`. Two cycles of latency.

    Parameters
    ----------
    entries : tuple of int
        As in `split`, of 16 bits.

    Members
    -------
    index, entry : where, and what is there
    """

    def __init__(self, entries: tuple[int, ...]) -> None:
        self.entries = entries
        super().__init__({"index": In(TABLE_BITS), "entry": Out(VALUE)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        found = []
        for name, part, at in zip(
            ("coarse", "fine"),
            split(self.entries),
            (self.index[FINE_BITS:], self.index),
            strict=True,
        ):
            m.submodules[name] = rom = memory.Memory(
                shape=max(part).bit_length(), depth=len(part), init=part
            )
            read = rom.read_port()
            m.d.comb += read.addr.eq(at)
            found.append(read.data)
        coarse, fine = found
        falls = self.entries[0] > self.entries[-1]
        m.d.sync += self.entry.eq(coarse - fine if falls else coarse + fine)
        return m
