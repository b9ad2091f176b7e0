# SPDX-License-Identifier: BSD-2-Clause

"""Runs in floating point: XOR in both ways, digits, and every option of a recipe."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dualgate.contract.errors import InputError
from dualgate.contract.network import Network
from dualgate.data import Samples, load_digits
from dualgate.floating.dual import network as scalar
from dualgate.floating.forward_mode import ForwardMode
from dualgate.floating.pruning import RelativePerTag
from dualgate.floating.recipe import FloatRecipe
from dualgate.floating.training import FloatTrainer
from dualgate.optim.optimisers import SGD, Adam, Momentum
from dualgate.optim.regularisation import EarlyStopping, Penalty

Floats = NDArray[np.float64]

XOR = np.array([[a, b] for a in (0.0, 1.0) for b in (0.0, 1.0)])
XOR_TARGET = np.logical_xor(XOR[:, :1], XOR[:, 1:]).astype(float)


def test_xor_is_learnt_alike_by_dual_numbers_and_by_arrays() -> None:
    network = Network((2, 4, 1), "sigmoid", "bce")
    trainer = FloatTrainer(
        ForwardMode(network), FloatRecipe(300, 4, Momentum(0.5)), Samples(XOR, XOR_TARGET)
    )
    weights: Sequence[Any] = list(trainer.weights)
    optimiser = Momentum(0.5)
    state = optimiser.start(weights)
    records = trainer.run()
    for epoch in range(300):
        record = next(records)
        if epoch < 100:
            slopes = scalar.gradient(network, weights, XOR, XOR_TARGET)
            weights, state = optimiser.step(weights, slopes, state)
        if epoch == 99:
            for one, other in zip(trainer.weights, weights, strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)
    outputs = trainer.mode.forward(trainer.weights, XOR).outputs
    assert np.abs(outputs - XOR_TARGET).max() < 0.05
    assert record.loss < 0.05
    assert record.accuracy is None


def blobs(samples: int, seed: int) -> Samples:
    """Three clouds of points in the plane."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 3, samples)
    centres = np.array([[0, 1], [1, -1], [-1, -1]])
    return Samples.of_classes(centres[labels] + random.normal(0, 0.5, (samples, 2)), labels, 3)


NETWORK = Network((2, 6, 5, 3), "tanh", "cce")
RECIPE = FloatRecipe(3, 16, Adam(0.02))


def run(recipe: FloatRecipe = RECIPE, **options: Any) -> tuple[FloatTrainer, list[Any]]:
    mode = ForwardMode(NETWORK, **{k: options.pop(k) for k in ("policy", "frozen") if k in options})
    trainer = FloatTrainer(mode, recipe, blobs(100, 0), blobs(50, 1), **options)
    return trainer, list(trainer.run())


def same(one: FloatTrainer, other: FloatTrainer) -> list[bool]:
    return [np.array_equal(a, b) for a, b in zip(one.weights, other.weights, strict=True)]


def test_digits_are_learnt_and_pruned_runs_keep_less() -> None:
    data = load_digits()
    network = Network((64, 24, 24, 10), "tanh", "cce")
    recipe = FloatRecipe(8, 32, Adam(0.005))
    for setting, kept in ((15, 1.0), (2, 0.7)):
        mode = ForwardMode(network, policy=RelativePerTag(setting))
        trainer = FloatTrainer(mode, recipe, data.train, data.held_out, dtype=np.float32)
        record = list(trainer.run())[-1]
        assert record.held_out_accuracy is not None
        assert record.held_out_accuracy >= 0.93
        assert record.kept_fraction <= kept
        assert (record.kept_fraction == 1.0) == (setting == 15)


def test_a_run_repeats_and_a_seed_changes_it() -> None:
    (one, records), (again, _) = run(), run()
    assert all(same(one, again))
    assert not any(same(one, run(replace(RECIPE, seed=1))[0]))
    assert [r.epoch for r in records] == [1, 2, 3]
    assert records[-1].loss < records[0].loss
    assert one.state.batches == 3 * 7  # 100 samples are 7 batches of 14 or 15


def test_batches_and_their_order_are_those_of_a_device() -> None:
    """As the trainer visits them: one permutation an epoch, batches as equal as can be."""
    data = blobs(10, 0)
    mode = ForwardMode(Network((2, 3)))
    sums = FloatTrainer(mode, FloatRecipe(2, 4, SGD(0.1)), data)
    seen: list[Any] = []
    step = sums.step
    sums.step = lambda x, *rest: seen.append(x) or step(x, *rest)  # type: ignore[method-assign,func-returns-value]
    done: list[int] = []
    list(sums.run(on_batch=done.append))
    orders = [np.random.default_rng((0, epoch)).permutation(10) for epoch in range(2)]
    assert [len(x) for x in seen] == [4, 3, 3] * 2
    assert done == [4, 7, 10] * 2
    assert np.array_equal(np.concatenate(seen), data.x[np.concatenate(orders)])


