# SPDX-License-Identifier: BSD-2-Clause

"""Blocks get sites of their own, of the right kind, near what they are connected with."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.graphs import graphs
from support.netlists import cell

from dualgate_hw.boards import BOARDS
from ecp5_placer.blocks import Placement, choose_sites, detours, place_blocks
from ecp5_placer.netgraph import Cells, Graph, read_graph
from ecp5_placer.quadratic import wire_length
from ecp5_placer.sites import BLOCK_RAM, MULTIPLIER, Floor, Site, read_floor

ECP5 = {name: board for name, board in BOARDS.items() if board.family == "ecp5"}

FLOOR = Floor(
    20,
    10,
    {
        BLOCK_RAM: [Site(x, 2, "EBR0") for x in (2, 7, 12, 17)],
        MULTIPLIER: [Site(x, 7, "MULT18_0") for x in (3, 17)],
    },
)


@pytest.mark.parametrize("board", ECP5.values(), ids=ECP5)
def test_a_part_has_as_many_sites_as_its_data_sheet_says(board) -> None:
    sites = read_floor(board.part).sites
    assert len(set(sites[BLOCK_RAM])) == board.capacity.block_rams
    assert len(set(sites[MULTIPLIER])) == board.capacity.multipliers


@given(graphs(), st.integers(0, 2**32 - 1))
def test_a_detour_is_what_a_block_adds_to_its_nets(graph: Graph, seed: int) -> None:
    at = np.random.default_rng(seed).uniform(0, 20, len(graph.areas))
    blocks = np.array(list(graph.blocks[BLOCK_RAM].values()))
    sites = np.array([0.0, 4.5, 20.0])
    found = detours(graph, blocks, at, sites)
    assert found.shape == (3, 3)
    assert (found >= 0).all()
    for row, block in zip(found, blocks, strict=True):
        lengths = []
        for site in sites:
            moved = at.copy()
            moved[block] = site
            lengths.append(wire_length(graph, moved))
        np.testing.assert_allclose(np.diff(row), np.diff(lengths), atol=1e-9)


@settings(max_examples=5, deadline=None)
@given(graphs())
def test_every_block_has_a_site_of_its_own(graph: Graph) -> None:
    sites = choose_sites(graph, FLOOR)
    for kind, blocks in graph.blocks.items():
        chosen = [sites[name] for name in blocks]
        assert len(set(chosen)) == len(blocks)
        assert set(chosen) <= set(FLOOR.sites[kind])
    assert sites == choose_sites(graph, FLOOR)


def clusters() -> Graph:
    """Two clusters of logic, each with two block RAMs and a multiplier, that hardly meet."""
    rng = np.random.default_rng(0)
    nets = [
        sorted(int(n) for n in rng.choice(50, 3, replace=False) + 50 * (n % 2)) for n in range(400)
    ]
    blocks = {BLOCK_RAM: {"a": 0, "b": 50, "c": 1, "d": 51}, MULTIPLIER: {"e": 2, "f": 52}}
    areas = [0.0 if n % 50 < 3 else 1.0 for n in range(100)]
    return Graph.of([*nets, [10, 60]], np.array(areas), blocks)


def test_blocks_of_a_cluster_are_neighbours() -> None:
    sites = choose_sites(clusters(), FLOOR)
    left = {name for name, site in sites.items() if site.x < 10}
    assert left in ({"a", "c", "e"}, {"b", "d", "f"})


def test_turns_untangle_a_mesh() -> None:
    side = 20
    nets = [[n, n + 1] for n in range(side * side) if (n + 1) % side]
    nets += [[n, n + side] for n in range(side * (side - 1))]
    areas = np.array([float(n > 0) for n in range(side * side)])
    placement = Placement(Graph.of(nets, areas, {BLOCK_RAM: {"corner": 0}}), FLOOR)
    lengths = [placement.turn(0.02 * 1.06**turn)[0] for turn in range(60)]
    assert min(lengths) < 0.9 * lengths[0]


def small_netlist() -> Cells:
    return {
        "lut": cell("LUT4", {"A": 5}, {"Z": 6}),
        "its_register": cell("TRELLIS_FF", {"DI": 6, "CLK": 1}, {"Q": 7}),
        "carry_0": cell("CCU2C", {"A0": 7, "CIN": "0"}, {"COUT": 8}),
        "carry_1": cell("CCU2C", {"A0": 7, "CIN": 8}, {"S0": 9}),
        "alone": cell("TRELLIS_FF", {"DI": 9, "CLK": 1}, {"Q": 5}),
        "also": cell("LUT4", {"A": 9}, {"Z": 10}),
        "ram": cell("DP16KD", {"ADA0": 10}, {"DOA0": 11}),
        "times": cell("MULT18X18D", {"A0": 11, "A1": "1"}, {"P0": 12}),
        "pad": cell("TRELLIS_IO", {"I": 12}, {}),
    }


def test_chains_and_registers_of_luts_are_single_nodes() -> None:
    graph = read_graph(small_netlist())
    assert sorted(graph.areas) == [0.0, 0.0, 0.3, 1.0, 1.3, 4.0]
    # 5, 7, 9, 10 and 11, and the clock; what is within a node is no net, nor what has one node.
    assert sorted(graph.counts) == [2, 2, 2, 2, 2, 3]
    assert graph.blocks.keys() == {BLOCK_RAM, MULTIPLIER}
    assert graph.blocks[BLOCK_RAM].keys() == {"ram"}


def test_blocks_of_a_netlist_have_their_sites_written() -> None:
    cells = small_netlist()
    assert place_blocks(cells, "LFE5U-25F") == 2
    given = {name: found["attributes"].get("BEL", "") for name, found in cells.items()}
    sites = read_floor("LFE5U-25F").sites
    assert given.pop("ram") in {site.bel for site in sites[BLOCK_RAM]}
    assert given.pop("times") in {site.bel for site in sites[MULTIPLIER]}
    assert set(given.values()) == {""}
