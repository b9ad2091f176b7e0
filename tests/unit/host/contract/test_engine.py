# SPDX-License-Identifier: BSD-2-Clause

"""Layouts: where a network lives in an engine's memories, and when it does not fit."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.random_networks import networks

from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import FitError
from dualgate.contract.layout import LAYER_FIELDS, LAYER_WORDS, Layout
from dualgate.contract.network import Network

LANES = st.sampled_from([1, 2, 4, 8, 16])


def layout_of(network: Network, neurons: int) -> Layout:
    least = 12 - min(layer.in_frac for layer in network.layers)
    return Layout(network, EngineParameters(neurons).grown(network), least)


def numbered(network: Network) -> list[np.ndarray]:
    """Matrices whose entries are all different and not zero."""
    result, start = [], 1
    for layer in network.layers:
        count = layer.rows * layer.outputs
        result.append(np.arange(start, start + count).reshape(layer.rows, layer.outputs))
        start += count
    return result


@given(networks(max_width=40), LANES)
def test_matrices_survive_the_way_through_rows(network: Network, neurons: int) -> None:
    layout = layout_of(network, neurons)
    matrices = numbered(network)
    rows = layout.to_rows(matrices)
    assert rows.shape == (layout.rows, neurons)
    assert np.count_nonzero(rows) == network.parameters
    for before, after in zip(matrices, layout.from_rows(rows), strict=True):
        assert np.array_equal(before, after)


@given(networks(max_width=40), LANES)
def test_a_weight_lies_where_the_descriptor_says(network: Network, neurons: int) -> None:
    layout = layout_of(network, neurons)
    matrices = numbered(network)
    rows = layout.to_rows(matrices)
    for matrix, d in zip(matrices, layout.descriptors, strict=True):
        for row, unit in ((0, 0), (d["inputs"], d["outputs"] - 1), (d["inputs"], 0)):
            group, lane = divmod(unit, neurons)
            at = d["weight_base"] + group * (d["inputs"] + 1) + row
            assert rows[at, lane] == matrix[row, unit]


@given(networks(max_width=40), LANES)
def test_descriptors_fit_their_fields_and_never_overlap(network: Network, neurons: int) -> None:
    layout = layout_of(network, neurons)
    descriptors, engine = layout.descriptors, layout.engine
    for d in descriptors:
        assert set(d) == {name for name, _ in LAYER_FIELDS}
        assert all(0 <= d[name] < 1 << bits for name, bits in LAYER_FIELDS)
    for one, other in pairwise(descriptors):
        assert other["weight_base"] == one["weight_base"] + one["groups"] * (one["inputs"] + 1)
        assert other["vector_base"] == one["vector_base"] + one["groups"]
        assert other["inputs"] == one["outputs"]
    assert [d["last"] for d in descriptors] == [0] * (len(descriptors) - 1) + [1]
    lists = [(d["list_base"], d["list_base"] + d["inputs"] + 1) for d in descriptors[1:]]
    for (_, end), (start, _) in pairwise(lists):
        assert end == start
    last = descriptors[-1]
    assert last["weight_base"] + last["groups"] * (last["inputs"] + 1) == layout.rows
    assert layout.rows <= engine.rows
    # Slopes of the output layer are elsewhere.
    assert last["vector_base"] <= engine.vectors


def test_descriptors_of_a_known_network() -> None:
    network = Network((20, 6, 3), "tanh", "sigmoid-mse", frozen=(1,))
    first, last = Layout(network, EngineParameters(4), 10).descriptors
    assert first == {
        "inputs": 20,
        "outputs": 6,
        "groups": 2,
        "weight_base": 0,
        "list_base": 0,
        "vector_base": 0,
        "z_shift": 12,
        "activation": 4,
        "in_frac": 12,
        "out_frac": 14,
        "apply_shift": 10,
        "last": 0,
        "sloped": 1,
        "frozen": 0,
    }
    assert last["frozen"] == 1
    assert (last["weight_base"], last["vector_base"], last["z_shift"]) == (42, 2, 14)
    assert (last["activation"], last["in_frac"], last["last"]) == (3, 14, 1)
    assert sum(bits for _, bits in LAYER_FIELDS) <= 32 * LAYER_WORDS


NEEDS = {"layers": 2, "rows": 49, "inputs": 21, "activations": 7, "vectors": 2, "groups": 2}
"""Of 20,6,3 with 4 lanes."""


def test_needs_are_counted_by_memory() -> None:
    assert EngineParameters(4).needs(Network((20, 6, 3))) == NEEDS
    assert EngineParameters(4).needs(Network((20, 3)))["vectors"] == 1


def test_a_compact_engine_needs_room_for_the_outputs_scalars() -> None:
    compact = EngineParameters(4, arrays=1, compact=1)
    assert compact.needs(Network((20, 6, 3))) == {**NEEDS, "vectors": 3}


@pytest.mark.parametrize("memory", sorted(NEEDS))
def test_a_network_that_does_not_fit_names_the_memory(memory: str) -> None:
    network = Network((20, 6, 3))
    EngineParameters(4, **NEEDS).check(network)
    has = NEEDS[memory] - 1
    short = EngineParameters(4, **{**NEEDS, memory: has})
    wanted = rf"^network 20,6,3 does not fit: {memory} has {has}, needed {NEEDS[memory]};"
    with pytest.raises(FitError, match=wanted):
        Layout(network, short, 10)


@given(networks(max_layers=6, max_width=60), LANES)
def test_a_grown_engine_holds_the_network_in_powers_of_two(network: Network, neurons: int) -> None:
    small = EngineParameters(neurons, **dict.fromkeys(NEEDS, 1))
    grown = small.grown(network)
    grown.check(network)
    assert grown.neurons == neurons
    for memory, need in small.needs(network).items():
        has = getattr(grown, memory)
        assert has & (has - 1) == 0
        assert need <= has <= max(2, 2 * need - 1)


def test_an_engine_grows_no_further_than_an_address_reaches() -> None:
    network = Network((784, 4096, 10))
    grown = EngineParameters(16).grown(network)
    with pytest.raises(FitError, match=r"does not fit: rows has 32768, needed 205057;"):
        Layout(network, grown, 10)


def test_engine_parameters_are_held_to_their_fields() -> None:
    with pytest.raises(FitError, match=r"^engine parameter rows must be from 1 to 32768$"):
        EngineParameters(rows=0)
    with pytest.raises(FitError, match="neurons"):
        EngineParameters(neurons=(1 << 16) + 1)


@pytest.mark.parametrize("update_frac", [-1, 63])
def test_an_update_out_of_the_weights_reach_is_refused(update_frac: int) -> None:
    network = Network((2, 1), loss="mse")
    Layout(network, EngineParameters(), 0)
    Layout(network, EngineParameters(), 62)
    with pytest.raises(FitError, match="learning rate is too small or too large"):
        Layout(network, EngineParameters(), update_frac)
