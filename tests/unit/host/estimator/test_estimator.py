# SPDX-License-Identifier: BSD-2-Clause

"""Estimators: scikit-learn's own checks, the same bits as the training loop, plain errors."""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler
from sklearn.utils.estimator_checks import parametrize_with_checks
from support.small_runs import blobs

from dualgate.contract.errors import DeviceError, InputError
from dualgate.contract.network import Network
from dualgate.data.samples import Samples
from dualgate.devices import open_device
from dualgate.estimator import Classifier, Regressor
from dualgate.optim.optimisers import OPTIMISERS
from dualgate.train.dropout import infer
from dualgate.train.recipe import Recipe
from dualgate.train.trainer import Trainer

CANNOT_APPLY = {
    "check_sample_weight_equivalence_on_dense_data": (
        "a device rounds: the update of weight 2 differs from that of two copies in its last bits, "
        "by 0.001 of the prediction; test_sample_weight has what is exact, and how near the rest is"
    )
}
"""Checks of scikit-learn that do not hold here, with the reason."""


def cannot_apply(estimator: Any) -> dict[str, str]:
    return CANNOT_APPLY


@pytest.mark.slow
@parametrize_with_checks(
    [Classifier(epochs=15), Regressor(epochs=30)], expected_failed_checks=cannot_apply
)
def test_a_check_of_scikit_learn_passes(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)


DATA = blobs(90)
NAMES = np.array(["ant", "bee", "cow"])[np.arange(90) % 3]
LINE = np.random.default_rng(0).uniform(-1, 1, (200, 2))
ON_LINE = LINE @ [2.0, -1.0] + 0.5


def test_a_classifier_learns_names() -> None:
    model = Classifier(hidden=(8, 5), epochs=15, lr=0.2, prune="1/4").fit(DATA.x, NAMES)
    assert model.classes_.tolist() == ["ant", "bee", "cow"]
    assert model.score(DATA.x, NAMES) == 1.0
    assert model.predict(DATA.x[:2]).tolist() == NAMES[:2].tolist()
    assert len(model.history_) == 15


def test_a_regressor_fits_a_line() -> None:
    model = Regressor(hidden=(), epochs=30).fit(LINE, ON_LINE)
    assert model.predict(LINE).shape == (200,)
    assert model.score(LINE, ON_LINE) > 0.999


def test_targets_of_any_size_are_learned_and_each_output_by_itself() -> None:
    both = np.stack([1e6 * ON_LINE, 1e-6 * ON_LINE - 3.0], axis=1)
    model = Regressor(hidden=(), epochs=30).fit(LINE, both)
    assert model.predict(LINE).shape == (200, 2)
    assert model.score(LINE, both) > 0.999


def test_features_of_any_size_are_learned() -> None:
    x = DATA.x * [1e-6, 1e6, 1.0, 1.0, 1.0, 1.0] + [0.0, 1e7, 0.0, 0.0, 0.0, 0.0]
    assert Classifier(hidden=(8,), epochs=15, lr=0.2).fit(x, NAMES).score(x, NAMES) == 1.0


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_any_optimiser_with_schedule_and_penalty_trains(optimiser: str) -> None:
    model = Classifier((8,), optimiser=optimiser, lr=0.05, schedule="exponential:0.9", l2=1e-4)
    recipe = model.fit(DATA.x, NAMES).checkpoint_.recipe
    assert (recipe.optimiser, recipe.schedule, recipe.l2) == (optimiser, "exponential:0.9", 1e-4)
    assert model.history_[-1].loss < model.history_[0].loss


def test_dropout_trains_and_answers_as_the_training_loop_does() -> None:
    model = Classifier((8, 5), epochs=10, lr=0.1, dropout=0.25, scale="off").fit(DATA.x, NAMES)
    state = model.checkpoint_
    with open_device("golden") as device:
        trainer = Trainer(
            state.network, state.recipe, Samples(DATA.x, np.eye(3)[np.arange(90) % 3])
        )
        list(trainer.run(device))
        expected = infer(device, state.network.quantize_inputs(DATA.x), 0.25)
    real = state.network.output_format.real(expected)
    assert (model.predict_proba(DATA.x) == real / real.sum(axis=1, keepdims=True)).all()
    assert model.score(DATA.x, NAMES) > 0.9


def test_targets_over_orders_of_magnitude_are_learned_as_logarithms() -> None:
    y = np.expm1(2 * ON_LINE + 4)
    model = Regressor(hidden=(), loss="msle", epochs=30).fit(LINE, y)
    assert np.abs(np.log1p(model.predict(LINE)) - (2 * ON_LINE + 4)).max() < 0.1


