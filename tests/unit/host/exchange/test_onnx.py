# SPDX-License-Identifier: BSD-2-Clause

"""ONNX: files written are run by two runtimes, and files of others are read."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.effort import examples
from support.exchange_models import assert_same, inputs, models, small

from dualgate.contract.errors import InputError, MissingToolError
from dualgate.exchange import Model, read_onnx, write_onnx

onnx: Any = pytest.importorskip("onnx")
onnx_reference: Any = pytest.importorskip("onnx.reference")
helper, to_tensor = onnx.helper, onnx.numpy_helper.from_array
Arrays = dict[str, NDArray[Any]]


def reference(path: Path, x: NDArray[Any]) -> NDArray[Any]:
    """The outputs by the runtime that defines the format."""
    (result,) = onnx_reference.ReferenceEvaluator(str(path)).run(None, {"x": x})
    return np.asarray(result)


@examples(40)
@given(model=models())
def test_a_file_in_double_precision_is_the_network(
    tmp_path_factory: pytest.TempPathFactory, model: Model
) -> None:
    path = tmp_path_factory.mktemp("onnx") / "x.onnx"
    write_onnx(model, path, np.float64)
    x = inputs(model)
    assert np.abs(reference(path, x) - model.outputs(x)).max() < 1e-14
    assert_same(read_onnx(path), model)


@examples(40)
@given(model=models())
def test_a_file_runs_in_onnxruntime(tmp_path_factory: pytest.TempPathFactory, model: Model) -> None:
    runtime: Any = pytest.importorskip("onnxruntime")
    path = tmp_path_factory.mktemp("onnx") / "x.onnx"
    write_onnx(model, path)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    x = inputs(model)
    (y,) = runtime.InferenceSession(path, options).run(None, {"x": x.astype(np.float32)})
    assert y.dtype == np.float32
    assert np.abs(y - model.outputs(x)).max() < 1e-5


def graph(
    path: Path,
    nodes: Sequence[Any],
    constants: Arrays,
    given: Sequence[str] = ("x",),
    result: str = "y",
    opset: int = 13,
) -> Path:
    """Write a graph of somebody else's; constants are initialisers."""
    kind = onnx.TensorProto.DOUBLE
    made = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, kind, [None, 4]) for name in given],
        [helper.make_tensor_value_info(result, kind, [None, None])],
        [to_tensor(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


RANDOM = np.random.default_rng(5)
W, V, B, C = (RANDOM.normal(0, 1, shape) for shape in ((4, 3), (2, 3), (3,), (1, 2)))


def node(kind: str, source: str, target: str, *others: str, **attributes: Any) -> Any:
    return helper.make_node(kind, [source, *others], [target], **attributes)


@pytest.mark.parametrize(
    ("nodes", "hidden", "loss"),
    [
        (
            [
                node("MatMul", "x", "a", "W"),
                helper.make_node("Add", ["B", "a"], ["b"]),
                node("Tanh", "b", "c"),
                node("Gemm", "c", "d", "V", "C", transB=1, alpha=0.5, beta=2.0),
                node("Sigmoid", "d", "y"),
            ],
            "tanh",
            "bce",
        ),
        (
            [
                node("Gemm", "x", "a", "W"),
                node("LeakyRelu", "a", "b", alpha=1 / 128),
                helper.make_node("Constant", [], ["K"], value=to_tensor(V.T.copy())),
                node("MatMul", "b", "c", "K"),
                node("Add", "c", "d", "C"),
                node("Add", "d", "e", "one"),
                node("Softmax", "e", "y", axis=-1),
            ],
            "leaky_relu",
            "cce",
        ),
        (
            [
                node("Gemm", "x", "a", "W", "B"),
                node("Relu", "a", "b"),
                node("Dropout", "b", "c", "", "asleep"),
                node("Gemm", "c", "y", "V", "", transB=1),
            ],
            "relu",
            "mse",
        ),
    ],
)
def test_a_file_of_others_computes_the_same(
    tmp_path: Path, nodes: list[Any], hidden: str, loss: str
) -> None:
    constants = {"W": W, "V": V, "B": B, "C": C, "one": np.array(1.0), "asleep": np.array(False)}
    path = graph(tmp_path / "x.onnx", nodes, constants)
    model = read_onnx(path)
    assert model.network.hidden == (hidden,)
    assert model.network.loss == loss
    x = inputs(model)
    assert np.abs(reference(path, x) - model.outputs(x)).max() < 1e-14


def test_dropout_keeps_its_rate(tmp_path: Path) -> None:
    nodes = [
        node("Gemm", "x", "a", "W"),
        node("Dropout", "a", "b", "r"),
        node("Gemm", "b", "y", "U"),
    ]
    constants = {"W": W, "r": np.array(0.3), "U": V.T.copy()}
    assert read_onnx(graph(tmp_path / "x.onnx", nodes, constants)).dropout == (0.3,)
    nodes[1] = node("Dropout", "a", "b")
    assert read_onnx(graph(tmp_path / "x.onnx", nodes, constants)).dropout == (0.5,)
    nodes[1] = node("Dropout", "a", "b", ratio=0.25)
    assert read_onnx(graph(tmp_path / "x.onnx", nodes, constants, opset=11)).dropout == (0.25,)


def test_logits_are_read_for_the_loss_that_takes_them(tmp_path: Path) -> None:
    path = graph(tmp_path / "x.onnx", [node("Gemm", "x", "y", "W")], {"W": W})
    assert read_onnx(path).network.loss == "mse"
    assert read_onnx(path, "cce").network.loss == "cce"


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([node("Conv", "x", "y", "W")], "node Conv is not supported; known are Gemm, MatMul,"),
        (
            [node("Gemm", "x", "a", "W"), node("Tanh", "a", "b"), node("Gemm", "b", "y", "S", "a")],
            "Tanh, Gemm takes the value a; the graph is no chain",
        ),
        ([node("MatMul", "W", "y", "x")], "node MatMul is not values times a matrix of weights"),
        ([node("Gemm", "x", "y", "W", transA=1)], "node Gemm is not values times a matrix"),
        ([node("Gemm", "x", "y", "B")], "node Gemm is not values times a matrix"),
        ([node("Gemm", "x", "y", "W", "C")], r"a constant of shape \(1, 2\) for 3 units"),
        ([node("Add", "x", "y", "B")], r"a constant of shape \(3,\) for 4 units"),
        ([node("Add", "x", "y", "one")], "the outputs are scaled after their activation"),
        (
            [node("Gemm", "x", "a", "W"), node("Gemm", "x", "b", "W"), node("Add", "a", "y", "b")],
            "Gemm, Gemm takes the value x; the graph is no chain",
        ),
        (
            [node("Gemm", "x", "a", "W"), node("Add", "a", "y", "a")],
            "Add, Add takes the value a; the graph is no chain",
        ),
        (
            [node("Gemm", "x", "a", "W"), node("Dropout", "a", "y", "", "awake")],
            "node Dropout is in training mode; export the network for inference",
        ),
        (
            [node("Gemm", "x", "a", "W"), node("LeakyRelu", "a", "y", alpha=0.2)],
            "a leaky ReLU of slope 0.2 is not supported",
        ),
        ([node("Gemm", "x", "a", "W"), node("Softmax", "a", "y", axis=0)], "softmax over axis 0"),
    ],
)
def test_a_node_without_counterpart_is_refused(
    tmp_path: Path, nodes: list[Any], message: str
) -> None:
    constants = {
        "W": W,
        "B": B,
        "C": C,
        "S": np.eye(3),
        "awake": np.array(True),
        "one": np.ones(()),
    }
    path = graph(tmp_path / "x.onnx", nodes, constants)
    with pytest.raises(InputError, match=rf"^{path}: {message}"):
        read_onnx(path)


def test_a_graph_has_one_input(tmp_path: Path) -> None:
    path = graph(tmp_path / "x.onnx", [node("Gemm", "x", "y", "W")], {"W": W}, ("x", "z"))
    with pytest.raises(InputError, match="the graph has 2 inputs and 1 outputs"):
        read_onnx(path)


def test_a_file_that_is_no_graph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.onnx").write_bytes(b"\xff" * 20)
    with pytest.raises(InputError, match=r"x\.onnx is not a sound ONNX file; export it again$"):
        read_onnx(tmp_path / "x.onnx")
    with pytest.raises(InputError, match=r"^cannot read .*: No such file or directory"):
        read_onnx(tmp_path / "y.onnx")


@given(data=st.data())
def test_a_damaged_file_is_refused_or_still_a_network(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("damage") / "x.onnx"
    write_onnx(small(), path)
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        del content[at:]
    else:
        content[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    with suppress(InputError):
        read_onnx(path)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    for call in (lambda p: write_onnx(small(), p), read_onnx):
        with pytest.raises(MissingToolError, match=r"pip install dualgate\[onnx\]$"):
            call(tmp_path / "x.onnx")
    assert not list(tmp_path.iterdir())
