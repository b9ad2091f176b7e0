# SPDX-License-Identifier: BSD-2-Clause

"""Optimisers, schedules, penalties and class weights on devices, beside floating point."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.small_engines import engine
from support.small_runs import NETWORK, blobs, golden

from dualgate.contract.errors import InputError
from dualgate.contract.formats import MASTER
from dualgate.contract.losses import LOSSES
from dualgate.contract.network import Network
from dualgate.data.samples import Samples
from dualgate.devices import Counters, Device, open_device
from dualgate.devices.checked import CheckedDevice, golden_model
from dualgate.floating import FloatRecipe, FloatTrainer, ForwardMode
from dualgate.optim.initialisers import initial_master_weights, initial_weights
from dualgate.optim.optimisers import OPTIMISERS
from dualgate.train.recipe import WITH_MOMENTUM, Recipe
from dualgate.train.trainer import Trainer

RATES = {"adadelta": 1.0, "rmsprop": 0.01, "adam": 0.01}
OPTIMISED = [
    Recipe(
        4,
        16,
        RATES.get(name, 0.1),
        momentum=0.8 if name in WITH_MOMENTUM else 0.0,
        optimiser=name,
        seed=1,
    )
    for name in OPTIMISERS
]
BASE = Recipe(4, 16, 0.1, momentum=0.8, seed=1)
WEIGHTS = (0.5, 1.0, 3.0)
RECIPES = {
    **{recipe.optimiser: recipe for recipe in OPTIMISED},
    "falling": replace(BASE, schedule="exponential:0.5"),
    "stairs": replace(BASE, schedule="staircase:0.3:0.5"),
    "falling adam": Recipe(4, 16, 0.02, optimiser="adam", schedule="inverse-time:1", seed=1),
    "penalties": replace(BASE, l1=0.002, l2=0.01),
    "classes": replace(BASE, class_weights=WEIGHTS),
    "classes on the host": replace(BASE, class_weights=WEIGHTS, l2=0.01),
    "classes of adam": Recipe(4, 16, 0.01, optimiser="adam", class_weights=WEIGHTS, seed=1),
    "normal": replace(BASE, initialiser="normal"),
}


def train(recipe: Recipe, device: Device, network: Network = NETWORK) -> Trainer:
    trainer = Trainer(network, recipe, blobs(), blobs(20, 1))
    list(trainer.run(device))
    return trainer


def in_float(recipe: Recipe, network: Network = NETWORK) -> FloatTrainer:
    """The same run in float64."""
    method = recipe.method(4)  # 50 samples are 4 batches
    trainer = FloatTrainer(
        ForwardMode(network),
        FloatRecipe(
            recipe.epochs,
            recipe.batch,
            method.optimiser,
            method.penalty,
            class_weights=recipe.class_weights or None,
            seed=recipe.seed,
        ),
        blobs(),
        blobs(20, 1),
        initial_weights(network, recipe.initialiser, recipe.seed),
    )
    list(trainer.run())
    return trainer


@pytest.mark.parametrize(
    ("name", "loss"),
    [*((name, "cce") for name in RECIPES), *(("penalties", loss) for loss in LOSSES)],
)
def test_a_device_follows_floating_point(name: str, loss: str) -> None:
    recipe, network = RECIPES[name], replace(NETWORK, loss=loss)
    real = in_float(recipe, network)
    with golden() as device:
        trainer = train(recipe, device, network)
        weights = [MASTER.real(w) for w in device.read_weights()]
    start = initial_weights(network, recipe.initialiser, recipe.seed)
    for ours, theirs, first in zip(weights, real.weights, start, strict=True):
        moved = np.abs(theirs - first).max()
        assert np.abs(ours - theirs).max() < 0.01 * moved
    assert trainer.counters.saturations == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["adam", "nesterov", "penalties", "classes", "stairs"])
def test_the_simulated_hardware_ends_with_the_same_bits(name: str) -> None:
    recipe = replace(RECIPES[name], epochs=1, prune=2)
    with golden() as device:
        expected = train(recipe, device)
        weights = device.read_weights()
    with open_device("sim", **vars(engine("n4"))) as sim:
        checked = CheckedDevice(sim, golden_model)
        trainer = train(recipe, checked)
        assert checked.batches == 4
        assert all((a == b).all() for a, b in zip(checked.read_weights(), weights, strict=True))
    assert trainer.records[0].loss == expected.records[0].loss


def test_msle_is_trained_as_mse_of_logarithms() -> None:
    data = blobs()
    raw = np.exp(3.0 * data.x[:, :2] + 2.0)
    recipe = replace(BASE, lr=0.01)
    weights = []
    for loss, target in (("msle", raw), ("mse", np.log1p(raw))):
        with golden() as device:
            trainer = Trainer(Network((6, 5, 2), "tanh", loss), recipe, Samples(data.x, target))
            list(trainer.run(device))
            weights.append(device.read_weights())
            if loss == "msle":
                evaluation = trainer.evaluate(device)
                outputs = device.infer(trainer.network.quantize_inputs(data.x))
                predicted = trainer.network.predictions(outputs)
    assert all((a == b).all() for a, b in zip(*weights, strict=True))
    error = (np.log1p(predicted) - np.log1p(raw)) ** 2
    assert evaluation.loss == pytest.approx(error.mean(), rel=1e-3)
    assert evaluation.mse == pytest.approx(((predicted - raw) ** 2).mean())


def test_a_frozen_layer_is_left_alone_by_optimiser_and_penalty() -> None:
    network = replace(NETWORK, frozen=(1,))
    recipe = replace(RECIPES["adam"], l1=0.1)
    with golden() as device:
        train(recipe, device, network)
        moved = [
            (a != b).any()
            for a, b in zip(device.read_weights(), initial_master_weights(network, 1), strict=True)
        ]
    assert moved == [True, False, True]


def test_weights_clipped_on_the_host_are_counted() -> None:
    with golden() as device:
        trainer = train(Recipe(1, 16, 30.0, optimiser="adam"), device)
        assert max(np.abs(w).max() for w in device.read_weights()) == 1 << 31
    assert trainer.counters.saturated_weights > 0
    assert trainer.records[0].saturations >= trainer.counters.saturated_weights
    assert device.counters().saturated_weights == 0


def test_a_batch_limit_counts_one_batch_and_not_the_run() -> None:
    """More samples than a batch may have, in batches, with an optimiser on the host."""
    samples = blobs(9000)
    recipe = Recipe(2, 9000, 0.01, optimiser="adam")
    with golden() as device:
        list(Trainer(Network((6, 3)), recipe, samples).run(device))


@pytest.mark.parametrize(
    ("loss", "weights", "message"),
    [
        ("cce", (1, 2), "^2 class weights: give 3, one for each class$"),
        ("bce", (1, 2), "^class weights do not apply to bce with several outputs"),
        ("mse", (1, 2, 3), "^class weights do not apply to the loss mse; use a loss of classes"),
        ("cce", (1, 0, 1), r"^class weights \(1, 0, 1\): give numbers above 0$"),
        (
            "cce",
            (1, 1, 1e30),
            r"^class weight 1e\+30 is too large to be represented with learning rate",
        ),
    ],
)
def test_class_weights_that_cannot_be_are_refused(loss: str, weights: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Trainer(Network((6, 3), "tanh", loss), replace(BASE, class_weights=weights), blobs())


def test_a_weight_far_below_the_largest_is_refused_on_the_host_too() -> None:
    recipe = Recipe(1, 16, 0.01, optimiser="adam", class_weights=(1, 2, 2e-30))
    with pytest.raises(InputError, match=r"^class weight 2e-30 is too small beside the largest, 2"):
        Trainer(NETWORK, recipe, blobs())


def test_class_weights_and_shifts_need_classes() -> None:
    data = replace(blobs(), labels=None)
    for change in ({"class_weights": WEIGHTS}, {"shift": 1}):
        recipe = replace(BASE, **change)  # type: ignore[arg-type]
        network = NETWORK if "class_weights" in change else Network((4, 3))
        samples = data if network is NETWORK else replace(data, x=data.x[:, :4])
        with pytest.raises(
            InputError, match=r"^shifts and class weights need samples with classes; leave them off"
        ):
            Trainer(network, recipe, samples)


def test_a_schedule_that_falls_out_of_reach_is_refused_before_the_run() -> None:
    with pytest.raises(InputError, match=r"^schedule exponential:1e-9 ends too far away: learn"):
        Trainer(NETWORK, replace(BASE, schedule="exponential:1e-9"), blobs())


def test_shifted_images_change_the_run_and_repeat() -> None:
    data = replace(blobs(), x=np.repeat(blobs().x[:, :4], 4, axis=1))
    network = Network((16, 3))
    ends = []
    for shift in (0, 1, 1):
        with golden() as device:
            list(Trainer(network, replace(BASE, shift=shift), data).run(device))
            ends.append(device.read_weights()[0])
    assert (ends[1] == ends[2]).all()
    assert (ends[0] != ends[1]).any()


def test_early_stopping_ends_the_run_and_puts_the_best_weights_back() -> None:
    recipe = replace(BASE, epochs=200, lr=0.3, patience=3)
    trainer = Trainer(NETWORK, recipe, blobs(30), blobs(20, 1))
    with golden() as device:
        records = list(trainer.run(device))
        evaluation = trainer.evaluate(device)
    losses = [record.held_out_loss for record in records]
    assert None not in losses
    assert len(records) < 200
    best = int(np.argmin(losses))  # type: ignore[arg-type]
    assert len(records) == best + 1 + 3
    assert evaluation.loss == pytest.approx(losses[best], rel=1e-12)
    assert trainer.finished


def test_early_stopping_needs_held_out_samples() -> None:
    with pytest.raises(InputError, match=r"^early stopping watches held-out samples; give some$"):
        Trainer(NETWORK, replace(BASE, patience=1), blobs())


def test_counters_of_a_run_leave_out_what_the_device_did_before() -> None:
    with golden() as device:
        first = train(BASE, device).counters
        assert first != Counters()
        assert train(BASE, device).counters == first
