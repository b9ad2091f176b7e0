# SPDX-License-Identifier: BSD-2-Clause

"""Weights of samples: rates on a device, factors in floating point, copies of samples."""

from dataclasses import replace

import numpy as np
import pytest
from support.small_engines import engine
from support.small_runs import NETWORK, blobs, golden

from dualgate.contract.errors import InputError
from dualgate.contract.formats import MASTER
from dualgate.data.samples import Samples
from dualgate.devices import Device, open_device
from dualgate.devices.checked import CheckedDevice, golden_model
from dualgate.floating import FloatRecipe, FloatTrainer, ForwardMode
from dualgate.optim.initialisers import initial_weights
from dualgate.train.recipe import Recipe
from dualgate.train.trainer import Trainer

BASE = Recipe(3, 16, 0.1, momentum=0.8, seed=1)
ADAM = Recipe(3, 16, 0.01, optimiser="adam", seed=1)
RECIPES = {
    "on chip": BASE,
    "on the host": ADAM,
    "with class weights": replace(BASE, class_weights=(1, 2, 0.5)),
}


def weighted(count: int = 50) -> Samples:
    random = np.random.default_rng(5)
    return replace(blobs(count), weight=random.uniform(0.2, 5.0, count).round(1))


def train(recipe: Recipe, data: Samples, device: Device | None = None) -> Trainer:
    with device or golden() as opened:
        trainer = Trainer(NETWORK, recipe, data, weighted(20))
        list(trainer.run(opened))
        trainer.last = opened.read_weights()  # type: ignore[attr-defined]
    return trainer


def last(trainer: Trainer) -> list[np.ndarray]:
    return trainer.last  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize("name", RECIPES)
def test_a_device_weighs_samples_as_floating_point_does(name: str) -> None:
    recipe, data = RECIPES[name], weighted()
    method = recipe.method(4)
    real = FloatTrainer(
        ForwardMode(NETWORK),
        FloatRecipe(3, 16, method.optimiser, class_weights=recipe.class_weights or None, seed=1),
        data,
        weighted(20),
        initial_weights(NETWORK, None, 1),
    )
    records = list(real.run())
    trainer = train(recipe, data)
    for ours, theirs, first in zip(
        last(trainer), real.weights, initial_weights(NETWORK, None, 1), strict=True
    ):
        assert np.abs(MASTER.real(ours) - theirs).max() < 0.01 * np.abs(theirs - first).max()
    for mine, other in zip(trainer.records, records, strict=True):
        assert mine.loss == pytest.approx(other.loss, rel=0.01)
        assert mine.held_out_loss == pytest.approx(other.held_out_loss, rel=0.01)


@pytest.mark.parametrize("recipe", [BASE, ADAM])
def test_a_weight_counts_as_that_many_copies(recipe: Recipe) -> None:
    data, copies = blobs(30), np.arange(30) % 4 + 1
    one = replace(recipe, batch=1000)
    x, target = (array.repeat(copies, axis=0) for array in (data.x, data.target))
    many = last(train(one, Samples(x, target)))
    few = last(train(one, replace(data, weight=copies.astype(float))))
    for a, b, first in zip(many, few, initial_weights(NETWORK, None, 1), strict=True):
        moved = np.abs(MASTER.real(a) - first).max()
        assert np.abs(MASTER.real(a) - MASTER.real(b)).max() < 0.005 * moved


def test_only_the_ratios_of_weights_matter() -> None:
    data = weighted()
    assert data.weight is not None
    twice = replace(data, weight=4 * data.weight)
    same = replace(blobs(), weight=np.full(50, 3.0))
    for some, others in ((data, twice), (blobs(), same)):
        pairs = zip(last(train(BASE, some)), last(train(BASE, others)), strict=True)
        assert all((a == b).all() for a, b in pairs)


def test_a_vanishing_weight_trains_nothing_and_harms_nothing() -> None:
    weight = np.where(np.arange(50) < 25, 1.0, 1e-300)
    for recipe in (replace(BASE, batch=50), replace(ADAM, batch=50)):
        trainer = train(recipe, replace(blobs(), weight=weight))
        assert trainer.counters.saturations == 0
        lighter = train(recipe, replace(blobs(), weight=np.maximum(weight, 1e-12)))
        assert all((a == b).all() for a, b in zip(last(trainer), last(lighter), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("recipe", [BASE, ADAM])
def test_the_simulated_hardware_weighs_with_the_same_bits(recipe: Recipe) -> None:
    recipe = replace(recipe, epochs=1, prune=2)
    expected = last(train(recipe, weighted()))
    checked = CheckedDevice(open_device("sim", **vars(engine("n4"))), golden_model)
    got = last(train(recipe, weighted(), checked))
    assert all((a == b).all() for a, b in zip(got, expected, strict=True))


@pytest.mark.parametrize("weight", [np.ones(49), np.zeros(50), np.full(50, np.nan), -np.ones(50)])
def test_weights_that_are_none_are_refused(weight: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"^sample weights: give one number above 0 for each"):
        Trainer(NETWORK, BASE, replace(blobs(), weight=weight))


def test_a_weight_too_large_for_the_rate_is_refused() -> None:
    data = replace(blobs(), weight=np.where(np.arange(50) == 7, 1e6, 1e-9))
    with pytest.raises(InputError, match=r"^a sample has 50 times the mean weight, too much for"):
        Trainer(NETWORK, replace(BASE, lr=1e5), data)


def test_a_run_with_other_weights_is_another_run() -> None:
    with golden() as device:
        trainer = Trainer(NETWORK, BASE, weighted())
        list(trainer.run(device))
        state = trainer.checkpoint(device)
    with pytest.raises(InputError, match=r"it has other training samples$"):
        Trainer(NETWORK, replace(BASE, epochs=5), blobs(), start=state)