def test_unscaled_it_is_the_training_loop_bit_for_bit() -> None:
    settings = {"epochs": 3, "batch": 16, "lr": 0.2, "seed": 4}
    model = Classifier(hidden=(8,), scale="off", **settings).fit(DATA.x, NAMES)
    trainer = Trainer(
        Network((6, 8, 3), "tanh", "cce"),
        Recipe(momentum=0.9, **settings),
        Samples.of_classes(DATA.x, np.arange(90) % 3, 3),
    )
    with open_device("golden") as device:
        list(trainer.run(device))
        weights = device.read_weights()
    for mine, other in zip(model.checkpoint_.weights, weights, strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize(("scale", "zero"), [("maxabs", True), ("off", True), ("standard", False)])
def test_zeros_stay_zeros_unless_features_are_centred(scale: str, zero: bool) -> None:
    x = np.where(DATA.x > 0, DATA.x, 0.0)
    model = Classifier(epochs=1, scale=scale).fit(x, NAMES)
    scaled = model._scaler.transform(x)
    assert bool((scaled[x == 0] == 0).all()) is zero


def test_an_input_far_off_counts_as_the_last_of_the_range() -> None:
    model = Regressor(hidden=(4,), epochs=2).fit(LINE, ON_LINE)
    far, further = model.predict([[1e3, 0.0]]), model.predict([[1e9, 0.0]])
    assert far == further


@pytest.mark.slow
def test_the_simulated_engine_predicts_and_trains_the_same() -> None:
    model = Classifier(hidden=(8, 5), epochs=2, prune="1/4").fit(DATA.x, NAMES)
    answers = model.predict_proba(DATA.x[:20])
    model.set_params(device="sim")
    np.testing.assert_array_equal(model.predict_proba(DATA.x[:20]), answers)
    again = model.fit(DATA.x, NAMES)
    np.testing.assert_array_equal(again.predict_proba(DATA.x[:20]), answers)


def test_a_grid_is_searched_over_a_pipeline() -> None:
    steps = make_pipeline(MinMaxScaler(), Classifier(hidden=(6,), lr=0.2))
    grid = {"classifier__epochs": [1, 10], "classifier__prune": ["off", "1/2"]}
    search = GridSearchCV(steps, grid, cv=3).fit(DATA.x, NAMES)
    assert search.best_params_["classifier__epochs"] == 10
    assert search.score(DATA.x, NAMES) == 1.0


def test_a_fitted_model_survives_pickling() -> None:
    model = Regressor(epochs=1).fit(LINE, ON_LINE)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(LINE), model.predict(LINE))
    assert again.checkpoint_.network == model.checkpoint_.network


