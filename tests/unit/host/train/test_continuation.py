# SPDX-License-Identifier: BSD-2-Clause

"""Runs that go on with other samples or settings."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from support.small_runs import NETWORK, blobs, golden

from dualgate.contract.errors import InputError
from dualgate.contract.formats import VELOCITY_KEPT_WIDTH
from dualgate.contract.network import Network
from dualgate.data.samples import Samples
from dualgate.train.checkpoint import Checkpoint
from dualgate.train.continuation import carried
from dualgate.train.recipe import Recipe
from dualgate.train.trainer import Trainer

BASE = Recipe(2, 16, 0.1, momentum=0.8, seed=1)
ADAM = Recipe(2, 16, 0.01, optimiser="adam", seed=1, l1=1e-4)


def run(recipe: Recipe, data: Samples, before: Checkpoint | None = None) -> Checkpoint:
    with golden() as device:
        trainer = Trainer(NETWORK, recipe, data, before=before)
        list(trainer.run(device))
        return trainer.checkpoint(device)


@pytest.mark.parametrize("recipe", [BASE, ADAM])
def test_a_run_carried_on_is_one_run_bit_for_bit(recipe: Recipe) -> None:
    whole = run(replace(recipe, epochs=4), blobs())
    parts = run(replace(recipe, epochs=4), blobs(), run(recipe, blobs()))
    assert [record.loss for record in parts.records] == [record.loss for record in whole.records]
    for one, other in ((parts.weights, whole.weights), (parts.velocity, whole.velocity)):
        assert all((a == b).all() for a, b in zip(one, other, strict=True))


def test_a_velocity_keeps_its_value_in_another_format() -> None:
    before = run(BASE, blobs())
    after = replace(BASE, epochs=3, lr=0.1 / 64, batch=8)
    with golden() as device:
        trainer = Trainer(NETWORK, after, blobs(17), before=before)
        assert trainer.update_frac > before.update_frac
        start = carried(before, NETWORK, after, trainer.update_frac, 0)
        up = trainer.update_frac - before.update_frac
        for new, old in zip(start.velocity, before.velocity, strict=True):
            np.testing.assert_array_equal(new, old << up)
        back = carried(start, NETWORK, BASE, before.update_frac, 0)
        assert all((a == b).all() for a, b in zip(back.velocity, before.velocity, strict=True))
        list(trainer.run(device))
    assert trainer.epoch == 3


def test_a_velocity_out_of_range_is_clipped() -> None:
    before = run(BASE, blobs())
    start = carried(before, NETWORK, BASE, before.update_frac + 60, 0)
    limit = 1 << (VELOCITY_KEPT_WIDTH - 1)
    for new, old in zip(start.velocity, before.velocity, strict=True):
        assert (new[old > 0] == limit - 1).all()
        assert (new[old < 0] == -limit).all()


def test_patience_is_counted_anew_from_the_weights_so_far() -> None:
    before = run(BASE, blobs())
    start = carried(before, NETWORK, replace(BASE, patience=3), before.update_frac, 0)
    assert start.best is not None
    assert start.best.epoch == before.epoch
    assert all((a == b).all() for a, b in zip(start.best.weights, before.weights, strict=True))
    assert carried(before, NETWORK, BASE, before.update_frac, 0).best is None


@pytest.mark.parametrize(
    ("network", "recipe", "message"),
    [
        (Network((6, 3)), BASE, "^the network is another than so far; train it from the beginn"),
        (NETWORK, ADAM, "^optimiser adam or its penalties cannot take over from momentum"),
        (NETWORK, replace(BASE, l2=0.1), "^optimiser momentum or its penalties cannot take"),
    ],
)
def test_what_cannot_go_on_is_refused(network: Any, recipe: Recipe, message: str) -> None:
    before = run(BASE, blobs())
    with pytest.raises(InputError, match=message):
        Trainer(network, recipe, blobs(), before=before)
