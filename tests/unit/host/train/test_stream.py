# SPDX-License-Identifier: BSD-2-Clause

"""Streams: samples come in their order, and the loss at the end of each part is recorded."""

from dataclasses import replace

import numpy as np
import pytest

from dualgate.contract.network import Network
from dualgate.data.builtin import load_tracking
from dualgate.data.samples import Samples
from dualgate.devices import open_device
from dualgate.floating.forward_mode import ForwardMode
from dualgate.floating.recipe import FloatRecipe
from dualgate.floating.training import FloatTrainer
from dualgate.optim.initialisers import initial_master_weights
from dualgate.optim.optimisers import SGD
from dualgate.train.chance import epoch_batches
from dualgate.train.recipe import Recipe
from dualgate.train.stream import add_losses, mean_losses
from dualgate.train.trainer import Trainer

NETWORK = Network((1, 4, 1), "tanh", "mse")
RECIPE = Recipe(1, batch=1, lr=0.1)


def stream(parts: tuple[int, ...]) -> Samples:
    whole = load_tracking().train
    return Samples(whole.x[: sum(parts)], whole.target[: sum(parts)], parts=parts)


def test_a_stream_keeps_its_order_in_every_epoch() -> None:
    for epoch in range(2):
        batches = epoch_batches(3, epoch, 7, 3, stream=True)
        assert np.concatenate(batches).tolist() == list(range(7))
    assert np.concatenate(epoch_batches(3, 0, 7, 3)).tolist() != list(range(7))


@pytest.mark.parametrize("batch", [1, 7])
def test_the_end_of_each_part_is_averaged(batch: int) -> None:
    """One part is longer than its end, and one is shorter."""
    parts = (150, 30)
    losses = np.random.default_rng(0).random(180)
    totals: tuple[float, ...] = ()
    for positions in np.array_split(np.arange(180), 180 // batch):
        totals = add_losses(totals, parts, positions, losses[positions])
    found = mean_losses(totals, parts)
    assert found == pytest.approx((losses[50:150].mean(), losses[150:].mean()))


def test_each_loss_is_of_the_weights_before_the_sample() -> None:
    """The recorded losses are those of a device that is trained by hand."""
    samples = stream((5, 3))
    trainer = Trainer(NETWORK, RECIPE, samples)
    with open_device("golden") as device:
        (record,) = trainer.run(device)
        end = device.read_weights()
    by_hand = replace(RECIPE, epochs=8)
    losses = []
    with open_device("golden") as device:
        weights = initial_master_weights(NETWORK, 0)
        for at in range(8):
            one = Samples(samples.x[at : at + 1], samples.target[at : at + 1])
            single = Trainer(NETWORK, replace(by_hand, epochs=1), one, weights=weights)
            losses.append(next(single.run(device)).loss)
            weights = device.read_weights()
    assert record.part_losses == pytest.approx((np.mean(losses[:5]), np.mean(losses[5:])))
    assert [w.tolist() for w in end] == [w.tolist() for w in weights]


def test_a_stream_that_is_left_goes_on_with_the_same_losses() -> None:
    samples = stream((20, 10))
    with open_device("golden") as device:
        (whole,) = Trainer(NETWORK, RECIPE, samples).run(device)
    first = Trainer(NETWORK, RECIPE, samples)
    states = []

    def leave(done: int) -> None:
        if done == 17:
            states.append(first.checkpoint(device))

    with open_device("golden") as device:
        list(first.run(device, leave))
    with open_device("golden") as device:
        (rest,) = Trainer(NETWORK, RECIPE, samples, start=states[0]).run(device)
    assert rest.part_losses == whole.part_losses


def test_floating_point_follows_the_same_stream() -> None:
    samples = stream((300, 300))
    recipe = FloatRecipe(1, 1, SGD(0.1))
    (floating,) = FloatTrainer(ForwardMode(NETWORK), recipe, samples).run()
    with open_device("golden") as device:
        (record,) = Trainer(NETWORK, RECIPE, samples).run(device)
    assert floating.part_losses == pytest.approx(record.part_losses, rel=0.02)


def test_samples_without_parts_have_no_losses_of_parts() -> None:
    plain = replace(stream((6,)), parts=())
    with open_device("golden") as device:
        (record,) = Trainer(NETWORK, RECIPE, plain).run(device)
    assert record.part_losses == ()
