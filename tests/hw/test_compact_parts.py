"""Where things are in the compact engine's memories (compact/parts.py)."""

from hypothesis import example, given
from hypothesis import strategies as st

from dualgate.engine import LAYER_WORDS, EngineParameters
from dualgate_hw.compact.parts import Places
from dualgate_hw.layouts import Shapes

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


def assert_apart(parts: dict[str, tuple[int, int]], depth: int) -> None:
    """Parts, from their beginning and of so many words, that nothing else is in."""
    ends = 0
    for name, (start, words) in sorted(parts.items(), key=lambda part: part[1]):
        assert start >= ends, name
        # A place within a part is joined to its beginning: no bit of it may be one there.
        assert all(start | place == start + place for place in range(words)), name
        ends = start + words
    assert ends <= depth


@given(st.fixed_dictionaries(SIZES))
@example({"layers": 2, "rows": 1, "inputs": 1, "activations": 512, "vectors": 1, "groups": 1})
def test_no_two_parts_of_the_entries_share_a_word(sizes: dict[str, int]) -> None:
    found = places(sizes)
    parts = {
        "inputs": (0, sizes["inputs"]),
        "descriptors": (found.descriptors, LAYER_WORDS * sizes["layers"]),
        "masks": (found.masks, found.shapes.mask_words),
        "hidden": (found.hidden, sizes["activations"]),
        "vector": (found.vector, sizes["activations"]),
    }
    assert_apart(parts, found.entries)


@given(st.fixed_dictionaries(SIZES))
def test_no_two_parts_of_the_words_share_one(sizes: dict[str, int]) -> None:
    found = places(sizes)
    width = 4 * sizes["groups"]
    parts = {
        "targets": (0, width),
        "outputs": (found.outputs, width),
        "slopes": (found.slopes, found.units),
        "updates": (found.updates, found.units),
    }
    assert_apart(parts, found.words)
    # Counts lie behind the targets, from the end of their part back.
    assert found.outputs - sizes["layers"] >= width
