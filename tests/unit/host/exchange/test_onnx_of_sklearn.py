# SPDX-License-Identifier: BSD-2-Clause

"""Networks of scikit-learn, written by skl2onnx and read with the names of their classes."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dualgate.contract.errors import InputError
from dualgate.exchange import read_onnx

pytest.importorskip("onnxscript")
skl2onnx: Any = pytest.importorskip("skl2onnx")
runtime: Any = pytest.importorskip("onnxruntime")
from sklearn.linear_model import LinearRegression, LogisticRegression  # noqa: E402
from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, StandardScaler  # noqa: E402

RANDOM = np.random.default_rng(3)
X = (RANDOM.normal(2, 3, (90, 4))).astype(np.float32)
CLASS = (X[:, 0] > 2).astype(int) + (X[:, 1] > 2)
WORD = np.array(["low", "mid", "high"])[CLASS]
MANY = np.stack([CLASS == 1, CLASS == 2], axis=1).astype(int)


def mlp(kind: Any, activation: str = "tanh") -> Any:
    return kind(hidden_layer_sizes=(6, 5), activation=activation, max_iter=20, random_state=0)


MODELS = {
    "classes": (mlp(MLPClassifier), CLASS, ("0", "1", "2")),
    "words": (make_pipeline(StandardScaler(), mlp(MLPClassifier)), WORD, ("high", "low", "mid")),
    "two classes": (mlp(MLPClassifier, "relu"), CLASS > 0, ("0", "1")),
    "several classes at once": (mlp(MLPClassifier, "logistic"), MANY, ("0", "1")),
    "regression": (make_pipeline(StandardScaler(), mlp(MLPRegressor)), X[:, 2], ()),
    "min max": (make_pipeline(MinMaxScaler(), mlp(MLPRegressor, "identity")), X[:, 2], ()),
    "max abs": (make_pipeline(MaxAbsScaler(), mlp(MLPRegressor)), X[:, 2], ()),
    "logistic": (
        make_pipeline(StandardScaler(), LogisticRegression()),
        WORD,
        ("high", "low", "mid"),
    ),
    "logistic of two": (LogisticRegression(), CLASS > 0, ("0", "1")),
    "linear": (LinearRegression(), X[:, 2], ()),
}


def written(path: Path, model: Any, target: Any, **options: Any) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = skl2onnx.to_onnx(model.fit(X, target), X[:1], **options)
    path.write_bytes(made.SerializeToString())
    return path


@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_a_network_of_scikit_learn_answers_the_same(
    tmp_path: Path, name: str, zipmap: bool
) -> None:
    model, target, classes = MODELS[name]
    options: dict[str, Any] = {} if zipmap or not classes else {"options": {"zipmap": False}}
    path = written(tmp_path / "x.onnx", model, target, **options)
    read = read_onnx(path)
    theirs = model.predict_proba(X) if classes else model.predict(X)[:, None]
    ours = read.outputs(X)
    if ours.shape[1] == 1 and classes:
        ours = np.hstack([1 - ours, ours])
    assert np.abs(ours - theirs).max() < 1e-5
    if zipmap or name not in ("several classes at once",):
        assert read.classes == classes


def test_outputs_that_mix_samples_are_refused(tmp_path: Path) -> None:
    # skl2onnx gives a regression of two targets twice as many samples.
    path = written(tmp_path / "x.onnx", mlp(MLPRegressor), X[:, 2:])
    with pytest.raises(InputError, match="node Reshape does not keep samples apart"):
        read_onnx(path)
