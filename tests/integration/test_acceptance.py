# SPDX-License-Identifier: BSD-2-Clause

"""Whole training runs: what a user is promised of the default task and of deep networks."""

from dataclasses import replace
from itertools import product

import pytest

from dualgate.contract.network import Network
from dualgate.contract.settings import PRUNE_OFF, parse_prune
from dualgate.data import load_digits
from dualgate.devices import open_device
from dualgate.devices.checked import CheckedDevice, golden_model
from dualgate.tasks import find_task
from dualgate.train.recipe import Recipe
from dualgate.train.trainer import Trainer

DEEP = (64, 24, 24, 24, 10)

RECIPES = {
    "tanh": Recipe(20, batch=32, lr=0.07, momentum=0.9),
    "relu": Recipe(20, batch=32, lr=0.03, momentum=0.9),
    "sigmoid": Recipe(40, batch=32, lr=0.2, momentum=0.9),
}


def checked() -> CheckedDevice:
    return CheckedDevice(open_device("sim", neurons=16), golden_model)


QUARTER = parse_prune("1/4")
SAMPLED = {("tanh", PRUNE_OFF), ("relu", QUARTER)}
"""What `make test` trains; `make thorough` has all activations with and without pruning."""


@pytest.mark.parametrize(
    ("activation", "prune"),
    [
        pytest.param(*pair, marks=() if pair in SAMPLED else pytest.mark.thorough)
        for pair in product(RECIPES, (PRUNE_OFF, QUARTER))
    ],
)
class TestThreeHiddenLayers:
    def test_reach_93_percent_of_held_out_digits_on_golden(self, activation, prune):
        data = load_digits()
        recipe = replace(RECIPES[activation], prune=prune)
        trainer = Trainer(Network(DEEP, activation), recipe, data.train, data.held_out)
        with open_device("golden") as device:
            *_, last = trainer.run(device)
        assert last.held_out_accuracy >= 0.93

    def test_train_an_epoch_on_the_rtl_bit_for_bit(self, activation, prune):
        data = load_digits()
        recipe = replace(RECIPES[activation], prune=prune, epochs=1)
        trainer = Trainer(Network(DEEP, activation), recipe, data.train)
        with checked() as device:
            list(trainer.run(device))
            assert device.batches == trainer.batches == 45


def test_the_default_task_reaches_95_percent_on_the_rtl_bit_for_bit():
    task, data = find_task("digits"), load_digits()
    network = Network(task.layers, task.activation, task.loss)
    trainer = Trainer(network, task.recipe, data.train, data.held_out)
    with checked() as device:
        *_, last = trainer.run(device)
        assert device.batches == 45 * task.recipe.epochs
    assert last.held_out_accuracy >= 0.95
