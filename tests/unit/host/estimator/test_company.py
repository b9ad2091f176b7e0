# SPDX-License-Identifier: BSD-2-Clause

"""The estimators among scikit-learn's: what wraps them, and what they are compared with."""

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_diabetes, load_iris, load_wine
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import cross_val_score
from sklearn.multiclass import OneVsOneClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dualgate.estimator import Classifier, Regressor

X, Y = load_iris(return_X_y=True)
NET = Classifier((8,), epochs=15)
WRAPPED: list[Any] = [
    OneVsOneClassifier(NET),
    StackingClassifier([("net", NET), ("line", LogisticRegression(max_iter=1000))], cv=3),
    VotingClassifier([("net", NET), ("line", LogisticRegression(max_iter=1000))], voting="soft"),
    make_pipeline(StandardScaler(), clone(NET).set_params(scale="off")),
]


@pytest.mark.parametrize("model", WRAPPED, ids=lambda model: type(model).__name__)
def test_an_estimator_works_inside_others(model: Any) -> None:
    assert model.fit(X, Y).score(X, Y) > 0.9


def test_weights_reach_the_estimator_through_others() -> None:
    weight = np.where(Y == 2, 1e-6, 1.0)
    for model in (
        BaggingClassifier(NET, n_estimators=2, random_state=0),
        CalibratedClassifierCV(NET, cv=3),
        VotingClassifier([("net", NET)]),
    ):
        plain = clone(model).fit(X, Y).predict(X)
        light = clone(model).fit(X, Y, sample_weight=weight).predict(X)
        assert (light == 2).sum() < (plain == 2).sum() / 2


def test_accuracies_are_those_of_scikit_learns_models() -> None:
    for load in (load_iris, load_wine):
        x, y = load(return_X_y=True)
        ours = cross_val_score(Classifier((16,), epochs=30), x, y, cv=3).mean()
        line = make_pipeline(StandardScaler(), LogisticRegression())
        assert ours > cross_val_score(line, x, y, cv=3).mean() - 0.04
    x, y = load_diabetes(return_X_y=True)
    ours = cross_val_score(Regressor((), epochs=30, lr=0.01), x, y, cv=3).mean()
    assert ours == pytest.approx(cross_val_score(Ridge(0.1), x, y, cv=3).mean(), abs=0.05)
