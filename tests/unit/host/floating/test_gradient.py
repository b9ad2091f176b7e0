# SPDX-License-Identifier: BSD-2-Clause

"""Forward mode on batches against the reference, the scalar network and finite differences."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dualgate.contract.activations import ACTIVATIONS, HIDDEN_ACTIVATIONS
from dualgate.contract.errors import InputError
from dualgate.contract.losses import LOSSES as RULES
from dualgate.contract.network import Network
from dualgate.floating import forward_mode
from dualgate.floating.dual import network as scalar
from dualgate.floating.dual import pruning as scalar_pruning
from dualgate.floating.forward_mode import ForwardMode
from dualgate.floating.losses import LOSSES, Loss
from dualgate.floating.pruning import (
    LargestPerNumber,
    Policy,
    RandomPerNumber,
    RelativePerTag,
    keep_all,
)
from dualgate_sim.testing import reference

Floats = NDArray[np.floating[Any]]

EVERY = [(activation, loss) for activation in HIDDEN_ACTIVATIONS for loss in RULES]
MIXED = ("tanh", "leaky_relu", "sigmoid")


def problem(
    network: Network, seed: int, samples: int = 6, dtype: Any = np.float64
) -> tuple[list[Floats], Floats, Floats]:
    """Random weights, inputs and targets."""
    random = np.random.default_rng(seed)
    weights = [random.standard_normal((layer.rows, layer.outputs)) for layer in network.layers]
    x = random.uniform(-1, 1, (samples, network.sizes[0]))
    n = network.sizes[-1]
    target = random.uniform(0, 1, (samples, n))
    if network.loss == "cce":
        target = np.eye(n)[random.integers(0, n, samples)]
    return [w.astype(dtype) for w in weights], x.astype(dtype), target.astype(dtype)


def assert_close(got: Sequence[Floats], want: Sequence[Floats]) -> None:
    for one, other in zip(got, want, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12)


def cosine(a: Floats, b: Floats) -> float:
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()))


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_slopes_keep_the_precision_and_are_those_of_differences(name: str, dtype: Any) -> None:
    z = np.linspace(-6, 6, 26, dtype=dtype)
    kind = ACTIVATIONS[name]
    slope = kind.derivative(z)
    assert slope.dtype == dtype
    if name not in ("softmax", "step"):
        step, wide = 1e-6, z.astype(np.float64)
        change = (kind.value(wide + step) - kind.value(wide - step)) / (2 * step)
        np.testing.assert_allclose(slope, change, atol=1e-6)


@pytest.mark.parametrize("sizes", [(3, 2), (4, 5, 1), (3, 7, 6, 4, 2)])
@pytest.mark.parametrize(("activation", "loss"), EVERY)
def test_the_gradient_is_that_of_the_reference(
    sizes: tuple[int, ...], activation: str, loss: str
) -> None:
    network = Network(sizes, activation, loss)
    weights, x, target = problem(network, 1)
    for setting in (15, 1, 2):
        mode = ForwardMode(network, policy=RelativePerTag(setting))
        got = mode.gradient(weights, x, target)
        assert_close(got.weights, reference.gradient(network, weights, x, target, setting))
    exact = ForwardMode(network).gradient(weights, x, target)
    assert_close(exact.weights, reference.backprop(network, weights, x, target))


@pytest.mark.parametrize("frozen", [(), (0,), (1,), (0, 2)])
@pytest.mark.parametrize("count", [1, 3, 100])
def test_pruning_per_number_is_that_of_the_scalar_network(
    count: int, frozen: tuple[int, ...]
) -> None:
    network = Network((3, 5, 6, 4, 2), MIXED, "cce")
    weights, x, target = problem(network, 2)
    got = ForwardMode(network, policy=LargestPerNumber(count), frozen=frozen)
    want = scalar.gradient(
        network, weights, x, target, scalar_pruning.LargestPerNumber(count), frozen
    )
    assert_close(got.gradient(weights, x, target).weights, want)


@pytest.mark.parametrize("frozen", [(0,), (1,), (0, 1), (0, 1, 2), (2,)])
def test_a_frozen_layer_has_no_gradient_and_changes_no_other(frozen: tuple[int, ...]) -> None:
    network = Network((3, 4, 5, 2), "tanh", "mse")
    weights, x, target = problem(network, 3)
    exact = ForwardMode(network).gradient(weights, x, target).weights
    got = ForwardMode(network, frozen=frozen).gradient(weights, x, target).weights
    for index, (one, other) in enumerate(zip(got, exact, strict=True)):
        if index in frozen:
            assert not one.any()
        else:
            np.testing.assert_allclose(one, other, rtol=1e-12)


def test_a_frozen_layer_that_is_not_there_is_refused() -> None:
    for layer in (-1, 2):
        message = rf"^there is no layer {layer} to freeze; give 0 to 1$"
        with pytest.raises(InputError, match=message):
            ForwardMode(Network((3, 4, 2)), frozen=(0, layer))


def test_a_random_choice_keeps_so_many_tangents_of_each_unit() -> None:
    network = Network((4, 9, 8, 8, 3), "sigmoid", "cce")
    weights, x, target = problem(network, 4, samples=5)
    got = ForwardMode(network, policy=RandomPerNumber(3)).gradient(weights, x, target)
    crossing = 5 * 8 * (9 + 9 + 8)
    assert got.dropped > 0
    # Of 3 kept for each unit some may be its own seed, which does not cross.
    assert 5 * 8 * 2 * 2 <= got.kept <= 5 * 8 * 2 * 3
    assert got.kept + got.dropped <= crossing
    again = ForwardMode(network, policy=RandomPerNumber(3)).gradient(weights, x, target)
    assert all(np.array_equal(a, b) for a, b in zip(got.weights, again.weights, strict=True))
    other = ForwardMode(network, policy=RandomPerNumber(3, seed=1)).gradient(weights, x, target)
    assert not np.array_equal(got.weights[0], other.weights[0])


def test_what_pruning_keeps_is_counted() -> None:
    network = Network((3, 4, 4, 2), "sigmoid", "mse")
    weights, x, target = problem(network, 5)
    exact = ForwardMode(network).gradient(weights, x, target)
    assert (exact.kept, exact.dropped) == (0, 0)
    pruned = ForwardMode(network, policy=RelativePerTag(1)).gradient(weights, x, target)
    trace = reference.forward(network, weights, x)
    seeded = trace.slopes[0][:, :, None] * weights[1][:-1]
    kept = np.count_nonzero(reference.prune(seeded * trace.slopes[1][:, None], 1))
    assert (pruned.kept, pruned.dropped) == (kept, 6 * 16 - kept)


@pytest.mark.parametrize("policy", [keep_all, RelativePerTag(2), LargestPerNumber(3)])
def test_the_size_of_chunks_does_not_matter(
    monkeypatch: pytest.MonkeyPatch, policy: Policy
) -> None:
    network = Network((3, 6, 5, 2), "tanh", "cce")
    weights, x, target = problem(network, 6, samples=11)
    mode = ForwardMode(network, policy=policy)
    whole = mode.gradient(weights, x, target)
    monkeypatch.setattr(forward_mode, "LEAST_SAMPLES", 1)
    for chunk in (1, 200):
        monkeypatch.setattr(forward_mode, "CHUNK", chunk)
        parts = mode.gradient(weights, x, target)
        assert_close(parts.weights, whole.weights)
        assert (parts.kept, parts.dropped) == (whole.kept, whole.dropped)


@pytest.mark.parametrize(("activation", "loss"), [*EVERY, ("tanh", "msle")])
def test_single_precision_stays_single_and_near(activation: str, loss: str) -> None:
    objective = LOSSES[loss]
    network = Network((4, 6, 5, 3), activation, "mse" if loss == "msle" else loss)
    mode = ForwardMode(network, objective, RelativePerTag(3))
    exact = mode.gradient(*problem(network, 7))
    single = mode.gradient(*problem(network, 7, dtype=np.float32))
    assert single.trace.outputs.dtype == np.float32
    for one, other in zip(single.weights, exact.weights, strict=True):
        assert one.dtype == np.float32
        assert cosine(one.astype(float), other) > 0.9999


def differences(
    mode: ForwardMode, weights: list[Floats], x: Floats, target: Floats, masks: Any, weight: Any
) -> list[Floats]:
    """Central differences of the mean loss, a weight at a time."""

    def loss() -> float:
        trace = mode.forward(weights, x, masks)
        return float(mode.objective.of_samples(trace.z, trace.outputs, target, weight).mean())

    step = 1e-5
    result = [np.zeros_like(w) for w in weights]
    for w, g in zip(weights, result, strict=True):
        for place in np.ndindex(w.shape):
            kept = w[place]
            w[place] = kept + step
            above = loss()
            w[place] = kept - step
            g[place] = (above - loss()) / (2 * step)
            w[place] = kept
    return result


@pytest.mark.parametrize("dropped", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", LOSSES.values(), ids=lambda loss: loss.rule.name)
def test_the_gradient_is_that_of_finite_differences(
    loss: Loss, weighted: bool, dropped: bool
) -> None:
    network = Network((3, 4, 4, 2), "tanh", loss.rule.name)
    weights, x, target = problem(network, 8)
    mode = ForwardMode(network, loss)
    random = np.random.default_rng(9)
    masks = [(random.random((6, 4)) < 0.6) * 2.0 for _ in range(2)] if dropped else None
    weight = random.uniform(0, 2, (6, 1)) if weighted else None
    got = mode.gradient(weights, x, target, weight, masks).weights
    want = differences(mode, weights, x, target, masks, 1.0 if weight is None else weight)
    for one, other in zip(got, want, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)


def test_a_dropped_unit_carries_neither_value_nor_tangents() -> None:
    network = Network((3, 4, 4, 2), "sigmoid", "mse")
    weights, x, target = problem(network, 10)
    masks = [np.ones((6, 4)), np.ones((6, 4))]
    masks[0][:, 2] = 0
    got = ForwardMode(network).gradient(weights, x, target, masks=masks)
    assert not got.trace.values[1][:, 2].any()
    assert not got.weights[0][:, 2].any()
    assert not got.weights[1][2].any()


def test_saturation_neither_warns_nor_stops_learning() -> None:
    network = Network((1, 1, 1), "sigmoid", "bce")
    weights = [np.array([[-1e5], [0.0]]), np.array([[1e5], [-1e5]])]
    got = ForwardMode(network).gradient(weights, np.array([[1.0]]), np.array([[1.0]]))
    assert got.weights[1][-1].tolist() == [-1.0]
    assert got.trace.outputs.tolist() == [[0.0]]
