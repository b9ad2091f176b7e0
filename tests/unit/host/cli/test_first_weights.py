# SPDX-License-Identifier: BSD-2-Clause

"""`dualgate train --weights` and `--freeze`: training goes on from what a file holds."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from dualgate.cli import main
from dualgate.cli.first_weights import imported
from dualgate.contract.network import Network
from dualgate.exchange import Model, to_torch, write_onnx
from dualgate.optim.initialisers import initial_weights
from dualgate.tasks import find_task
from dualgate.train.checkpoint import Checkpoint, load_checkpoint
from dualgate.train.dropout import inference_weights
from dualgate.train.recipe import Recipe

NETWORK = Network((64, 12, 10), ("relu",), "cce")
MODEL = Model(NETWORK, initial_weights(NETWORK, seed=5))


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def train(*args: str) -> Result:
    quick = ("train", "digits", "--device", "golden", "--epochs", "1", "--json", "x.json")
    return CliRunner().invoke(main, (*quick, *args))


def write_state_dict(path: Path) -> None:
    pytest.importorskip("torch")
    from safetensors.torch import save_file

    save_file(to_torch(MODEL, np.float64).state_dict(), path)


def write_checkpoint(path: Path) -> None:
    result = train("--layers", "64,12,10", "--activation", "relu", "--out", "first")
    assert result.exit_code == 0, result.stderr
    state = load_checkpoint(Path("first/checkpoint.npz"))
    replace(state, weights=MODEL.master_weights()).save(path)


KINDS: dict[str, Callable[[Path], Any]] = {
    "x.onnx": lambda path: write_onnx(MODEL, path, np.float64),
    "x.npz": write_checkpoint,
    "x.safetensors": write_checkpoint,
    "torch.safetensors": write_state_dict,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", KINDS)
def test_a_frozen_layer_keeps_the_file_s_weights_and_others_learn(name: str) -> None:
    KINDS[name](Path(name))
    result = train("--weights", name, "--freeze", "0", "--activation", "relu", "--check")
    assert result.exit_code == 0, result.stderr
    figures = json.loads(Path("x.json").read_text())
    assert (figures["layers"], figures["activation"]) == ([64, 12, 10], ["relu"])
    assert figures["frozen"] == [0]
    state = load_checkpoint(Path("runs/digits/checkpoint.npz"))
    first, last = MODEL.master_weights()
    np.testing.assert_array_equal(state.weights[0], first)
    assert (state.weights[1] != last).any()


def test_the_network_is_that_of_the_file() -> None:
    write_onnx(MODEL, Path("x.onnx"))
    result = train("--weights", "x.onnx")
    assert result.exit_code == 0, result.stderr
    figures = json.loads(Path("x.json").read_text())
    assert (figures["layers"], figures["activation"]) == ([64, 12, 10], ["relu"])
    assert figures["frozen"] == []


@pytest.mark.slow
def test_training_in_two_parts_from_a_file_loses_nothing() -> None:
    assert train("--momentum", "0", "--out", "a").exit_code == 0
    before = json.loads(Path("x.json").read_text())["loss"]
    assert train("--weights", "a/checkpoint.npz", "--lr", "1e-9", "--out", "b").exit_code == 0
    assert json.loads(Path("x.json").read_text())["loss"] == pytest.approx(before, rel=1e-4)


@pytest.mark.slow
def test_a_run_from_a_file_goes_on_by_resume_without_it() -> None:
    write_onnx(MODEL, Path("x.onnx"))
    given = ("--weights", "x.onnx", "--freeze", "0")
    assert train(*given, "--epochs", "2", "--out", "whole").exit_code == 0
    assert train(*given, "--out", "half").exit_code == 0
    Path("x.onnx").unlink()
    result = train("--resume", "--epochs", "2", "--out", "half")
    assert result.exit_code == 0, result.stderr
    whole, half = (load_checkpoint(Path(n, "checkpoint.npz")) for n in ("whole", "half"))
    assert half.network == whole.network
    assert all((a == b).all() for a, b in zip(half.weights, whole.weights, strict=True))


OTHER = Network((64, 9), "tanh", "bce")
REFUSED = {
    "cannot read none.onnx: No such file": ("--weights", "none.onnx"),
    "cannot read none.npz: No such file": ("--weights", "none.npz"),
    "weights have shapes [(65, 12), (13, 10)]; the network needs [(65, 8), (9, 10)]": (
        *("--weights", "x.onnx", "--layers", "64,8,10"),
    ),
    "layers 64,9: digits has 64 inputs and 10 outputs": (
        *("--weights", "other.onnx", "--loss", "bce"),
    ),
    "other.onnx: the loss cce needs softmax at the outputs, which have sigmoid": (
        *("--weights", "other.onnx"),
    ),
    "1 of 780 weights of layer 0 are outside the number range": ("--weights", "large.onnx"),
    "frozen layers 'first': give numbers from 0, such as 0,1": ("--freeze", "first"),
    "there is no layer 9 to freeze; give 0 to 2": ("--freeze", "9"),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_does_not_fit_is_refused_in_one_line(message: str) -> None:
    write_onnx(MODEL, Path("x.onnx"))
    write_onnx(Model(OTHER, initial_weights(OTHER)), Path("other.onnx"))
    large = [w.copy() for w in MODEL.weights]
    large[0][3, 3] = 9.0
    write_onnx(Model(NETWORK, large), Path("large.onnx"))
    result = train(*REFUSED[message])
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert not Path("runs").exists()


@pytest.mark.slow
def test_resume_brings_weights_of_its_own() -> None:
    assert train().exit_code == 0
    result = train("--resume", "--epochs", "2", "--weights", "runs/digits/checkpoint.npz")
    assert result.exit_code == 2
    assert "the checkpoint has its own weights; give no initial weights" in result.stderr


def test_the_binary_points_are_those_of_the_file() -> None:
    assert train("--layers", "64,4,10", "--activation", "relu", "--out", "first").exit_code == 0
    state = load_checkpoint(Path("first/checkpoint.npz"))
    replace(state, network=replace(state.network, linear_frac=9, input_frac=11)).save(Path("x.npz"))
    assert train("--weights", "x.npz").exit_code == 0
    network = load_checkpoint(Path("runs/digits/checkpoint.npz")).network
    assert (network.linear_frac, network.input_frac) == (9, 11)


@pytest.mark.parametrize("trained_by", [0.0, 0.5])
@pytest.mark.parametrize("goes_on_by", [0.0, 0.5, 0.3])
@pytest.mark.parametrize("name", ["x.npz", "x.onnx"])
def test_a_run_answers_as_the_file_whatever_the_dropout(
    name: str, trained_by: float, goes_on_by: float
) -> None:
    weights = MODEL.master_weights()
    velocity = [np.zeros_like(w) for w in weights]
    recipe = Recipe(1, 1, 0.1, dropout=trained_by)
    state = Checkpoint(NETWORK, recipe, 15, 0, weights, velocity)
    if name == "x.npz":
        state.save(Path(name))
    else:
        write_onnx(Model.of_device(NETWORK, weights, trained_by), Path(name), np.float64)
    task = find_task("digits")
    network, first = imported(Path(name), task, "digits", None, None, None, goes_on_by)
    assert network.sizes == NETWORK.sizes
    for used, answers in zip(
        inference_weights(first, goes_on_by), state.inference_weights, strict=True
    ):
        assert np.abs(used - answers).max() <= 1


def test_what_is_read_a_little_differently_is_said_in_one_line() -> None:
    leaky = replace(MODEL, network=Network((64, 12, 10), ("leaky_relu",), "cce"))
    write_onnx(leaky, Path("x.onnx"))
    onnx: Any = pytest.importorskip("onnx")
    content = onnx.load("x.onnx")
    content.graph.node[1].attribute[0].f = 0.01
    onnx.save(content, "x.onnx")
    result = train("--weights", "x.onnx")
    assert result.exit_code == 0, result.stderr
    note = "note: a leaky ReLU of slope 0.01 is read as the engine's, of slope 1/128"
    assert [line for line in result.stderr.splitlines() if line.startswith(note)]
