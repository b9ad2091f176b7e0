# SPDX-License-Identifier: BSD-2-Clause

"""The kernels: numba's against numpy's; only sums over the outputs may differ, in rounding."""

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from dualgate.contract.activations import HIDDEN_ACTIVATIONS
from dualgate.contract.errors import InputError, MissingToolError
from dualgate.contract.network import Network
from dualgate.floating import backends
from dualgate.floating.backends import find_kernels
from dualgate.floating.compiled import numba_kernels
from dualgate.floating.forward_mode import ForwardMode
from dualgate.floating.kernels import NUMPY, Kernels
from dualgate.floating.pruning import (
    LargestPerNumber,
    Policy,
    RandomPerNumber,
    RelativePerTag,
    keep_all,
)

pytestmark = pytest.mark.slow

Floats = NDArray[np.floating[Any]]

shapes = st.tuples(*(st.integers(1, 6),) * 3)
# Few distinct numbers, so that there are ties and zeros.
entries = st.integers(-8, 8).map(lambda n: n / 4) | st.floats(-1e3, 1e3, width=32)


@pytest.fixture(scope="module")
def numba() -> Kernels:
    pytest.importorskip("numba")
    return find_kernels("numba")


def tensor(dtype: Any) -> st.SearchStrategy[Floats]:
    return shapes.flatmap(lambda shape: arrays.arrays(dtype, shape, elements=entries))


tensors = st.sampled_from([np.float32, np.float64]).flatmap(tensor)


@given(tensors, st.integers(1, 14))
def test_small_tangents_are_dropped_alike(numba: Kernels, t: Floats, setting: int) -> None:
    one, other = t.copy(), t.copy()
    NUMPY.drop_small(one, setting)
    numba.drop_small(other, setting)
    assert np.array_equal(one, other)
    assert one.dtype == t.dtype


@pytest.mark.parametrize(("dtype", "scale"), [(np.float32, 2.0**-140), (np.float64, 2.0**-1060)])
def test_numbers_without_an_exponent_are_dropped_alike(
    numba: Kernels, dtype: Any, scale: float
) -> None:
    t = (np.random.default_rng(0).integers(-99, 99, (3, 4, 5)) * scale).astype(dtype)
    assert 0 < np.abs(t).max() < np.finfo(dtype).tiny
    one, other = t.copy(), t.copy()
    NUMPY.drop_small(one, 2)
    numba.drop_small(other, 2)
    assert np.array_equal(one, other)
    assert np.count_nonzero(one) < np.count_nonzero(t)


@given(tensors, st.integers(1, 7), st.booleans())
def test_the_lowest_are_dropped_alike(numba: Kernels, t: Floats, count: int, random: bool) -> None:
    keys = np.abs(t)
    if random:
        keys = np.random.default_rng(0).random(t.shape).astype(t.dtype) * (t != 0)
    one, other = t.copy(), t.copy()
    NUMPY.drop_lowest(one, keys, count)
    numba.drop_lowest(other, keys, count)
    assert np.array_equal(one, other)
    assert (np.count_nonzero(one, axis=0) <= count).all()


@pytest.mark.parametrize("name", ["numpy", "numba"])
def test_of_many_equals_the_first_stay(numba: Kernels, name: str) -> None:
    tangents = np.ones((100, 2, 3))
    find_kernels(name).drop_lowest(tangents, np.abs(tangents), 7)
    assert tangents[:7].all()
    assert not tangents[7:].any()


@given(tensors, st.integers(1, 5), st.booleans(), st.integers(0, 9))
def test_tangents_cross_a_layer_alike(
    numba: Kernels, t: Floats, outputs: int, seeded: bool, seed: int
) -> None:
    _, n, samples = t.shape
    random = np.random.default_rng(seed)
    weights = random.standard_normal((n, outputs)).astype(t.dtype)
    seeds = random.standard_normal((n, samples)).astype(t.dtype) if seeded else None
    one, other = NUMPY.cross(t, seeds, weights), numba.cross(t, seeds, weights)
    assert np.array_equal(one, other)
    assert one.dtype == t.dtype
    expected = np.einsum("tns,nq->tqs", t, weights)
    if seeds is not None:
        expected = np.concatenate((expected, np.einsum("ns,nq->nqs", seeds, weights)))
    tolerance = 1e-2 if t.dtype == np.float32 else 1e-9
    np.testing.assert_allclose(one, expected, atol=tolerance)
    error = random.standard_normal((outputs, samples)).astype(t.dtype)
    deltas = np.einsum("tqs,qs->ts", expected, error)
    for kernels in (NUMPY, numba):
        met = kernels.meet(t, seeds, weights, error)
        assert met.dtype == t.dtype
        np.testing.assert_allclose(met, deltas, atol=10 * tolerance)


POLICIES: list[tuple[type[Any], tuple[int, ...]]] = [
    (RelativePerTag, (15,)),
    (RelativePerTag, (2,)),
    (LargestPerNumber, (3,)),
    (RandomPerNumber, (3,)),
]


@pytest.mark.parametrize("activation", HIDDEN_ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("kind", "arguments"), POLICIES)
def test_gradients_are_alike(
    numba: Kernels, kind: Any, arguments: tuple[int, ...], dtype: Any, activation: str
) -> None:
    network = Network((5, 7, 6, 4, 3), activation, "cce")
    random = np.random.default_rng(1)
    weights = [random.standard_normal((k.rows, k.outputs)).astype(dtype) for k in network.layers]
    x = random.standard_normal((40, 5)).astype(dtype)
    target = np.eye(3, dtype=dtype)[random.integers(0, 3, 40)]

    def gradient(kernels: Kernels) -> Any:
        policy: Policy = kind(*arguments)
        return ForwardMode(network, policy=policy, frozen=(1,), kernels=kernels).gradient(
            weights, x, target
        )

    one, other = gradient(NUMPY), gradient(numba)
    assert (one.kept, one.dropped) == (other.kept, other.dropped)
    assert (one.dropped > 0) == (kind(*arguments) != keep_all)
    rounding = 4 * np.finfo(dtype).eps
    for a, b in zip(one.weights, other.weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=rounding * np.abs(a).max())


def test_without_numba_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    monkeypatch.setattr(backends, "numba_kernels", numba_kernels.__wrapped__)
    with pytest.raises(MissingToolError, match=r"^numba is .*; pip install dualgate\[numba\]$"):
        find_kernels("numba")


def test_unknown_kernels_are_refused() -> None:
    assert find_kernels("numpy") is NUMPY
    with pytest.raises(InputError, match=r"^unknown kernels 'cuda'; choose numpy, numba$"):
        find_kernels("cuda")
