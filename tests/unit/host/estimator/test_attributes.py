# SPDX-License-Identifier: BSD-2-Clause

"""Fitted attributes, and several labels a sample."""

import pickle
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.special import expit, softmax
from sklearn.datasets import make_multilabel_classification
from support.small_runs import blobs

from dualgate.contract.errors import InputError
from dualgate.estimator import Classifier, Regressor

DATA = blobs(90)
LABELS = np.arange(90) % 3
X, SEVERAL = make_multilabel_classification(200, 8, n_classes=4, random_state=0)


def answers(model: Any, x: Any) -> Any:
    """The pre-activations of the outputs, from the public attributes alone."""
    a = model._scaler.transform(x)
    for w, b in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        a = np.tanh(a @ w + b)
    return a @ model.coefs_[-1] + model.intercepts_[-1]


@pytest.mark.parametrize("settings", [{}, {"dropout": 0.5}, {"device": "float", "dropout": 0.5}])
def test_coefs_are_the_weights_that_answer(settings: dict[str, Any]) -> None:
    model = Classifier((16, 8), epochs=10, **settings).fit(DATA.x, LABELS)
    expected = softmax(answers(model, DATA.x), axis=1)
    assert np.abs(model.predict_proba(DATA.x) - expected).max() < 0.01
    assert [w.shape for w in model.coefs_] == [(6, 16), (16, 8), (8, 3)]
    assert [b.shape for b in model.intercepts_] == [(16,), (8,), (3,)]


def test_weights_that_train_go_in_and_come_out() -> None:
    first = Classifier((16,), epochs=5, dropout=0.5).fit(DATA.x, LABELS)
    trained = first.checkpoint_.weights
    for device in ("golden", "float"):
        again = Classifier((16,), epochs=1, lr=1e-9, dropout=0.5, weights=trained, device=device)
        again.fit(DATA.x, LABELS)
        for mine, other in zip(again.coefs_, first.coefs_, strict=True):
            np.testing.assert_allclose(mine, other, atol=1e-6)


def test_attributes_are_there_after_fit_alone() -> None:
    model = Classifier(epochs=1)
    names = ("coefs_", "intercepts_", "loss_curve_", "n_iter_", "checkpoint_", "history_")
    assert not any(hasattr(model, name) for name in names)
    model.fit(DATA.x, LABELS)
    assert all(hasattr(model, name) for name in names)
    assert not hasattr(Classifier(epochs=1, device="float").fit(DATA.x, LABELS), "checkpoint_")


def test_validation_scores_are_those_of_held_out_samples() -> None:
    model = Classifier((8,), epochs=4, patience=4, validation_fraction=30).fit(DATA.x, LABELS)
    assert model.validation_scores_ == [r.held_out_accuracy for r in model.history_]
    assert all(score * 30 == pytest.approx(round(score * 30)) for score in model.validation_scores_)
    assert Classifier((8,), epochs=1).fit(DATA.x, LABELS).validation_scores_ is None


def test_logarithms_of_probabilities_may_be_infinite() -> None:
    model = Classifier((8,), epochs=30, lr=0.5).fit(DATA.x, LABELS)
    likely = model.predict_proba(DATA.x)
    assert (likely == 0).any()
    logarithms = model.predict_log_proba(DATA.x)
    np.testing.assert_allclose(np.exp(logarithms), likely)
    assert (logarithms[likely == 0] == -np.inf).all()


@pytest.mark.parametrize("loss", [None, "bce", "sigmoid-mse"])
def test_several_labels_are_learned_each_by_itself(loss: str | None) -> None:
    rate = {"lr": 1.0} if loss == "sigmoid-mse" else {"lr": 0.3}
    model = Classifier((16,), epochs=40, loss=loss, **rate).fit(X, SEVERAL)  # type: ignore[arg-type]
    likely, predicted = model.predict_proba(X), model.predict(X)
    assert predicted.dtype == SEVERAL.dtype
    np.testing.assert_array_equal(predicted, likely > 0.5)
    assert np.abs(likely - expit(answers(model, X))).max() < 0.01
    assert (predicted == SEVERAL).mean() > 0.85


def test_several_labels_go_on_sparse_stop_early_and_have_weights() -> None:
    settings: dict[str, Any] = {"hidden": (8,), "epochs": 2, "lr": 0.1}
    dense = Classifier(**settings).fit(X, SEVERAL)
    sparse = Classifier(**settings).fit(X, csr_array(SEVERAL))
    parts = Classifier(**settings)
    for _ in range(2):
        parts.partial_fit(X, SEVERAL, classes=range(4))
    for model in (sparse, parts):
        np.testing.assert_array_equal(model.predict_proba(X), dense.predict_proba(X))
    weighted = Classifier(**settings, patience=1).fit(X, SEVERAL, 1 + np.arange(200) % 2)
    assert weighted.predict(X).shape == (200, 4)
    assert weighted.validation_scores_ is None


def test_several_labels_need_a_loss_of_their_own() -> None:
    with pytest.raises(InputError, match=r"^loss 'cce' gives no probabilities of several labels; "):
        Classifier(loss="cce").fit(X, SEVERAL)
    with pytest.raises(InputError, match=r"^class_weight needs one class a sample"):
        Classifier(class_weight={0: 2.0}).fit(X, SEVERAL)
    with pytest.raises(ValueError, match=r"^y holds 1 and 2; give zeros and ones"):
        Classifier().fit(X, SEVERAL + 1)
    with pytest.raises(ValueError, match=r"^y has another kind of labels than in the first call"):
        Classifier().partial_fit(X, SEVERAL[:, 0], classes=[0, 1]).partial_fit(X, SEVERAL)


@pytest.mark.parametrize("device", ["golden", "float"])
def test_a_pickled_model_answers_and_goes_on(device: str) -> None:
    model = Regressor((4,), epochs=1, device=device).fit(DATA.x, DATA.x[:, :2])
    again = pickle.loads(pickle.dumps(model))
    for each in (model, again):
        each.partial_fit(DATA.x, DATA.x[:, :2])
    np.testing.assert_array_equal(again.predict(DATA.x), model.predict(DATA.x))
