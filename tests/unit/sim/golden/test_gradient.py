# SPDX-License-Identifier: BSD-2-Clause

"""Forward mode in floating point against finite differences, and the golden model against it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dualgate.contract.activations import HIDDEN_ACTIVATIONS
from dualgate.contract.formats import MASTER, MASTER_WIDTH, VALUE_WIDTH, WEIGHT_FRAC, Format
from dualgate.contract.losses import LOSSES
from dualgate.contract.network import Network
from dualgate.contract.settings import PRUNE_OFF, make_settings, update_frac
from dualgate.floating.forward_mode import ForwardMode
from dualgate.floating.kernels import NUMPY
from dualgate.floating.pruning import RelativePerTag
from dualgate.optim.initialisers import initial_master_weights
from dualgate.optim.optimisers import Momentum
from dualgate.optim.regularisation import draw_masks
from dualgate_sim.golden.device import GoldenDevice

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

EVERY = [(activation, loss) for activation in HIDDEN_ACTIVATIONS for loss in LOSSES]
SMOOTH = [(activation, loss) for activation, loss in EVERY if loss != "perceptron"]
"""Those whose loss is a function of the outputs that has a derivative."""


MAC_WEIGHT = Format(VALUE_WIDTH, WEIGHT_FRAC)


def real_weights(master: list[Ints]) -> list[Floats]:
    """The real numbers the MAC multiplies by: the upper half of integer master weights."""
    return [MAC_WEIGHT.real(w >> (MASTER_WIDTH - VALUE_WIDTH)) for w in master]


def mean_loss(
    network: Network,
    weights: list[Floats],
    x: Floats,
    target: Floats,
    masks: list[NDArray[np.bool_]] | None = None,
) -> float:
    """Loss of a batch, the mean over its samples."""
    outputs = ForwardMode(network).forward(weights, x, masks).outputs
    return float(network.objective.value(outputs, target).mean())


def float_gradient(
    network: Network,
    weights: list[Floats],
    x: Floats,
    target: Floats,
    prune: int = PRUNE_OFF,
    masks: list[NDArray[np.bool_]] | None = None,
) -> list[Floats]:
    """Gradient of the mean loss by forward mode in float64."""
    mode = ForwardMode(network, policy=RelativePerTag(prune))
    return mode.gradient(weights, x, target, masks=masks).weights


def backprop(
    network: Network,
    weights: list[Floats],
    x: Floats,
    target: Floats,
    masks: list[NDArray[np.bool_]] | None = None,
) -> list[Floats]:
    """The same gradient by the backward pass, ``delta = g'(z) * (W delta')``."""
    trace = ForwardMode(network).forward(weights, x, masks)
    error = trace.outputs - target
    if network.objective.sloped:
        error = error * network.objective.output.slope(trace.outputs)
    deltas = [error * network.objective.scale(network.sizes[-1])]
    for slope, w in zip(trace.slopes[::-1], weights[:0:-1], strict=True):
        deltas.insert(0, slope * (deltas[0] @ w[:-1].T))
    return [
        np.concatenate((a.T @ delta, delta.sum(axis=0, keepdims=True))) / len(x)
        for a, delta in zip(trace.values, deltas, strict=False)
    ]


def data(network: Network, samples: int, seed: int) -> tuple[Floats, Floats]:
    """Inputs, a third of them zero, and targets that suit the loss."""
    random = np.random.default_rng(seed)
    x = random.uniform(-1, 1, (samples, network.sizes[0]))
    x *= random.random(x.shape) > 1 / 3
    n = network.sizes[-1]
    if network.loss == "cce":
        return x, np.eye(n)[random.integers(0, n, samples)]
    return x, random.uniform(0, 1, (samples, n))


def weights_for(network: Network, seed: int) -> list[Ints]:
    """Initial weights, with biases that are not zero."""
    random = np.random.default_rng(seed)
    weights = initial_master_weights(network, seed)
    for w in weights:
        w[-1] = random.integers(-(1 << 26), 1 << 26, w.shape[1])
    return weights


def cosine(a: Floats, b: Floats) -> float:
    a, b = a.ravel(), b.ravel()
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / norms if norms else float(not (a.any() or b.any()))


def differences(
    network: Network,
    weights: list[Floats],
    x: Floats,
    target: Floats,
    step: float,
    masks: list[NDArray[np.bool_]] | None = None,
) -> list[Floats]:
    """Central differences of the mean loss, a weight at a time."""
    result = [np.zeros_like(w) for w in weights]
    for w, g in zip(weights, result, strict=True):
        for place in np.ndindex(w.shape):
            kept = w[place]
            w[place] = kept + step
            above = mean_loss(network, weights, x, target, masks)
            w[place] = kept - step
            below = mean_loss(network, weights, x, target, masks)
            w[place] = kept
            g[place] = (above - below) / (2 * step)
    return result


def clear_of_kinks(
    network: Network, weights: list[Floats], x: Floats, margin: float
) -> NDArray[np.bool_]:
    """Which samples (rows of x) put no pre-activation of a hidden layer, or of a step, within
    `margin` of zero."""
    values = ForwardMode(network).forward(weights, x).values
    clear = np.ones(len(x), bool)
    layers = len(weights) - (network.loss != "perceptron")
    for a, w in zip(values[:layers], weights[:layers], strict=True):
        clear &= np.abs(a @ w[:-1] + w[-1]).min(axis=1) > margin
    return clear


@pytest.mark.parametrize(("activation", "loss"), SMOOTH)
def test_gradient_is_that_of_finite_differences(activation: str, loss: str) -> None:
    network = Network((4, 5, 3, 3), activation, loss)
    step = 1e-5
    weights = real_weights(weights_for(network, 1))
    x, target = data(network, 8, 1)
    clear = clear_of_kinks(network, weights, x, 100 * step)
    assert np.count_nonzero(clear) >= 4
    x, target = x[clear], target[clear]
    expected = differences(network, weights, x, target, step)
    for got, want in zip(float_gradient(network, weights, x, target), expected, strict=True):
        assert np.abs(want).max() > 1e-4
        assert np.allclose(got, want, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "identity"])
def test_gradient_under_masks_is_that_of_finite_differences(activation: str) -> None:
    network = Network((4, 5, 6, 3), activation, "cce")
    weights = real_weights(weights_for(network, 1))
    x, target = data(network, 8, 1)
    masks = draw_masks(network, 0.5, 8, np.random.default_rng(1))
    expected = differences(network, weights, x, target, 1e-5, masks)
    found = float_gradient(network, weights, x, target, masks=masks)
    backward = backprop(network, weights, x, target, masks)
    unmasked = float_gradient(network, weights, x, target)
    for got, want, other, whole in zip(found, expected, backward, unmasked, strict=True):
        assert np.allclose(got, want, rtol=1e-6, atol=1e-9)
        assert np.abs(got - other).max() <= 1e-12
        assert np.abs(got - whole).max() > 1e-3


@pytest.mark.parametrize("sizes", [(3, 2), (5, 7, 1), (6, 1, 4, 3), (9, 8, 7, 6, 5)])
@pytest.mark.parametrize(("activation", "loss"), EVERY)
def test_forward_mode_without_pruning_is_backprop(
    sizes: tuple[int, ...], activation: str, loss: str
) -> None:
    network = Network(sizes, activation, loss)
    weights = real_weights(weights_for(network, 5))
    x, target = data(network, 6, 5)
    forward = float_gradient(network, weights, x, target)
    backward = backprop(network, weights, x, target)
    for one, other in zip(forward, backward, strict=True):
        assert np.abs(one - other).max() <= 1e-12


@pytest.mark.parametrize("activation", HIDDEN_ACTIVATIONS)
def test_pruning_changes_only_layers_whose_tangents_cross_another(activation: str) -> None:
    network = Network((6, 9, 9, 9, 4), activation, "bce")
    weights = real_weights(weights_for(network, 2))
    x, target = data(network, 8, 2)
    exact = float_gradient(network, weights, x, target)
    pruned = float_gradient(network, weights, x, target, 1)
    same = [np.array_equal(a, b) for a, b in zip(exact, pruned, strict=True)]
    assert same == [False, False, True, True]


def test_pruning_keeps_the_largest_and_drops_by_powers_of_two() -> None:
    vector = np.array([[0.9, 0.5, 0.49, -0.25, 0.24, 0.0], [0.0] * 6])[:, :, None]

    def pruned(setting: int) -> Floats:
        return RelativePerTag(setting)(NUMPY, vector.copy(), None)[0][:, :, 0]

    assert np.array_equal(pruned(PRUNE_OFF), vector[:, :, 0])
    assert pruned(1)[0].tolist() == [0.9, 0.5, 0, 0, 0, 0]
    assert pruned(2)[0].tolist() == [0.9, 0.5, 0.49, -0.25, 0, 0]
    assert not pruned(2)[1].any()


KINK_MARGIN = 2.0**-8
"""Pre-activations of a ReLU kind have 2**-10 as their step; nearer to zero its slope is chance, and
so is the answer of a perceptron."""


def gradients(
    network: Network, seed: int, prune: int = PRUNE_OFF, dropout: float = 0.0
) -> tuple[list[Floats], list[Floats], list[Floats]]:
    """Gradients of 32 samples: golden, float64 one, float64 one without pruning.

    The golden one is the velocity after a batch without momentum, divided by the learning rate. The
    reference gets the numbers the golden model computes with: rounded inputs and targets, and the
    upper half of the weights.
    """
    weights = weights_for(network, seed)
    real = real_weights(weights)
    x, target = data(network, 2000, seed)
    x, target = network.quantize_inputs(x), network.quantize_targets(target)
    x_real, target_real = network.input_format.real(x), network.output_format.real(target)
    if network.loss == "perceptron" or any("relu" in name for name in network.hidden):
        clear = np.flatnonzero(clear_of_kinks(network, real, x_real, KINK_MARGIN))
    else:
        clear = np.arange(len(x))
    chosen = clear[:32]
    assert len(chosen) == 32
    x, target, x_real, target_real = (a[chosen] for a in (x, target, x_real, target_real))
    lr = 0.5
    frac = update_frac(network, lr, len(x))
    masks = None
    if dropout:
        masks = draw_masks(network, dropout, len(x), np.random.default_rng(seed))
    with GoldenDevice() as device:
        device.configure(network, frac)
        device.write_weights(weights)
        device.set(make_settings(network, frac, lr, len(x), prune=prune, masked=dropout > 0))
        device.train(x, target, masks)
        velocity = device.read_velocity()
        assert device.counters().saturations == 0
    golden = [
        v / (lr * 2.0 ** (layer.in_frac + frac))
        for v, layer in zip(velocity, network.layers, strict=True)
    ]
    return (
        golden,
        float_gradient(network, real, x_real, target_real, prune, masks),
        float_gradient(network, real, x_real, target_real, masks=masks),
    )


SHAPES = [(8, 12, 4), (30, 16, 16, 5), (20, 12, 10, 8, 3)]
MIXED = ("tanh", "leaky_relu", "sigmoid")


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("sizes", [(10, 3), *SHAPES])
@pytest.mark.parametrize(("activation", "loss"), [*EVERY, *(("mixed", n) for n in LOSSES)])
def test_golden_gradient_points_where_the_reference_does(
    sizes: tuple[int, ...], activation: str, loss: str, seed: int
) -> None:
    hidden = MIXED[: len(sizes) - 2] if activation == "mixed" else activation
    golden, reference_gradient, _ = gradients(Network(sizes, hidden, loss), seed)
    for got, want in zip(golden, reference_gradient, strict=True):
        assert cosine(got, want) >= 0.999
        assert np.linalg.norm(got) == pytest.approx(np.linalg.norm(want), rel=0.01)


@pytest.mark.parametrize("sizes", SHAPES)
@pytest.mark.parametrize("activation", HIDDEN_ACTIVATIONS)
def test_golden_gradient_under_masks_points_where_the_reference_does(
    sizes: tuple[int, ...], activation: str
) -> None:
    golden, want, _ = gradients(Network(sizes, activation), 3, dropout=0.5)
    for got, expected in zip(golden, want, strict=True):
        assert cosine(got, expected) >= 0.999
        assert np.linalg.norm(got) == pytest.approx(np.linalg.norm(expected), rel=0.01)


@pytest.mark.parametrize("prune", [1, 2, 3])
@pytest.mark.parametrize("sizes", SHAPES[1:])
@pytest.mark.parametrize(("activation", "loss"), EVERY)
def test_pruned_golden_follows_the_pruned_reference_not_the_exact_one(
    sizes: tuple[int, ...], activation: str, loss: str, prune: int
) -> None:
    """A tangent at the threshold may fall to either side, so the cosine is a little lower."""
    golden, pruned, exact = gradients(Network(sizes, activation, loss), 0, prune)
    for got, want in zip(golden, pruned, strict=True):
        assert cosine(got, want) >= 0.99
    assert cosine(golden[0], pruned[0]) > cosine(golden[0], exact[0])


@pytest.mark.parametrize("activation", HIDDEN_ACTIVATIONS)
def test_golden_weights_follow_the_reference_over_batches(activation: str) -> None:
    """Five batches with momentum: the step, its sign and its order are the same."""
    network = Network((12, 8, 3), activation, "cce")
    master = [w >> 16 << 16 for w in weights_for(network, 4)]  # all the MAC sees
    weights = real_weights(master)
    lr, momentum = 0.2, 0.75
    optimiser = Momentum(lr, momentum)
    state = optimiser.start(weights)
    frac = update_frac(network, lr, 16)
    with GoldenDevice() as device:
        device.configure(network, frac)
        device.write_weights(master)
        device.set(make_settings(network, frac, lr, 16, momentum))
        for batch in range(5):
            x, target = data(network, 16, batch)
            device.train(network.quantize_inputs(x), network.quantize_targets(target))
            device.apply()
            slope = float_gradient(network, weights, x, target)
            weights, state = optimiser.step(weights, slope, state)
        moved = [MASTER.real(w) for w in device.read_weights()]
    for got, want, start in zip(moved, weights, master, strict=True):
        distance = np.linalg.norm(want - MASTER.real(start))
        assert np.linalg.norm(got - want) < 0.01 * distance
