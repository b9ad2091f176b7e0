"""Estimators: the usual interface, the same bits as the training loop."""

import numpy as np
import pytest
from small_runs import blobs

from dualgate.errors import DeviceError, InputError
from dualgate.estimator import Classifier, Regressor


def test_a_classifier_learns_names() -> None:
    data = blobs(90)
    assert data.labels is not None
    names = np.array(["ant", "bee", "cow"])[data.labels]
    model = Classifier(hidden=(8, 5), epochs=15, lr=0.2, prune="1/4").fit(data.x, names)
    assert model.classes_.tolist() == ["ant", "bee", "cow"]
    assert model.score(data.x, names) == 1.0
    assert model.predict(data.x[:2]).tolist() == names[:2].tolist()
    assert model.predict_proba(data.x[:4]).sum(axis=1) == pytest.approx(1.0, abs=1e-3)
    assert len(model.history_) == 15
    again = Classifier(**model.get_params()).fit(data.x, names)
    for mine, other in zip(model.checkpoint_.weights, again.checkpoint_.weights, strict=True):
        assert (mine == other).all()


def test_a_regressor_fits_a_line() -> None:
    x = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    y = x @ [2.0, -1.0] + 0.5
    model = Regressor(hidden=(), epochs=30).fit(x, y)
    assert model.predict(x).shape == (200,)
    assert model.score(x, y) > 0.999
    both = Regressor(hidden=(8,), epochs=5).fit(x, np.stack([y, -y], axis=1))
    assert both.predict(x).shape == (200, 2)


def test_parameters_are_set_by_name() -> None:
    model = Regressor(epochs=3)
    assert model.set_params(lr=0.5, hidden=(4,)) is model
    assert model.get_params()["lr"] == 0.5
    assert model.get_params()["epochs"] == 3
    assert model.get_params()["loss"] == "mse"
    with pytest.raises(InputError, match=r"^unknown parameter 'rate'; choose hidden, activation"):
        model.set_params(rate=1)


X, Y = np.zeros((6, 2)), np.array([0, 1, 0, 1, 0, 1])


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X[0], Y, r"^inputs have shape \(2,\)"),
        (X[:0], Y[:0], r"^inputs have shape \(0, 2\)"),
        (X, Y[:4], r"^labels have shape \(4,\) for 6 inputs"),
        (X, Y * 0, "^1 class in the labels"),
        (X * np.nan, Y, "^input holds NaN"),
        (X + 100, Y, "^input 100 is outside"),
        ([["a", "b"]], [0], "^inputs are not an array of numbers"),
    ],
)
def test_data_that_cannot_be_learned_is_refused(x: object, y: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Classifier(hidden=(3,)).fit(x, y)  # type: ignore[arg-type]


def test_targets_that_cannot_be_learned_are_refused() -> None:
    with pytest.raises(InputError, match=r"^target 100 is outside the number range"):
        Regressor().fit(X, Y * 100.0)
    with pytest.raises(InputError, match=r"^the targets are all alike"):
        Regressor(epochs=1).fit(X, Y).score(X, Y * 0)


def test_prediction_needs_fit_and_the_same_features() -> None:
    with pytest.raises(InputError, match=r"^this Classifier is not trained; call fit first$"):
        Classifier().predict(X)
    with pytest.raises(InputError, match=r"^inputs have shape \(6, 1\); the network takes"):
        Classifier(epochs=1).fit(X, Y).predict(X[:, :1])


def test_the_device_is_a_string() -> None:
    with pytest.raises(DeviceError, match=r"^unknown device 'abacus'"):
        Classifier(device="abacus").fit(X, Y)
    assert Classifier(epochs=1, device="golden?neurons=2").fit(X, Y).predict(X).shape == (6,)
