# SPDX-License-Identifier: BSD-2-Clause

"""Networks from files: every kind that `dualgate train --weights` takes, and plain refusals."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.damage import damage
from support.exchange_models import assert_same, small

from dualgate.contract.errors import CheckpointError, InputError
from dualgate.contract.network import Network
from dualgate.exchange import Model, read_model, write_model, write_onnx
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
        ({}, 1, "one of its weights is not of a linear layer"),
        ({"².weight": np.ones(3)}, 1, "one of its weights is not"),
        ({"²": np.ones((3, 3))}, 1, r"\\xb2 is not of a linear layer"),
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


VALUES = np.array([[1.5, -2.25, 3.0, 0.01]])


@pytest.mark.parametrize("kind", ["bfloat16", "float16", "float64"])
@pytest.mark.parametrize("ending", ["safetensors", "pt"])
def test_tensors_of_other_widths_are_read_exactly(tmp_path: Path, kind: str, ending: str) -> None:
    torch: Any = pytest.importorskip("torch")
    tensor = torch.tensor(VALUES).to(getattr(torch, kind))
    path = tmp_path / f"x.{ending}"
    if ending == "pt":
        torch.save({"0.weight": tensor}, path)
    else:
        pytest.importorskip("safetensors.torch").save_file({"0.weight": tensor}, path)
    (w,) = read_model(path, "mse", ["tanh"]).weights
    np.testing.assert_array_equal(w[:-1, 0], tensor.double().numpy()[0])


def shaped(**sizes: tuple[int, int]) -> dict[str, NDArray[Any]]:
    random = np.random.default_rng(0)
    return {
        f"{name.replace('_', '.')}.weight": random.normal(0, 1, (outputs, inputs))
        for name, (inputs, outputs) in sizes.items()
    }


ORDERS: dict[str, tuple[dict[str, NDArray[Any]], tuple[int, ...]]] = {
    "sizes alone": (shaped(hidden=(5, 4), input=(6, 5), output=(4, 2)), (6, 5, 4, 2)),
    "numbers of any length": (
        {f"{'9' * 5000}.weight": np.ones((2, 3)), "10.weight": np.ones((3, 4))},
        (4, 3, 2),
    ),
    "numbers and sizes": (shaped(fc2=(5, 5), fc1=(6, 5), out=(5, 2)), (6, 5, 5, 2)),
    "two rows of numbers": (
        shaped(head_0=(5, 4), head_2=(4, 2), body_0=(6, 7), body_2=(7, 5)),
        (6, 7, 5, 4, 2),
    ),
    "numbers before sizes": (shaped(l2=(4, 4), l1=(4, 4)), (4, 4, 4)),
    "one layer without a name": ({"weight": np.ones((2, 3)), "bias": np.ones(2)}, (3, 2)),
}


@pytest.mark.parametrize("name", ORDERS)
def test_layers_are_in_the_only_order_that_is_clear(tmp_path: Path, name: str) -> None:
    arrays, sizes = ORDERS[name]
    np.savez(tmp_path / "x.npz", **arrays)
    model = read_model(tmp_path / "x.npz", "mse", ["tanh"])
    assert model.network.sizes == sizes
    if name == "numbers before sizes":
        np.testing.assert_array_equal(model.weights[0][:-1].T, arrays["l1.weight"])


UNCLEAR = {
    "several orders of the layers hidden, input, output fit": (
        shaped(hidden=(4, 4), input=(4, 4), output=(4, 2))
    ),
    "several orders of the layers decoder, encoder fit": shaped(encoder=(6, 2), decoder=(2, 6)),
    "no order of the layers a, b fit": shaped(a=(3, 4), b=(5, 6)),
    "several orders of the layers a, b, c, d, e": shaped(
        **{name: (3, 3) for name in "abcdefghijklm"}
    ),
}


@pytest.mark.parametrize("message", UNCLEAR)
def test_an_order_that_would_be_guessed_is_refused(tmp_path: Path, message: str) -> None:
    np.savez(tmp_path / "x.npz", **UNCLEAR[message])
    with pytest.raises(InputError, match=rf"{message}.*; rename them to 0.weight, 0.bias, 1.wei"):
        read_model(tmp_path / "x.npz", "mse", ["tanh"])


def test_a_kind_is_told_by_content_and_by_a_suffix_in_any_case(tmp_path: Path) -> None:
    torch: Any = pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    write_onnx(small(), tmp_path / "x.onnx", np.float64)
    (tmp_path / "x.onnx").rename(tmp_path / "NET.ONNX")
    saved(tmp_path / "x.safetensors", state_dict(small())).rename(tmp_path / "model")
    tensors = {name: torch.from_numpy(array) for name, array in state_dict(small()).items()}
    torch.save({"state_dict": tensors, "epoch": 3}, tmp_path / "sd.PTH")
    torch.save(tensors, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    np.savez(tmp_path / "w.npz", **state_dict(small()))
    for name in ("NET.ONNX", "model", "sd.PTH", "old.pt", "w.npz"):
        assert_same(
            read_model(tmp_path / name, "cce", ["tanh"]),
            replace(small(), network=Network((4, 3, 2), ("tanh",), "cce")),
        )


def test_a_pickled_module_is_never_loaded(tmp_path: Path) -> None:
    torch: Any = pytest.importorskip("torch")
    torch.save(torch.nn.Linear(3, 2), tmp_path / "x.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    torch.save({"0.weight": torch.zeros(1).expand(1 << 20, 1 << 20)}, tmp_path / "huge.pt")
    for name, message in (
        ("x.pt", "more than tensors, such as a whole module; save model.state_dict"),
        ("list.pt", "holds no state dict"),
        ("huge.pt", "huge.pt claims 8.8 TB, more than the 67.1 MB that are read"),
    ):
        with pytest.raises(InputError, match=message):
            read_model(tmp_path / name, "mse", ["tanh"])


def test_a_file_of_another_kind_is_refused_with_the_kinds(tmp_path: Path) -> None:
    (tmp_path / "x.h5").write_bytes(b"\x89HDF\r\n\x1a\n and more")
    with pytest.raises(InputError, match=r"of no known kind; give ONNX \(.onnx\), a checkpoint of"):
        read_model(tmp_path / "x.h5", "mse", ["tanh"])


@pytest.mark.parametrize("rate", [0.5, 0.3])
def test_a_checkpoint_of_dropout_gives_the_weights_that_answer(tmp_path: Path, rate: float) -> None:
    network = Network((4, 3, 3, 2), "tanh", "cce")
    weights = initial_master_weights(network, 3)
    velocity = [np.zeros_like(w) for w in weights]
    state = Checkpoint(network, Recipe(1, 1, 0.1, dropout=rate), 15, 0, weights, velocity)
    state.save(tmp_path / "x.npz")
    model = read_model(tmp_path / "x.npz", "cce", ["tanh"])
    assert model.dropout == (rate, rate)
    for answer, grown, first, shrunk in zip(
        model.master_weights(),
        model.master_weights(rate),
        weights,
        state.inference_weights,
        strict=True,
    ):
        np.testing.assert_array_equal(answer, shrunk)
        np.testing.assert_array_equal(grown, first)
    with pytest.raises(InputError, match=r"^dropout 1.0: give a share from 0 to below 1$"):
        model.master_weights(1.0)


@given(data=st.data())
@pytest.mark.parametrize("ending", ["npz", "pt", "safetensors"])
def test_a_damaged_file_is_refused_in_one_line_or_read(
    tmp_path_factory: pytest.TempPathFactory, ending: str, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("damage") / f"x.{ending}"
    if ending == "npz":
        np.savez(path, **state_dict(small()))
    else:
        write_model(path, small())
    damage(path, data)
    message = ""
    try:
        read_model(path, "cce", ["tanh"])
    except (InputError, CheckpointError) as error:
        message = str(error)
    assert message.isprintable()


def test_a_signalling_nan_and_a_name_of_no_letters_are_refused(tmp_path: Path) -> None:
    signalling = np.full((3, 4), 0x7F800001, np.uint32).view(np.float32)
    with pytest.raises(InputError, match="weights hold NaN"):
        read_model(saved(tmp_path / "x.safetensors", {"0.weight": signalling}), "mse", ["tanh"])
    np.savez(tmp_path / "x.npz", **state_dict(small()))
    content = (tmp_path / "x.npz").read_bytes().replace(b"0.bias.npy", b"\xf4\xf6\xe3\xc6.npy!!")
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises((InputError, CheckpointError)) as caught:
        read_model(tmp_path / "x.npz", "mse", ["tanh"])
    assert str(caught.value).isprintable()
