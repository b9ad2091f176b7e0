# SPDX-License-Identifier: BSD-2-Clause

"""Places of a netlist's nodes at which springs, in place of its nets, are at rest.

Each direction is solved by itself. A net pulls with springs between its outermost nodes and all
others, whose strengths are chosen such that their energy is the length of the net (bound to bound:
Spindler, Schlichtmann and Johannes, Kraftwerk2, IEEE TCAD 2008). The sums are numpy's own, because
those of a library of linear algebra differ from processor to processor, and the same netlist must
have the same placement everywhere.
"""

import numpy as np
from scipy.sparse import coo_array, csr_array, diags_array

from .netgraph import Floats, Graph, Ints

NEAR = 1.0
"""Length in tiles below which a spring gets no stronger."""

STEPS, PRECISION = 100, 1e-3
"""Limits of the conjugate gradients: number of steps, and relative size of the residual."""

SMOOTHINGS, EVERY = 600, 5
"""Number of averages over neighbours in `embed`, and of those between two orthogonalisations."""

FEW = 4
"""Number of nodes that `spread` leaves together."""


def wire_length(graph: Graph, at: Floats) -> float:
    """Return one direction's part of half the circumference of all nets, in tiles."""
    places = at[graph.nodes]
    longest = np.maximum.reduceat(places, graph.first)
    return float((longest - np.minimum.reduceat(places, graph.first)).sum())


def in_order(graph: Graph, at: Floats) -> Ints:
    """Return the nodes of each net in the order of their places, as a (pins,) array."""
    return graph.nodes[np.lexsort((at[graph.nodes], graph.nets))]


def springs(graph: Graph, at: Floats) -> csr_array:
    """Return the Laplacian of all nets, for nodes near the places `at`."""
    nodes = in_order(graph, at)
    lowest, highest = graph.first, graph.first + graph.counts - 1
    inner = np.ones(len(nodes), dtype=bool)
    inner[lowest] = inner[highest] = False
    net, node = graph.nets[inner], nodes[inner]
    one = np.concatenate([nodes[lowest], node, node])
    other = np.concatenate([nodes[highest], nodes[lowest][net], nodes[highest][net]])
    pins = graph.counts[np.concatenate([np.arange(len(graph.counts)), net, net])]
    strength = 1 / ((pins - 1) * np.maximum(np.abs(at[one] - at[other]), NEAR))
    pulls = coo_array((strength, (one, other)), shape=(len(at), len(at))).tocsr()
    pulls = pulls + pulls.T
    return csr_array(diags_array(pulls.sum(axis=1)) - pulls)


def settle(graph: Graph, at: Floats, anchors: Floats, pull: Floats) -> Floats:
    """Return the places at which all springs are at rest, while an anchor also holds each node.

    Parameters
    ----------
    graph : Graph
    at : (nodes,) array
        Present places, tiles.
    anchors : (nodes,) array
    pull : (nodes,) array
        Strength of each anchor; that of a net of two nodes is 1.

    Returns
    -------
    (nodes,) array
        The result of conjugate gradients that begin at `at`.
    """
    hold = pull / np.maximum(np.abs(at - anchors), NEAR)
    matrix = springs(graph, at) + diags_array(hold)
    inverse = 1 / matrix.diagonal()
    right = hold * anchors
    result = at.copy()
    rest = right - matrix @ result
    step = inverse * rest
    power = (rest * step).sum()
    enough = PRECISION**2 * (right * right).sum()
    for _ in range(STEPS):
        if (rest * rest).sum() <= enough:
            break
        pushed = matrix @ step
        length = power / (step * pushed).sum()
        result += length * step
        rest -= length * pushed
        ready = inverse * rest
        before, power = power, (rest * ready).sum()
        step = ready + power / before * step
    return result


def embed(graph: Graph) -> tuple[Floats, Floats]:
    """Return two directions, from 0 to 1, in which neighbours are near each other.

    Averages over neighbours lead to the smoothest two vectors that are neither constant nor alike;
    the result is the order of the nodes in them.
    """
    size = len(graph.areas)
    pins = coo_array((np.ones(len(graph.nets)), (graph.nodes, graph.nets))).tocsr()
    weights = np.maximum(graph.pins, 1).astype(np.float64)[:, np.newaxis]
    vectors = np.random.default_rng(1).normal(size=(size, 2))
    for smoothing in range(SMOOTHINGS):
        if smoothing % EVERY == 0:
            vectors = _apart(vectors, weights)
        averages = pins.T @ vectors / graph.counts[:, np.newaxis]
        vectors = (vectors + pins @ averages / weights) / 2
    ranks = np.argsort(np.argsort(vectors, axis=0, kind="stable"), axis=0, kind="stable")
    return ranks[:, 0] / size, ranks[:, 1] / size


def _apart(vectors: Floats, weights: Floats) -> Floats:
    """Make two vectors orthogonal to a constant and to each other, and of length 1."""
    vectors = vectors - (weights * vectors).sum(axis=0) / weights.sum()
    one, other = vectors.T
    weight = weights[:, 0]
    one = one / np.sqrt((weight * one * one).sum())
    other = other - (weight * one * other).sum() * one
    return np.stack([one, other / np.sqrt((weight * other * other).sum())], axis=1)


def spread(
    areas: Floats, nodes: Ints, x: Floats, y: Floats, size: tuple[float, float]
) -> tuple[Floats, Floats]:
    """Give nodes the room they need, while about keeping their order.

    Halves nodes and room, across the longer side, until few nodes are left (as the look-ahead
    legalisation of SimPL does where too many are: Kim, Lee and Markov, IEEE TCAD 2012).

    Parameters
    ----------
    areas : (all nodes,) array
    nodes : (k,) array
        The nodes to spread.
    x, y : (all nodes,) arrays
        Present places, tiles.
    size : two of float
        Width and height of the room, tiles.

    Returns
    -------
    two (all nodes,) arrays
        New places; nodes that are not in `nodes` keep theirs.
    """
    places = (x.copy(), y.copy())

    def halve(part: Ints, low: tuple[float, float], high: tuple[float, float]) -> None:
        if len(part) <= FEW:
            for place, a, b in zip(places, low, high, strict=True):
                place[part] = (a + b) / 2
            return
        along = int(high[1] - low[1] > high[0] - low[0])
        part = part[np.argsort((x, y)[along][part], kind="stable")]
        filled = np.cumsum(areas[part])
        cut = int(np.clip(np.searchsorted(filled, filled[-1] / 2, "right"), 1, len(part) - 1))
        border = low[along] + filled[cut - 1] / filled[-1] * (high[along] - low[along])
        halve(part[:cut], low, (border, high[1]) if along == 0 else (high[0], border))
        halve(part[cut:], (border, low[1]) if along == 0 else (low[0], border), high)

    halve(nodes, (0.0, 0.0), size)
    return places
