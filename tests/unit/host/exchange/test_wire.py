# SPDX-License-Identifier: BSD-2-Clause

"""The memory of an ONNX file, counted before it is read."""

from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualgate.exchange.onnx.wire import FIELD, UNKNOWN, memory

onnx: Any = pytest.importorskip("onnx")
MOST = 1 << 40


def packed(weights: np.ndarray[Any, Any], raw: bool) -> bytes:
    helper = onnx.helper
    if raw:
        tensor = onnx.numpy_helper.from_array(weights, "W")
    else:
        tensor = helper.make_tensor("W", 1, weights.shape, weights.reshape(-1).tolist())
    node = helper.make_node("Gemm", ["x", "W"], ["y"], alpha=1.0)
    values = [helper.make_tensor_value_info(name, 1, ["n", 4]) for name in "xy"]
    graph = helper.make_graph([node], "g", values[:1], values[1:], [tensor])
    content: bytes = helper.make_model(graph).SerializeToString()
    return content


@pytest.mark.parametrize("raw", [True, False])
def test_numbers_count_once(raw: bool) -> None:
    small, large = (packed(np.ones((n, 4), np.float32), raw) for n in (10, 100_010))
    counts = [memory(memoryview(content), MOST) for content in (small, large)]
    assert counts[1] - counts[0] == pytest.approx(1_600_000, rel=1e-4)
    assert counts[0] < 20_000


def test_messages_of_two_bytes_count_for_what_they_take() -> None:
    content = b"\x3a\x14" + b"\x0a\x00" * 10
    assert memory(memoryview(content), MOST) >= 10 * FIELD
    assert memory(memoryview(b"\x3a\x14" + b"\x6a\x00" * 10), MOST) >= 10 * FIELD  # value_info
    assert memory(memoryview(b"\x72\x14" + b"\x0a\x00" * 10), MOST) >= 20 * UNKNOWN  # metadata


def test_the_count_ends_above_the_bound() -> None:
    content = b"\x3a" + b"\xc0\x84\x3d" + b"\x0a\x00" * 500_000  # a million bytes
    assert 1000 < memory(memoryview(content), 1000) < 1000 + 3 * FIELD


def test_messages_are_not_deeper_than_those_that_are_read() -> None:
    content = b""
    for _ in range(60):  # an attribute with a graph, of a node, in a graph
        for tag in (b"\x32", b"\x2a", b"\x0a"):
            content = tag + varint(len(content)) + content
    with pytest.raises(ValueError, match="too deep"):
        memory(memoryview(b"\x3a" + varint(len(content)) + content), MOST)


def varint(value: int) -> bytes:
    more, least = divmod(value, 128)
    return bytes([least | 128]) + varint(more) if more else bytes([least])


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_counted_or_refused(content: bytes, cut: bool) -> None:
    whole = packed(np.ones((2, 4), np.float32), True)
    changed = whole[: len(content)] if cut else whole[:20] + content + whole[20:]
    for each in (content, changed):
        with suppress(ValueError):
            assert memory(memoryview(each), MOST) >= 0
