# SPDX-License-Identifier: BSD-2-Clause

"""Sites for block RAMs and multipliers, for designs that use nearly all of a part's.

nextpnr's static placer moves blocks to sites late and one after the other: in that step the nets of
a ULX3S-85F grew by a factor of 2.5. Here blocks have sites from the first round on. Between rounds
nets draw all nodes together, and each node is held with growing strength to the place that it last
had for itself (SimPL: Kim, Lee and Markov, IEEE TCAD 2012). nextpnr then places everything else
around the blocks.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from .netgraph import Cells, Floats, Graph, Ints, read_graph
from .quadratic import embed, in_order, settle, spread, wire_length
from .sites import Floor, Site, read_floor

ROUNDS = 90

PULL, GROWTH = 0.02, 1.06
"""The anchors' pull in the first round, and its growth from each round to the next."""


def place_blocks(cells: Cells, part: str) -> int:
    """Give each block of a netlist the attribute that tells nextpnr its site.

    Parameters
    ----------
    cells : dict
        The cells of a flat netlist, as yosys writes it; changed.
    part : str
        For example ``LFE5U-85F``; it must have a site for each block.

    Returns
    -------
    int
        Number of blocks.
    """
    sites = choose_sites(read_graph(cells), read_floor(part))
    for name, site in sites.items():
        cells[name]["attributes"]["BEL"] = site.bel
    return len(sites)


def choose_sites(graph: Graph, floor: Floor) -> dict[str, Site]:
    """Return each block's site, by the cell's name, from the round with the shortest nets."""
    placement = Placement(graph, floor)
    shortest, best = np.inf, dict[str, Site]()
    for turn in range(ROUNDS):
        length, sites = placement.turn(PULL * GROWTH**turn)
        if length < shortest:
            shortest, best = length, sites
    return best


@dataclass
class Placement:
    """Places of all nodes on a part.

    Parameters
    ----------
    graph : Graph
    floor : Floor
    """

    graph: Graph
    floor: Floor
    x: Floats = field(init=False)
    y: Floats = field(init=False)

    def __post_init__(self) -> None:
        x, y = embed(self.graph)
        self.x, self.y = x * self.floor.width, y * self.floor.height
        self._logic = np.flatnonzero(self.graph.areas)
        # A block's anchor is as strong as its nets; other nodes have weak ones.
        self._held = np.maximum(self.graph.pins, 1).astype(np.float64)
        self._held[self._logic] = 1

    def turn(self, pull: float) -> tuple[float, dict[str, Site]]:
        """Give every node a place and draw all together; return the nets' tiles and the sites."""
        size = float(self.floor.width), float(self.floor.height)
        x, y = spread(self.graph.areas, self._logic, self.x, self.y, size)
        # Once spread, nodes of a net are farther apart than they will be.
        sites = self._assign((self.x + x) / 2, (self.y + y) / 2)
        for found in self.graph.blocks.values():
            for name, node in found.items():
                x[node], y[node] = sites[name].x, sites[name].y
        self.x = settle(self.graph, self.x, x, pull * self._held)
        self.y = settle(self.graph, self.y, y, pull * self._held)
        return wire_length(self.graph, x) + wire_length(self.graph, y), sites

    def _assign(self, x: Floats, y: Floats) -> dict[str, Site]:
        """Return the sites with the shortest nets, if each block were the only one to move."""
        result: dict[str, Site] = {}
        for kind, found in self.graph.blocks.items():
            sites = self.floor.sites[kind]
            nodes = np.array(list(found.values()), dtype=np.int64)
            columns = np.array([site.x for site in sites], dtype=np.float64)
            rows = np.array([site.y for site in sites], dtype=np.float64)
            lengths = detours(self.graph, nodes, x, columns) + detours(self.graph, nodes, y, rows)
            chosen = linear_sum_assignment(lengths)[1]
            result |= {name: sites[site] for name, site in zip(found, chosen, strict=True)}
        return result


def detours(graph: Graph, blocks: Ints, at: Floats, sites: Floats) -> Floats:
    """Return the length that each block adds to its nets at each site, while no other node moves.

    Parameters
    ----------
    graph : Graph
    blocks : (b,) array
        The blocks' nodes.
    at : (nodes,) array
        Places of all nodes in one direction, tiles.
    sites : (s,) array

    Returns
    -------
    (b, s) array
        Tiles.
    """
    nodes = in_order(graph, at)
    lowest, highest = graph.first, graph.first + graph.counts - 1
    result = np.zeros((len(blocks), len(sites)))
    for row, block in zip(result, blocks, strict=True):
        nets = graph.nets_of[block]
        # The outermost of the other nodes.
        low = nodes[lowest[nets] + (nodes[lowest[nets]] == block)]
        high = nodes[highest[nets] - (nodes[highest[nets]] == block)]
        below = np.maximum(at[low][:, np.newaxis] - sites, 0)
        row += (below + np.maximum(sites - at[high][:, np.newaxis], 0)).sum(axis=0)
    return result
