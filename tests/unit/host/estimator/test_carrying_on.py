# SPDX-License-Identifier: BSD-2-Clause

"""Training that goes on: partial_fit and warm starts."""

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from support.small_runs import blobs

from dualgate.contract.errors import InputError
from dualgate.estimator import Classifier, Regressor

DATA = blobs(90)
LABELS = np.arange(90) % 3
LINE = np.random.default_rng(0).uniform(-1, 1, (90, 2))
ON_LINE = LINE @ [2.0, -1.0] + 0.5
SETTINGS: list[dict[str, Any]] = [
    {},
    {"optimiser": "adam", "lr": 0.01},
    {"schedule": "exponential:0.5", "l2": 0.01},
    {"device": "float", "optimiser": "adam", "lr": 0.01},
]


def weights(model: Any) -> list[Any]:
    return [*model.coefs_, *model.intercepts_]


def same(one: Any, other: Any) -> bool:
    return all((a == b).all() for a, b in zip(weights(one), weights(other), strict=True))


@pytest.mark.parametrize("settings", SETTINGS)
def test_calls_of_partial_fit_are_the_epochs_of_fit(settings: dict[str, Any]) -> None:
    whole = Classifier((8,), epochs=4, **settings).fit(DATA.x, LABELS)
    model = Classifier((8,), epochs=99, **settings)
    for _ in range(4):
        model.partial_fit(DATA.x, LABELS, classes=[0, 1, 2])
    assert same(model, whole)
    assert model.loss_curve_ == whole.loss_curve_
    assert model.n_iter_ == 4


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_warm_start_goes_on_where_fit_ended(settings: dict[str, Any]) -> None:
    whole = Classifier((8,), epochs=6, **settings).fit(DATA.x, LABELS)
    model = Classifier((8,), epochs=3, warm_start=True, **settings).fit(DATA.x, LABELS)
    assert not same(model, whole)
    assert same(model.fit(DATA.x, LABELS), whole)
    model.set_params(warm_start=False).fit(DATA.x, LABELS)
    assert model.n_iter_ == 3


def test_classes_may_come_one_after_the_other() -> None:
    model = Classifier((16,), lr=0.1)
    for _ in range(8):
        for part in np.array_split(np.arange(90), 3):
            model.partial_fit(DATA.x[part], LABELS[part], classes=range(3))
    assert model.score(DATA.x, LABELS) > 0.95
    first = Classifier().partial_fit(DATA.x[::3], LABELS[::3], classes=[0, 1, 2])
    assert first.predict_proba(DATA.x).shape == (90, 3)


def test_numbers_arrive_in_parts_of_other_sizes() -> None:
    model = Regressor((), lr=0.02)
    for _ in range(30):
        for part in (slice(0, 50), slice(50, 57), slice(57, 90)):
            model.partial_fit(LINE[part], ON_LINE[part])
    assert model.score(LINE, ON_LINE) > 0.99


def test_the_scaling_of_the_first_call_is_kept() -> None:
    model = Regressor((4,)).partial_fit(LINE, ON_LINE)
    mean = model._scaler.mean_.copy()
    model.partial_fit(LINE + 3.0, ON_LINE + 10.0)
    np.testing.assert_array_equal(model._scaler.mean_, mean)
    assert model._target_scaler.mean_ == pytest.approx(ON_LINE.mean())
    with pytest.raises(InputError, match=r"^target 10.+ is .+ standard deviations from the mean"):
        model.partial_fit(LINE, ON_LINE + 100.0)


def test_the_rate_may_change_on_the_way() -> None:
    model = Classifier((8,), lr=0.2).partial_fit(DATA.x, LABELS, classes=[0, 1, 2])
    before = weights(model)
    model.set_params(lr=1e-6, momentum=0.0).partial_fit(DATA.x, LABELS)
    moved = max(np.abs(a - b).max() for a, b in zip(weights(model), before, strict=True))
    assert 0 < moved < 0.2
    assert model.set_params(lr=0.2).partial_fit(DATA.x, LABELS).loss_ < model.loss_curve_[0]


def test_early_stopping_waits_anew_at_a_warm_start() -> None:
    model = Classifier((8,), epochs=100, lr=0.5, patience=2, warm_start=True)
    first = model.fit(DATA.x, LABELS).n_iter_
    assert first < 100
    assert model.fit(DATA.x, LABELS).n_iter_ >= first + 2
    moved = Classifier((8,), epochs=3, patience=0, warm_start=True).fit(DATA.x, LABELS)
    assert moved.set_params(patience=2, epochs=50).fit(DATA.x, LABELS).n_iter_ > 3


def test_a_random_seed_is_drawn_once() -> None:
    model = Classifier((8,), seed=None).partial_fit(DATA.x, LABELS, classes=[0, 1, 2])
    seed = model.checkpoint_.recipe.seed
    assert model.partial_fit(DATA.x, LABELS).checkpoint_.recipe.seed == seed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hidden": (5,)}, "^the network is another than so far"),
        ({"optimiser": "adam"}, "^optimiser adam .* cannot take over from momentum"),
        ({"l2": 0.1}, "^optimiser momentum or its penalties cannot take over"),
        ({"device": "float"}, "^a run on a device cannot go on in floating point"),
        ({"class_weight": "balanced"}, "^class_weight 'balanced' needs all samples"),
    ],
)
def test_what_cannot_go_on_is_refused(change: dict[str, Any], message: str) -> None:
    model = Classifier((8,)).partial_fit(DATA.x, LABELS, classes=[0, 1, 2])
    before = weights(model)
    with pytest.raises(InputError, match=message):
        model.set_params(**change).partial_fit(DATA.x, LABELS)
    assert all((a == b).all() for a, b in zip(weights(model), before, strict=True))


def test_floating_point_does_not_go_on_on_a_device() -> None:
    model = Regressor((4,), device="float").partial_fit(LINE, ON_LINE)
    with pytest.raises(InputError, match=r"^a run in floating point cannot go on on device 'gol"):
        model.set_params(device="golden").partial_fit(LINE, ON_LINE)
    with pytest.raises(InputError, match=r"^trained in floating point, not for device 'golden'"):
        model.predict(LINE)


def test_a_device_run_does_not_answer_in_floating_point() -> None:
    model = Regressor((4,), epochs=1).fit(LINE, ON_LINE)
    with pytest.raises(InputError, match=r"^trained on a device, not in floating point"):
        model.set_params(device="float").predict(LINE)


def test_a_warm_start_needs_further_epochs() -> None:
    model = Regressor((4,), epochs=2, warm_start=True).fit(LINE, ON_LINE)
    with pytest.raises(InputError, match=r"^0 epochs: give at least 1$"):
        model.set_params(epochs=0).fit(LINE, ON_LINE)
    assert model.n_iter_ == 2


def test_classes_are_told_first_and_stay() -> None:
    model = Classifier((8,))
    with pytest.raises(ValueError, match=r"^classes must be passed on the first call"):
        model.partial_fit(DATA.x, LABELS)
    model.partial_fit(DATA.x, LABELS, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"^classes \[3\] of y are not among \[0 1 2\]"):
        model.partial_fit(DATA.x, LABELS + (LABELS == 2))
    with pytest.raises(ValueError, match=r"^classes \[0 1\] are not those of the first call"):
        model.partial_fit(DATA.x, LABELS, classes=[0, 1])
    assert not hasattr(clone(model), "classes_")
