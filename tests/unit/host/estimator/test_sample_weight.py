# SPDX-License-Identifier: BSD-2-Clause

"""Weights of samples in the estimators: zeros, copies, the same bits."""

from typing import Any

import numpy as np
import pytest
from support.small_runs import blobs

from dualgate.estimator import Classifier, Regressor

DATA = blobs(90)
NAMES = np.array(["ant", "bee", "cow"])[np.arange(90) % 3]
LINE = np.random.default_rng(0).uniform(-1, 1, (90, 2))
ON_LINE = LINE @ [2.0, -1.0] + 0.5
MODELS: list[tuple[Any, Any, Any]] = [
    (Classifier((8,), epochs=5), DATA.x, NAMES),
    (Classifier((8,), epochs=5, optimiser="adam", lr=0.01), DATA.x, NAMES),
    (Classifier((8,), epochs=5, device="float"), DATA.x, NAMES),
    (Classifier((8,), epochs=5, patience=2, class_weight="balanced"), DATA.x, NAMES),
    (Regressor((8,), epochs=5), LINE, ON_LINE),
]


def same(one: Any, other: Any) -> bool:
    pairs = zip(one.coefs_ + one.intercepts_, other.coefs_ + other.intercepts_, strict=True)
    return all((a == b).all() for a, b in pairs)


@pytest.mark.parametrize(("model", "x", "y"), MODELS)
def test_a_weight_of_zero_leaves_the_sample_out(model: Any, x: Any, y: Any) -> None:
    weight = np.random.default_rng(1).integers(0, 3, 90) * 0.7
    some = type(model)(**model.get_params()).fit(x, y, sample_weight=weight)
    kept = weight > 0
    others = type(model)(**model.get_params()).fit(x[kept], y[kept], sample_weight=weight[kept])
    assert same(some, others)
    assert some.loss_curve_ == others.loss_curve_


@pytest.mark.parametrize(("model", "x", "y"), MODELS)
def test_equal_weights_are_no_weights(model: Any, x: Any, y: Any) -> None:
    params = model.get_params()
    plain = type(model)(**params).fit(x, y)
    assert same(plain, type(model)(**params).fit(x, y, sample_weight=np.full(90, 0.3)))
    assert not same(plain, type(model)(**params).fit(x, y, sample_weight=1 + np.arange(90) % 2))


@pytest.mark.parametrize("device", ["golden", "float"])
def test_a_weight_of_three_is_three_copies(device: str) -> None:
    copies = np.arange(90) % 3 + 1
    model = Regressor((6,), epochs=20, batch=1000, device=device)
    few = model.fit(LINE, ON_LINE, sample_weight=copies).predict(LINE)
    many = model.fit(LINE.repeat(copies, axis=0), ON_LINE.repeat(copies)).predict(LINE)
    np.testing.assert_allclose(few, many, atol=1e-9 if device == "float" else 0.01)


def test_a_heavy_sample_is_learned_before_the_others() -> None:
    y = ON_LINE.copy()
    y[0] += 10.0
    weight = np.where(np.arange(90) == 0, 100.0, 1.0)
    model = Regressor((16,), epochs=60)
    errors = [abs(model.fit(LINE, y, w).predict(LINE[:1])[0] - y[0]) for w in (None, weight)]
    assert errors[1] < 1.0 < 5.0 < errors[0]


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.zeros(90), "zero"),
        (np.full(90, -1.0), "Negative values"),
        (np.full(90, np.nan), "NaN"),
        (np.ones(89), "shape"),
    ],
)
def test_weights_that_are_none_are_refused(weight: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Classifier(epochs=1).fit(DATA.x, NAMES, sample_weight=weight)


def test_weights_of_any_size_train() -> None:
    weight = 10.0 ** np.random.default_rng(2).uniform(-200, 0, 90)
    model = Classifier((8,), epochs=3).fit(DATA.x, NAMES, sample_weight=weight)
    assert all(np.isfinite(loss) for loss in model.loss_curve_)


def test_score_takes_weights() -> None:
    model = Classifier((8,), epochs=1).fit(DATA.x, NAMES)
    right = model.predict(DATA.x) == NAMES
    assert 0 < right.sum() < 90
    assert model.score(DATA.x, NAMES, sample_weight=right) == 1.0


@pytest.mark.slow
@pytest.mark.parametrize("optimiser", ["momentum", "adam"])
def test_the_simulated_engine_weighs_the_same(optimiser: str) -> None:
    weight = np.random.default_rng(1).integers(0, 4, 90)
    settings: dict[str, Any] = {"hidden": (8, 5), "epochs": 2, "optimiser": optimiser, "lr": 0.02}
    golden, sim = (
        Classifier(**settings, device=name).fit(DATA.x, NAMES, weight) for name in ("golden", "sim")
    )
    assert same(golden, sim)
    assert golden.loss_curve_ == sim.loss_curve_
