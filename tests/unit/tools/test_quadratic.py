# SPDX-License-Identifier: BSD-2-Clause

"""Springs have the energy of the nets they stand for, come to rest, and make room."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from support.graphs import graphs

from ecp5_placer.netgraph import Graph
from ecp5_placer.quadratic import embed, settle, spread, springs, wire_length

SEEDS = st.integers(0, 2**32 - 1)


def somewhere(graph: Graph, seed: int, apart: float) -> np.ndarray:
    """Positions, no two nearer than `apart`."""
    return apart * np.random.default_rng(seed).permutation(len(graph.areas)).astype(float)


def test_the_length_of_a_net_is_from_its_first_node_to_its_last() -> None:
    graph = Graph.of([[0, 1, 2], [1, 2]], np.ones(3), {})
    assert wire_length(graph, np.array([5.0, 1.0, 3.0])) == 4 + 2


@given(graphs(), SEEDS)
def test_the_energy_of_the_springs_is_the_length_of_the_nets(graph: Graph, seed: int) -> None:
    at = somewhere(graph, seed, apart=1.5)
    energy = at @ (springs(graph, at) @ at)
    np.testing.assert_allclose(energy, wire_length(graph, at))


@given(graphs(), SEEDS)
def test_nodes_settle_where_a_direct_solution_puts_them(graph: Graph, seed: int) -> None:
    at, anchors = somewhere(graph, seed, apart=1.5), somewhere(graph, seed + 1, apart=1.0)
    pull = np.linspace(0.5, 2, len(at))
    hold = pull / np.maximum(np.abs(at - anchors), 1)
    matrix = springs(graph, at).toarray() + np.diag(hold)
    right = hold * anchors
    found = settle(graph, at, anchors, pull)
    expected = np.linalg.solve(matrix, right)
    assert np.linalg.norm(matrix @ found - right) <= 1.01e-3 * np.linalg.norm(right)
    np.testing.assert_allclose(found, expected, atol=0.02 * len(at))


@given(graphs(), SEEDS)
def test_spread_nodes_fill_the_room_evenly_and_keep_their_order(graph: Graph, seed: int) -> None:
    logic = np.flatnonzero(graph.areas)
    x, y = somewhere(graph, seed, apart=0.01), np.zeros(len(graph.areas))
    placed, _ = spread(graph.areas, logic, x, y, (64.0, 1.0))
    for node in np.flatnonzero(graph.areas == 0):
        assert placed[node] == x[node]
    order = logic[np.argsort(x[logic])]
    assert (np.diff(placed[order]) >= 0).all()
    # To the left of a node is as much room as there is area, but for those it was left with.
    filled = np.cumsum(graph.areas[order]) / graph.areas.sum() * 64
    together = 4 * graph.areas.max() / graph.areas.sum() * 64
    assert (np.abs(placed[order] - filled) <= together).all()


def test_room_is_halved_in_both_directions() -> None:
    rng = np.random.default_rng(0)
    x, y = spread(np.ones(1024), np.arange(1024), *rng.normal(size=(2, 1024)), (8.0, 8.0))
    filled, _, _ = np.histogram2d(x, y, bins=4, range=((0, 8), (0, 8)))
    assert (filled == 64).all()


def test_nodes_of_two_clusters_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    nets = [sorted(rng.choice(50, 2, replace=False) + 50 * (n % 2)) for n in range(400)]
    graph = Graph.of([*nets, [0, 50]], np.ones(100), {})
    order = max(embed(graph), key=lambda at: abs(at[:50].mean() - at[50:].mean()))
    low = sorted((order[:50].mean(), order[50:].mean()))
    assert low[0] < 0.3
    assert low[1] > 0.7


def test_an_embedding_is_the_same_every_time() -> None:
    graph = Graph.of([[n, n + 1] for n in range(20)], np.ones(21), {})
    for one, other in zip(embed(graph), embed(graph), strict=True):
        assert one.tobytes() == other.tobytes()
