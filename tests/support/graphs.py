# SPDX-License-Identifier: BSD-2-Clause

"""Random netlists, as their placement looks at them."""

import numpy as np
from hypothesis import strategies as st

from ecp5_placer.netgraph import Graph
from ecp5_placer.sites import BLOCK_RAM, MULTIPLIER


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Three block RAMs, two multipliers and some logic; every node is on a net."""
    size = draw(st.integers(8, 30))
    node = st.integers(0, size - 1)
    nets = draw(st.lists(st.lists(node, min_size=2, max_size=6, unique=True), max_size=30))
    nets += [[one, one + 1] for one in range(size - 1)]
    blocks = {BLOCK_RAM: {"a": 0, "b": 3, "c": 5}, MULTIPLIER: {"d": 2, "e": 7}}
    of_blocks = {node for found in blocks.values() for node in found.values()}
    areas = [
        0.0 if node in of_blocks else draw(st.sampled_from([0.3, 1.0, 2.0, 6.0]))
        for node in range(size)
    ]
    return Graph.of([sorted(net) for net in nets], np.array(areas), blocks)
