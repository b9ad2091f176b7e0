# SPDX-License-Identifier: BSD-2-Clause

"""Tables split in two memories.

Where block RAMs are small, a coarse and a fine table take fewer of them than one wide table.
"""

from amaranth import Module
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.activations import TABLE_BITS

from ..common.shapes import VALUE

FINE_BITS = 3
"""Binary logarithm of the number of entries that share a coarse entry."""


def split(table: tuple[int, ...]) -> tuple[list[int], list[int]]:
    """Split a table in coarse entries and small differences from them.

    Parameters
    ----------
    table : tuple of int
        Entries that only rise or only fall.

    Returns
    -------
    coarse : list of int
        Every eighth entry.
    fine : list of int
        For each entry the absolute difference from its coarse entry, which is added where the table
        rises and subtracted where it falls.
    """
    coarse = list(table[:: 1 << FINE_BITS])
    return coarse, [abs(entry - coarse[at >> FINE_BITS]) for at, entry in enumerate(table)]


class SplitTable(wiring.Component):
    """A read-only table of 2**TABLE_BITS entries with a latency of two cycles.

    Parameters
    ----------
    entries : tuple of int
        Entries of 16 bits that only rise or only fall.

    Members
    -------
    `index` : In(TABLE_BITS)
        Index of an entry.
    `entry` : Out(VALUE)
        The entry at `index` as it was two cycles before.
    """

    def __init__(self, entries: tuple[int, ...]) -> None:
        self.entries = entries
        super().__init__({"index": In(TABLE_BITS), "entry": Out(VALUE)})
        self._coarse, self._fine = (
            memory.Memory(shape=max(part).bit_length(), depth=len(part), init=part)
            for part in split(entries)
        )
        self._coarse_read, self._fine_read = self._coarse.read_port(), self._fine.read_port()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.coarse, m.submodules.fine = self._coarse, self._fine
        coarse, fine = self._coarse_read, self._fine_read
        m.d.comb += [coarse.addr.eq(self.index[FINE_BITS:]), fine.addr.eq(self.index)]
        falls = self.entries[0] > self.entries[-1]
        m.d.sync += self.entry.eq(coarse.data - fine.data if falls else coarse.data + fine.data)
        return m