def test_the_measures_are_those_of_the_weights_before_they_move() -> None:
    trainer = FloatTrainer(
        ForwardMode(NETWORK), FloatRecipe(1, 16, SGD(1e-15)), blobs(100, 0), blobs(50, 1)
    )
    record = next(trainer.run())
    for data, loss, accuracy in (
        (blobs(100, 0), record.loss, record.accuracy),
        (blobs(50, 1), record.held_out_loss, record.held_out_accuracy),
    ):
        trace = trainer.mode.forward(trainer.weights, data.x)
        expected = trainer.mode.objective.of_samples(trace.z, trace.outputs, data.target).mean()
        assert loss == pytest.approx(expected, rel=1e-9)
        assert accuracy == (trace.outputs.argmax(axis=1) == data.labels).mean()


def test_layers_that_the_network_has_frozen_do_not_move() -> None:
    mode = ForwardMode(replace(NETWORK, frozen=(1,)), frozen=(0,))
    trainer = FloatTrainer(mode, RECIPE, blobs(100, 0))
    before = [w.copy() for w in trainer.weights]
    list(trainer.run())
    moved = [(a != b).any() for a, b in zip(trainer.weights, before, strict=True)]
    assert moved == [False, False, True]


def test_frozen_layers_do_not_move() -> None:
    start = run(replace(RECIPE, epochs=1))[0]
    recipe = replace(RECIPE, penalty=Penalty(0.1, 0.1))
    trainer, _ = run(recipe, frozen=(0,), weights=start.weights)
    assert same(start, trainer) == [True, False, False]
    assert len(trainer.state.slots) == 2


@pytest.mark.parametrize(
    "change", [{"dropout": 0.3}, {"penalty": Penalty(0.01)}, {"class_weights": (1, 2, 3)}]
)
def test_every_option_reaches_the_gradient(change: dict[str, Any]) -> None:
    assert not any(same(run()[0], run(replace(RECIPE, **change))[0]))


def test_a_class_that_weighs_more_is_answered_more_often() -> None:
    often = []
    for weight in (0.05, 1.0, 20.0):
        recipe = replace(RECIPE, epochs=20, class_weights=(1.0, weight, 1.0))
        trainer, _ = run(recipe)
        outputs = trainer.mode.forward(trainer.weights, blobs(300, 1).x).outputs
        often.append(np.count_nonzero(outputs.argmax(axis=1) == 1))
    assert often[0] < often[1] < often[2]


def test_early_stopping_ends_a_run_and_puts_the_best_back() -> None:
    recipe = FloatRecipe(200, 16, Adam(0.05))
    trainer = FloatTrainer(ForwardMode(NETWORK), recipe, blobs(30, 0), blobs(50, 1))
    stop = EarlyStopping(3)
    records = list(trainer.run(stop))
    losses = [r.held_out_loss for r in records]
    assert len(records) < 200
    assert stop.epoch == int(np.argmin(losses)) + 1 == len(records) - 3
    trace = trainer.mode.forward(trainer.weights, blobs(50, 1).x)
    loss = trainer.mode.objective.of_samples(trace.z, trace.outputs, blobs(50, 1).target).mean()
    assert loss == pytest.approx(min(losses), rel=1e-12)


def test_early_stopping_needs_held_out_samples() -> None:
    trainer = FloatTrainer(ForwardMode(NETWORK), RECIPE, blobs(10, 0))
    with pytest.raises(InputError, match=r"^early stopping watches held-out samples; give some$"):
        next(trainer.run(EarlyStopping(1)))


X, T = np.zeros((4, 2)), np.zeros((4, 3))
BAD: list[tuple[Callable[[], Any], str]] = [
    (lambda: FloatTrainer(ForwardMode(NETWORK), RECIPE, Samples(X[:, :1], T)), r"^inputs have sh"),
    (lambda: FloatTrainer(ForwardMode(NETWORK), RECIPE, Samples(X, T[:, :1])), r"^targets have sh"),
    (lambda: FloatTrainer(ForwardMode(NETWORK), RECIPE, Samples(X[:2], T)), r"^2 inputs for 4 tar"),
    (lambda: FloatTrainer(ForwardMode(NETWORK), RECIPE, Samples(X[:0], T[:0])), r"^0 inputs for 0"),
    (
        lambda: FloatTrainer(ForwardMode(NETWORK), RECIPE, Samples(X / np.float64("nan"), T)),
        r"^inputs are not all finite numbers; clean the data first$",
    ),
    (
        lambda: FloatTrainer(ForwardMode(NETWORK), RECIPE, Samples(X, T), weights=[X]),
        r"^weights have shapes \[\(4, 2\)\]; the network needs \[\(3, 6\), \(7, 5\), \(6, 3\)\]$",
    ),
    (lambda: FloatRecipe(0, 1, SGD(0.1)), r"^epochs 0: give 1 or more$"),
    (lambda: FloatRecipe(1, 0, SGD(0.1)), r"^batch 0: give 1 or more$"),
    (lambda: FloatRecipe(1, 1, SGD(0.1), seed=-1), r"^seed -1: give 0 or more$"),
    (lambda: FloatRecipe(1, 1, SGD(0.1), dropout=1.0), r"^dropout 1.0: give"),
]


@pytest.mark.parametrize(("make", "message"), BAD)
def test_what_does_not_fit_is_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()
