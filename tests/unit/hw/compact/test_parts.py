# SPDX-License-Identifier: BSD-2-Clause

"""Sizes and addresses of the compact engine's memories (parts.py, program/data_memory.py)."""

from hypothesis import given
from hypothesis import strategies as st

from dualgate.contract.commands import COUNTERS
from dualgate.contract.engine import EngineParameters
from dualgate_hw.common.shapes import Shapes
from dualgate_hw.compact.parts import Places
from dualgate_hw.compact.program import assemble
from dualgate_hw.compact.program.data_memory import COUNTER_CELLS, FIELDS, DataMemory, Descriptor

SIZES = {
    "layers": st.integers(1, 32),
    "rows": st.integers(1, 4096),
    "inputs": st.integers(1, 1024),
    "activations": st.integers(1, 2048),
    "vectors": st.integers(1, 128),
    "groups": st.integers(1, 64),
}


def places(sizes: dict[str, int]) -> Places:
    return Places(Shapes(EngineParameters(4, arrays=1, compact=1, **sizes), contexts=1))


@given(st.fixed_dictionaries(SIZES))
def test_no_two_lists_share_an_entry(sizes: dict[str, int]) -> None:
    found = places(sizes)
    assert sizes["inputs"] <= found.hidden
    assert found.hidden + sizes["activations"] <= found.vector
    assert found.vector + sizes["activations"] <= found.entries


@given(st.fixed_dictionaries(SIZES))
def test_no_two_cells_share_an_address_and_x_can_be_joined_to_arrays(
    sizes: dict[str, int],
) -> None:
    found = places(sizes)
    memory, code = assemble(found)
    units, outputs = found.units, found.outputs
    arrays = {
        "slopes": (memory.slopes, units),
        "updates": (memory.updates, units),
        "targets": (memory.targets, outputs),
        "outputs": (memory.outputs, outputs),
        "powers": (memory.powers, 16),
        "counters": (memory.counters[0], COUNTER_CELLS * len(COUNTERS)),
        "masks": (memory.masks[0], 2 * found.shapes.mask_words),
    }
    taken: set[int] = set(range(FIELDS * sizes["layers"]))
    for name, (first, words) in arrays.items():
        where = [first.address | place for place in range(words)]
        assert where == list(range(first.address, first.address + words)), name
        assert where[-1] < code.first_single
        assert not taken & set(where), name
        taken |= set(where)
    singles = [code.address(getattr(memory, name)) for name in DataMemory.__annotations__]
    assert len(set(singles)) == len(singles)
    assert min(singles) >= code.first_single


def test_the_fields_of_a_layer_have_a_place_each() -> None:
    places = [word.address for name, word in vars(Descriptor).items() if not name.startswith("_")]
    assert sorted(places) == list(range(len(places)))
    assert len(places) <= FIELDS
