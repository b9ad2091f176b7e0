# SPDX-License-Identifier: BSD-2-Clause

"""Floating point and its policies of pruning, as settings of an estimator."""

from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from support.small_runs import blobs

from dualgate.contract.errors import InputError
from dualgate.estimator import Classifier
from dualgate.floating import ForwardMode, LargestPerNumber, RandomPerNumber, RelativePerTag

DATA = blobs(90)
LABELS = np.arange(90) % 3
POLICIES: list[Any] = ["off", "1/2", LargestPerNumber(4), RandomPerNumber(4, seed=3)]


def test_policies_of_pruning_are_searched() -> None:
    model = Classifier((12, 8, 6), epochs=10, lr=0.05, device="float")
    grid = {"prune": POLICIES, "frozen": [(), (0,)]}
    search = GridSearchCV(model, grid, cv=3, error_score="raise").fit(DATA.x, LABELS)
    assert search.best_score_ > 0.95
    assert search.best_estimator_.predict(DATA.x).shape == (90,)


def test_a_policy_prunes_as_it_does_alone() -> None:
    kept = {}
    for policy in POLICIES:
        model = Classifier((12, 8, 6), epochs=1, device="float", prune=policy)
        first = model.fit(DATA.x, LABELS).loss_curve_
        assert model.fit(DATA.x, LABELS).loss_curve_ == first  # a policy's numbers are not used up
        kept[str(policy)] = model.history_[0].kept_fraction
    shares = list(kept.values())
    assert shares[0] == 1.0
    assert all(0.05 < share < 0.95 for share in shares[1:])


def test_floating_point_is_the_yardstick_of_a_device() -> None:
    device, real = (
        Classifier((12, 8), epochs=10, prune=0.25, device=name, class_weight={0: 2.0}).fit(
            DATA.x, LABELS, sample_weight=1 + np.arange(90) % 4
        )
        for name in ("golden", "float")
    )
    for mine, other in zip(device.loss_curve_, real.loss_curve_, strict=True):
        assert mine == pytest.approx(other, rel=0.03, abs=0.002)
    assert device.history_[0].kept_fraction == pytest.approx(
        real.history_[0].kept_fraction, abs=0.02
    )
    mode = ForwardMode(device.checkpoint_.network, policy=RelativePerTag(2))
    trace = mode.forward(real._trained.weights, real._scaler.transform(DATA.x))
    np.testing.assert_allclose(real.predict_proba(DATA.x), trace.outputs)


def test_frozen_layers_keep_their_weights_in_floating_point() -> None:
    models = [
        Classifier((8,), epochs=epochs, device="float", frozen=0).fit(DATA.x, LABELS)
        for epochs in (1, 3)
    ]
    np.testing.assert_array_equal(models[0].coefs_[0], models[1].coefs_[0])
    assert (models[0].coefs_[1] != models[1].coefs_[1]).any()


def test_floating_point_has_no_shifts_of_images() -> None:
    with pytest.raises(InputError, match=r"^shift 1: floating point has no shifts"):
        Classifier(device="float", shift=1, epochs=1).fit(DATA.x[:, :4], LABELS)


def test_floating_point_stops_early_and_keeps_the_best_weights() -> None:
    doubtful = np.where(np.arange(90) % 4 == 0, 0, LABELS)
    model = Classifier((8,), epochs=200, lr=0.5, patience=2, device="float").fit(DATA.x, doubtful)
    losses = [record.held_out_loss for record in model.history_]
    assert len(losses) < 200
    assert int(np.argmin(losses)) == len(losses) - 3  # type: ignore[arg-type]
