# SPDX-License-Identifier: BSD-2-Clause

"""Networks written to files of each kind, and read back."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.exchange_models import inputs, small

from dualgate.contract.activations import ACTIVATIONS
from dualgate.contract.errors import InputError
from dualgate.contract.network import Network
from dualgate.exchange import Model, read_model, to_torch, write_model
from dualgate.optim.initialisers import initial_weights

NETWORK = Network((4, 12, 3, 2), ("relu", "tanh"), "cce")
MODEL = Model(NETWORK, initial_weights(NETWORK, seed=2), (0.25, 0.0))


@pytest.mark.parametrize("name", ["x.onnx", "x.safetensors", "x.pt", "X.PT"])
def test_a_file_of_each_kind_is_read_back(tmp_path: Path, name: str) -> None:
    for package in ("onnxscript", "torch", "safetensors"):
        pytest.importorskip(package)
    write_model(tmp_path / name, MODEL)
    read = read_model(tmp_path / name, "cce", ["relu", "tanh"])
    assert read.network == NETWORK
    for mine, theirs in zip(read.weights, MODEL.weights, strict=True):
        np.testing.assert_array_equal(mine, theirs.astype(np.float32))


@pytest.mark.parametrize("ending", ["safetensors", "pt"])
def test_a_state_dict_loads_into_the_sequence_of_pytorch(tmp_path: Path, ending: str) -> None:
    torch: Any = pytest.importorskip("torch")
    path = tmp_path / f"x.{ending}"
    write_model(path, MODEL)
    if ending == "pt":
        state = torch.load(path, weights_only=True)
    else:
        state = pytest.importorskip("safetensors.torch").load_file(path)
    sequence = to_torch(replace(MODEL, weights=[0 * w for w in MODEL.weights]))
    sequence.load_state_dict(state)
    x = inputs(MODEL)
    with torch.no_grad():
        answers = sequence(torch.from_numpy(x.astype(np.float32))).numpy()
    assert np.abs(answers - MODEL.outputs(x)).max() < 1e-5


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    for name, model, message in (
        ("x.pt", small("msle"), "^the loss msle transforms the outputs"),
        ("x.safetensors", small("perceptron"), "^the step of a perceptron's outputs"),
        ("x.tflite", small(), r"its suffix must be .onnx, .safetensors, .pt or .h$"),
    ):
        (tmp_path / name).write_text("old")
        with pytest.raises(InputError, match=message):
            write_model(tmp_path / name, model)
        assert (tmp_path / name).read_text() == "old"


def test_an_activation_that_is_half_added_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("onnxscript")
    monkeypatch.setitem(ACTIVATIONS, "swish", replace(ACTIVATIONS["tanh"], name="swish"))
    monkeypatch.setattr("dualgate.contract.activations.HIDDEN_ACTIVATIONS", ("tanh", "swish"))
    model = Model(Network((4, 3, 2), "swish"), small().weights)
    for name in ("x.h", "x.onnx"):
        with pytest.raises(InputError, match=r"^the activation swish "):
            write_model(tmp_path / name, model)
    with pytest.raises(InputError, match=r"^the activation swish "):
        to_torch(model)
