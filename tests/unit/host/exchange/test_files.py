# SPDX-License-Identifier: BSD-2-Clause

"""Networks from files: every kind that `dualgate train --weights` takes, and plain refusals."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support.exchange_models import assert_same, small

from dualgate.contract.errors import CheckpointError, InputError
from dualgate.contract.network import Network
from dualgate.exchange import Model, read_model, write_onnx
from dualgate.optim.initialisers import initial_master_weights, initial_weights
from dualgate.train.checkpoint import Checkpoint
from dualgate.train.recipe import Recipe

DEEP = Network((3, *range(2, 13), 4), ("tanh",) * 11, "cce")


def state_dict(model: Model) -> dict[str, NDArray[Any]]:
    """As PyTorch names the layers of a Sequential with an activation after each."""
    result = {}
    for index, w in enumerate(model.weights):
        result[f"{2 * index}.weight"] = np.ascontiguousarray(w[:-1].T)
        result[f"{2 * index}.bias"] = w[-1]
    return result


def saved(path: Path, arrays: dict[str, NDArray[Any]]) -> Path:
    tensors: Any = pytest.importorskip("safetensors.numpy")
    tensors.save_file(arrays, path)
    return path


def checkpoint(path: Path, network: Network) -> Path:
    weights = initial_master_weights(network, 3)
    velocity = [np.zeros_like(w) for w in weights]
    Checkpoint(network, Recipe(1, 1, 0.1), 15, 0, weights, velocity).save(path)
    return path


@pytest.mark.parametrize("ending", ["npz", "safetensors"])
def test_a_checkpoint_gives_its_network_and_its_weights_to_the_bit(
    tmp_path: Path, ending: str
) -> None:
    network = Network((4, 3, 2), "relu", "cce", linear_frac=9)
    model = read_model(checkpoint(tmp_path / f"x.{ending}", network), "cce", ["tanh"])
    assert model.network == network
    for mine, theirs in zip(
        model.master_weights(), initial_master_weights(network, 3), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


def test_what_was_frozen_is_not_part_of_what_is_imported(tmp_path: Path) -> None:
    network = Network((4, 3, 2), "tanh", "sigmoid-mse", frozen=(0,))
    model = read_model(checkpoint(tmp_path / "x.npz", network), "bce", ["tanh"])
    assert model.network == replace(network, loss="bce", frozen=())


def test_an_onnx_file_gives_its_network(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    write_onnx(small(), tmp_path / "x.onnx", np.float64)
    assert_same(
        read_model(tmp_path / "x.onnx", "cce", ["relu"]),
        replace(small(), network=Network((4, 3, 2), ("tanh",), "cce")),
    )


@pytest.mark.parametrize("hidden", [("tanh",), ("tanh",) * 11])
def test_a_state_dict_gives_layers_in_the_order_of_their_numbers(
    tmp_path: Path, hidden: tuple[str, ...]
) -> None:
    model = Model(DEEP, initial_weights(DEEP, seed=1))
    path = saved(tmp_path / "x.safetensors", state_dict(model))
    assert_same(read_model(path, "cce", hidden), model)


def test_a_layer_without_bias_has_zeros(tmp_path: Path) -> None:
    path = saved(tmp_path / "x.safetensors", {"out.weight": np.ones((2, 3))})
    (w,) = read_model(path, "mse", ["tanh"]).weights
    assert w.tolist() == [[1.0, 1.0]] * 3 + [[0.0, 0.0]]


GOOD = state_dict(small())


@pytest.mark.parametrize(
    ("arrays", "hidden", "message"),
    [
        ({"0.weight": np.ones((2, 3, 3))}, 1, "one of its weights is not of a linear layer"),
        ({**GOOD, "norm.running_mean": np.ones(3)}, 1, "norm.running_mean is not of a linear"),
        ({**GOOD, "0.bias": np.ones(7)}, 1, r"0.bias has shape \(7,\); 0.weight needs one number"),
        ({**GOOD, "2.weight": np.ones((2, 9))}, 1, "step 3 takes 9 values, and the layer before"),
        (GOOD, 2, "2 activations for 1 hidden layers; give one for all or one for each"),
        ({**GOOD, "0.weight": np.full((3, 4), np.nan)}, 1, "weights hold NaN"),
        ({"x": np.ones(3)}, 1, "x is not of a linear layer"),
    ],
)
def test_a_state_dict_that_is_no_such_network_is_refused(
    tmp_path: Path, arrays: dict[str, NDArray[Any]], hidden: int, message: str
) -> None:
    path = saved(tmp_path / "x.safetensors", arrays)
    with pytest.raises(InputError, match=rf"^{path}: {message}"):
        read_model(path, "cce", ["tanh"] * hidden)


def test_files_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "x.npz", Network((4, 3, 2), "tanh", "mse"))
    with pytest.raises(InputError, match="the loss cce needs softmax at the outputs, which have i"):
        read_model(path, "cce", ["tanh"])
    (tmp_path / "cut.npz").write_bytes(path.read_bytes()[:-30])
    with pytest.raises(CheckpointError, match=r"cut.npz cannot be used: not a whole .npz"):
        read_model(tmp_path / "cut.npz", "mse", ["tanh"])
    pytest.importorskip("safetensors")
    for name, text in (("none", None), ("not", b"safe")):
        other = tmp_path / f"{name}.safetensors"
        if text is not None:
            other.write_bytes(text)
        with pytest.raises(InputError, match=f"^cannot read {other}: "):
            read_model(other, "mse", ["tanh"])
