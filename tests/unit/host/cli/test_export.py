# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate export`: the network of a run in the formats of others."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from dualgate.cli.export import export
from dualgate.contract.errors import CheckpointError, InputError
from dualgate.contract.network import Network
from dualgate.exchange import Model, read_model
from dualgate.optim.initialisers import initial_master_weights
from dualgate.train.checkpoint import Checkpoint
from dualgate.train.recipe import Recipe

NETWORK = Network((4, 6, 3), "tanh", "cce")
MASTER = initial_master_weights(NETWORK, 3)


@pytest.fixture(autouse=True)
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    velocity = [np.zeros_like(w) for w in MASTER]
    recipe = Recipe(1, 1, 0.1, dropout=0.5)
    path = Path("runs/mine")
    Checkpoint(NETWORK, recipe, 15, 0, MASTER, velocity).save(path / "checkpoint.npz")
    return path


def exported(*args: Any) -> Result:
    return CliRunner().invoke(export, [str(arg) for arg in args])


@pytest.mark.parametrize("name", ["net.onnx", "net.safetensors", "out/net.pt"])
@pytest.mark.parametrize("source", ["runs/mine", "runs/mine/checkpoint.npz"])
def test_the_weights_that_answer_are_written(name: str, source: str) -> None:
    for package in ("onnxscript", "torch", "safetensors"):
        pytest.importorskip(package)
    for _ in range(2):  # the second time over the first file
        result = exported(source, name)
        assert (result.exit_code, result.stdout) == (0, f"written: {name} (4-6-3)\n")
    x = np.random.default_rng(0).normal(0, 1, (9, 4))
    answers = Model.of_device(NETWORK, MASTER, 0.5).outputs(x)
    assert np.abs(read_model(Path(name), "cce", ["tanh"]).outputs(x) - answers).max() < 1e-5
    assert not [p.name for p in Path(name).parent.iterdir() if p.name.startswith(".")]


def test_a_header_is_named_after_its_file() -> None:
    assert exported("runs/mine", "wine.h").exit_code == 0
    text = Path("wine.h").read_text()
    assert "static inline void wine_infer(const int16_t x[WINE_INPUTS]" in text


@pytest.mark.parametrize(
    ("source", "name", "kind", "message"),
    [
        ("runs/mine", "net.tflite", InputError, "suffix must be .onnx, .safetensors, .pt or .h$"),
        ("runs", "net.onnx", InputError, "^there is no run runs: runs/checkpoint.npz does not exi"),
        ("nothing", "net.onnx", InputError, "^there is no run nothing: nothing does not exist;"),
        ("text", "net.onnx", CheckpointError, "^checkpoint text cannot be used"),
        ("runs/mine", "runs", InputError, "^cannot write runs: its suffix must be"),
        ("runs/mine", "text/net.h", InputError, "^cannot write text/net.h: .* not a directory"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    source: str, name: str, kind: type[Exception], message: str
) -> None:
    Path("text").write_text("text")
    result = exported(source, name)
    assert isinstance(result.exception, kind)
    with pytest.raises(kind, match=message):
        raise result.exception
    assert {p.name for p in Path().iterdir()} == {"runs", "text"}
