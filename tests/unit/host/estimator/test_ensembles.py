# SPDX-License-Identifier: BSD-2-Clause

"""The estimators inside scikit-learn's ensembles, beside its own `MLPClassifier`."""

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits, load_iris, make_multilabel_classification
from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor, BaggingClassifier
from sklearn.model_selection import cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dualgate.estimator import Classifier, Regressor

X, Y = load_iris(return_X_y=True)
OURS = Classifier(hidden=8, epochs=10, lr=0.1)
THEIRS = make_pipeline(
    StandardScaler(),
    MLPClassifier(
        8, activation="tanh", solver="sgd", learning_rate_init=0.1, max_iter=10, random_state=0
    ),
)

ENSEMBLES = {
    "calibrated": lambda model: CalibratedClassifierCV(model, cv=2),
    "one vs rest": OneVsRestClassifier,
    "bagging": lambda model: BaggingClassifier(model, n_estimators=3, random_state=0),
}


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", ENSEMBLES)
def test_an_ensemble_of_ours_scores_as_one_of_scikit_learns(name: str) -> None:
    ours, theirs = (ENSEMBLES[name](model).fit(X, Y).score(X, Y) for model in (OURS, THEIRS))
    assert ours > theirs - 0.05
    assert ours > 0.9


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_cross_validation_scores_as_for_scikit_learns() -> None:
    ours, theirs = (cross_val_score(model, X, Y, cv=3).mean() for model in (OURS, THEIRS))
    assert ours > theirs - 0.05


def test_boosting_mends_a_weak_classifier() -> None:
    x, y = (each[:400] for each in load_digits(return_X_y=True))
    weak = Classifier(hidden=2, epochs=3, lr=0.1)
    alone = clone(weak).fit(x, y).score(x, y)
    boosted = AdaBoostClassifier(weak, n_estimators=10, random_state=0).fit(x, y)
    assert boosted.score(x, y) > alone + 0.2


def test_boosting_of_regressors_works() -> None:
    x, y = X[:, :3], X[:, 3]
    boosted = AdaBoostRegressor(Regressor(hidden=(), epochs=10), n_estimators=3, random_state=0)
    assert boosted.fit(x, y).score(x, y) > 0.9


def test_several_outputs_have_an_estimator_each() -> None:
    both = np.c_[Y, Y == 1]
    assert MultiOutputClassifier(OURS).fit(X, both).predict(X).shape == both.shape
    numbers = MultiOutputRegressor(Regressor(hidden=(), epochs=10)).fit(X, X[:, :2])
    assert numbers.score(X, X[:, :2]) > 0.95


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_several_labels_are_answered_as_scikit_learns_do() -> None:
    x, y = make_multilabel_classification(200, 8, n_classes=4, random_state=0)
    ours = Classifier(hidden=16, epochs=40, lr=0.1).fit(x, y)
    theirs = clone(THEIRS).set_params(mlpclassifier__max_iter=40).fit(x, y)
    assert ours.classes_.tolist() == theirs.classes_.tolist()
    for method in ("predict", "predict_proba"):
        mine, other = (getattr(model, method)(x) for model in (ours, theirs))
        assert (mine.shape, mine.dtype) == (other.shape, other.dtype)
    assert ours.score(x, y) > theirs.score(x, y) - 0.05


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_attributes_are_those_of_scikit_learns() -> None:
    ours, theirs = clone(OURS).fit(X, Y), clone(THEIRS).fit(X, Y)[-1]
    shape: Any
    for name in ("coefs_", "intercepts_"):
        shape = [w.shape for w in getattr(theirs, name)]
        assert [w.shape for w in getattr(ours, name)] == shape
    for name in ("n_layers_", "n_outputs_", "out_activation_", "n_iter_"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert len(ours.loss_curve_) == len(theirs.loss_curve_)
    assert (ours.loss_, ours.best_loss_) == (ours.loss_curve_[-1], min(ours.loss_curve_))
