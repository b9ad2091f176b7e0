# SPDX-License-Identifier: BSD-2-Clause

"""A netlist of an ECP5 as a graph: nodes are cells that stay together, edges their nets."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dualgate_hw.build.families import FAMILIES

from .sites import BLOCK_RAM, MULTIPLIER

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

Cells = dict[str, dict[str, Any]]
"""By name, as yosys writes them."""

ECP5 = FAMILIES["ecp5"]

AREAS = dict.fromkeys(ECP5.luts, 1.0) | ECP5.weights | dict.fromkeys(ECP5.flip_flops, 0.3)
"""Areas of cells that are made of LUTs, in LUTs. Most flip-flops share a place with a LUT."""

BLOCKS = dict.fromkeys(ECP5.block_rams, BLOCK_RAM) | dict.fromkeys(ECP5.multipliers, MULTIPLIER)

WIDEST = 2000
"""Number of nodes above which a net does not influence their places, such as clock and reset."""


@dataclass(frozen=True)
class Graph:
    """Nodes and nets; a net connects two or more nodes.

    Parameters
    ----------
    areas : (nodes,) array
        In LUTs; 0 for a block.
    nets, nodes : (pins,) arrays
        Net and node of each pin, ordered by nets. A net has at most one pin at a node.
    counts, first : (nets,) arrays
        Number of pins of each net, and index of its first pin.
    blocks : dict
        For each kind of block, the node of each cell by its name.
    """

    areas: Floats
    nets: Ints
    nodes: Ints
    counts: Ints
    first: Ints
    blocks: dict[str, dict[str, int]]

    @classmethod
    def of(
        cls, nets: Sequence[list[int]], areas: Floats, blocks: dict[str, dict[str, int]]
    ) -> "Graph":
        """Make a graph from the nodes of each net; the other parameters are those of the class."""
        counts = np.array([len(net) for net in nets], dtype=np.int64)
        return cls(
            areas,
            np.repeat(np.arange(len(nets)), counts),
            np.array([node for net in nets for node in net], dtype=np.int64),
            counts,
            np.cumsum(counts) - counts,
            blocks,
        )

    @cached_property
    def nets_of(self) -> list[Ints]:
        """Nets of each node."""
        by_node = self.nets[np.argsort(self.nodes, kind="stable")]
        return np.split(by_node, np.cumsum(self.pins)[:-1])

    @property
    def pins(self) -> Ints:
        """Pins of each node."""
        return np.bincount(self.nodes, minlength=len(self.areas))


def read_graph(cells: Cells) -> Graph:
    """Find nodes and nets.

    A carry chain is one node, and so are a LUT and the only flip-flop that takes its result.

    Parameters
    ----------
    cells : dict
        The cells of a flat netlist, as yosys writes it.
    """
    cells = {
        n: cell for n, cell in cells.items() if cell["type"] in AREAS or cell["type"] in BLOCKS
    }
    members, drivers = _nets(cells)
    node = _nodes(cells, members, drivers)
    areas = np.zeros(1 + max(node.values(), default=-1))
    blocks: dict[str, dict[str, int]] = {kind: {} for kind in BLOCKS.values()}
    for name, cell in cells.items():
        if cell["type"] in BLOCKS:
            blocks[BLOCKS[cell["type"]]][name] = node[name]
        else:
            areas[node[name]] += AREAS[cell["type"]]
    nets = [sorted({node[name] for name in names}) for names in members.values()]
    return Graph.of([net for net in nets if 2 <= len(net) <= WIDEST], areas, blocks)


def _pins(cell: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield each port and the number of its net; constants, which are strings, are left out."""
    for port, bits in cell["connections"].items():
        for bit in bits:
            if isinstance(bit, int):
                yield port, bit


def _nets(cells: Cells) -> tuple[dict[int, list[str]], dict[int, str]]:
    """Return the cells on each net, and the cell that drives it."""
    members = defaultdict(list)
    drivers = {}
    for name, cell in cells.items():
        for port, bit in _pins(cell):
            members[bit].append(name)
            if cell["port_directions"][port] == "output":
                drivers[bit] = name
    return members, drivers


def _nodes(
    cells: Cells, members: Mapping[int, list[str]], drivers: Mapping[int, str]
) -> dict[str, int]:
    """Return the node of each cell."""
    leaders = {name: name for name in cells}

    def leader(name: str) -> str:
        while leaders[name] != name:
            leaders[name] = name = leaders[leaders[name]]
        return name

    for name, cell in cells.items():
        for port, bit in _pins(cell):
            driver = drivers.get(bit)
            if driver is None:
                continue
            made = cells[driver]["type"]
            carry = port == "CIN" and made == "CCU2C"
            registered = port == "DI" and made in ("LUT4", "CCU2C") and len(members[bit]) == 2
            if carry or registered:
                leaders[leader(name)] = leader(driver)
    numbers: dict[str, int] = {}
    return {name: numbers.setdefault(leader(name), len(numbers)) for name in cells}