X, Y = np.zeros((6, 2)), np.array([0, 1, 0, 1, 0, 1])


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X[0], Y, "^Expected 2D array"),
        (X, Y[:4], "^Found input variables with inconsistent numbers of samples"),
        (X, Y * 0, "^1 class in the labels; give at least 2$"),
        (X * np.nan, Y, "NaN"),
    ],
)
def test_data_that_cannot_be_learned_is_refused(x: Any, y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Classifier(hidden=(3,)).fit(x, y)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"class_weight": {0: 1.0, 2: 5.0}}, "^The classes, .*2.* are not in class_weight$|not in"),
        ({"patience": 1, "validation_fraction": 2.5}, "test_size"),
        ({"patience": 1, "validation_fraction": 0.1}, "should be greater or equal to the number"),
    ],
)
def test_settings_that_scikit_learn_refuses_are_refused_by_it(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Classifier(hidden=(3,), **settings).fit(X, Y)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Classifier(scale="log"), "^unknown scale 'log'; choose standard, maxabs, off$"),
        (
            Classifier(loss="mse"),
            "^loss 'mse' gives no probabilities; choose sigmoid-mse, bce, cce$",
        ),
        (Classifier(loss="hinge"), "^unknown loss 'hinge'"),
        (Classifier(prune="1/3"), "^prune '1/3'"),
        (Classifier(hidden=(0,)), "^layers 2,0,2"),
        (Classifier(frozen=(2,)), "^there is no layer 2 to freeze; give 0 to 1$"),
        (Classifier(shift=1), "^2 inputs are no square image"),
        (Classifier(initialiser="ones"), "^unknown initialiser 'ones'"),
        (Classifier(patience=-1), "^patience -1: give a whole number of 0 or more$"),
        (Classifier(weights=[np.zeros((3, 2), int)]), r"^weights have shapes \[\(3, 2\)\]"),
        (Classifier(loss="bce", class_weight="balanced"), "^class weights do not apply to bce"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(model: Classifier, message: str) -> None:
    with pytest.raises(InputError, match=message):
        model.fit(X, Y)


def test_unscaled_numbers_must_fit() -> None:
    with pytest.raises(InputError, match=r"^input 100 is outside the number range"):
        Classifier(scale="off").fit(X + 100, Y)
    with pytest.raises(InputError, match=r"^target 100 is outside the number range"):
        Regressor(scale="off").fit(X, Y * 100.0)


def test_prediction_needs_fit_and_the_same_features() -> None:
    for model in (Classifier(), Regressor()):
        with pytest.raises(NotFittedError):
            model.predict(X)
    with pytest.raises(ValueError, match=r"^X has 1 features, but Classifier is expecting 2"):
        Classifier(epochs=1).fit(X, Y).predict(X[:, :1])


def test_the_device_is_a_string() -> None:
    with pytest.raises(DeviceError, match=r"^unknown device 'abacus'"):
        Classifier(device="abacus").fit(X, Y)
    assert Classifier(epochs=1, device="golden?neurons=2").fit(X, Y).predict(X).shape == (6,)


@pytest.mark.slow
def test_a_grid_is_searched_by_several_processes() -> None:
    grid = {"frozen": [(), (0,)], "epochs": [1, 2]}
    model = Classifier(hidden=(6,), lr=0.2)
    one, two = (GridSearchCV(model, grid, cv=2, n_jobs=jobs).fit(DATA.x, NAMES) for jobs in (1, 2))
    scores = [search.cv_results_["mean_test_score"].tolist() for search in (one, two)]
    assert scores[0] == scores[1]
    assert two.best_estimator_.checkpoint_.network == one.best_estimator_.checkpoint_.network


RARE = np.array(["yes", "no"])[(np.arange(90) < 81).astype(int)]
NOISE = np.random.default_rng(3).normal(0, 1, (90, 4)) + 1.0 * (RARE == "yes")[:, None]


def recall(weight: Any) -> float:
    model = Classifier(hidden=(), epochs=10, class_weight=weight).fit(NOISE, RARE)
    return float((model.predict(NOISE)[RARE == "yes"] == "yes").mean())


def test_class_weights_are_scikit_learns() -> None:
    assert recall(None) < recall("balanced") <= recall({"yes": 30.0})
    weights = Classifier(epochs=1, class_weight="balanced").fit(NOISE, RARE).checkpoint_.recipe
    assert weights.class_weights == pytest.approx((90 / (2 * 81), 90 / (2 * 9)))
    weights = Classifier(epochs=1, class_weight={"yes": 7}).fit(NOISE, RARE).checkpoint_.recipe
    assert weights.class_weights == (1.0, 7.0)


def test_patience_holds_samples_out_and_keeps_the_best_weights() -> None:
    model = Classifier((8,), epochs=200, lr=0.5, patience=2, validation_fraction=0.3, seed=1)
    model.fit(DATA.x, NAMES)
    losses = [record.held_out_loss for record in model.history_]
    assert None not in losses
    assert len(losses) < 200
    best = model.checkpoint_.best
    assert best is not None
    assert best.epoch == int(np.argmin(losses)) + 1 == len(losses) - 2
    for mine, kept in zip(model.checkpoint_.weights, best.weights, strict=True):
        np.testing.assert_array_equal(mine, kept)


def test_samples_held_out_have_every_class() -> None:
    model = Classifier(patience=1, validation_fraction=9).fit(DATA.x, NAMES)
    train, held_out = model._split(Samples.of_classes(DATA.x, np.arange(90) % 3, 3), seed=0)
    assert train.labels is not None
    assert held_out.labels is not None
    assert np.bincount(train.labels).tolist() == [27] * 3
    assert np.bincount(held_out.labels).tolist() == [3] * 3
    both = np.concatenate([train.x, held_out.x])
    np.testing.assert_array_equal(np.sort(both, axis=0), np.sort(DATA.x, axis=0))


def test_a_regressor_stops_early_too() -> None:
    model = Regressor(hidden=(), epochs=500, patience=3).fit(LINE, ON_LINE)
    assert len(model.history_) < 500
    assert model.score(LINE, ON_LINE) > 0.999


def test_training_goes_on_from_given_weights_and_spares_frozen_layers() -> None:
    first = Classifier(hidden=(8,), epochs=10, lr=0.2).fit(DATA.x, NAMES)
    weights = first.checkpoint_.weights
    again = Classifier(hidden=(8,), epochs=2, weights=weights, frozen=[0]).fit(DATA.x, NAMES)
    np.testing.assert_array_equal(again.checkpoint_.weights[0], weights[0])
    assert (again.checkpoint_.weights[1] != weights[1]).any()
    assert again.history_[0].loss < first.history_[0].loss / 2


def test_images_are_shifted_and_the_initialiser_is_chosen() -> None:
    x = np.where(DATA.x[:, :4] > 0, DATA.x[:, :4], 0.0)
    plain = {"hidden": (4,), "epochs": 2, "scale": "maxabs"}
    models = [
        Classifier(**plain, **more).fit(x, NAMES)
        for more in ({}, {"shift": 1}, {"initialiser": "normal"})
    ]
    losses = {model.history_[-1].loss for model in models}
    assert len(losses) == 3
    assert [m.checkpoint_.recipe.shift for m in models] == [0, 1, 0]
