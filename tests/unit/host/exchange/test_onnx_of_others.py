# SPDX-License-Identifier: BSD-2-Clause

"""ONNX files as other programs write them: read, and run in onnxruntime with the same answers."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dualgate.contract.errors import InputError
from dualgate.exchange import ExchangeWarning, Model, read_onnx

onnx: Any = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
runtime: Any = pytest.importorskip("onnxruntime")
helper, to_tensor = onnx.helper, onnx.numpy_helper.from_array
RANDOM = np.random.default_rng(5)
CONSTANTS = {
    name: RANDOM.normal(0, 1, shape).astype(np.float32)
    for name, shape in {
        **{"W": (4, 5), "b": (5,), "V": (5, 3), "c": (3,), "Wt": (5, 4), "column": (5, 1)},
        **{"row": (1, 5), "four": (1, 2, 2), "gain": (5,), "mean": (5,), "zero": (1,)},
    }.items()
}
CONSTANTS |= {"var": CONSTANTS["gain"] ** 2 + 1, "half": CONSTANTS["W"].astype(np.float16)}
TARGETS = {"keep": [0, -1], "flat": [-1, 4], "wide": [-1, 2], "tall": [2, -1], "five": [-1, 5]}
SHAPES = {name: np.array(shape, np.int64) for name, shape in TARGETS.items()}


def node(kind: str, inputs: str, output: str, **attributes: Any) -> Any:
    given = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(kind, given, [output], **attributes)


def write(path: Path, nodes: Sequence[Any], shape: Sequence[Any] = ("N", 4), **more: Any) -> Path:
    """Write nodes from x to y with the constants that they use as initialisers."""
    used = {name for each in nodes for name in each.input}
    kind = onnx.TensorProto.FLOAT
    constants = {**CONSTANTS, **SHAPES, **more}
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, [None, None])],
        [to_tensor(array, name) for name, array in constants.items() if name in used],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def theirs(path: Path, x: NDArray[np.float32]) -> NDArray[Any]:
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = runtime.InferenceSession(path, options)
    answer = session.run(None, {session.get_inputs()[0].name: x})[-1]
    if isinstance(answer, list):  # of skl2onnx: a dictionary for each sample
        answer = [list(each.values()) for each in answer]
    return np.asarray(answer)


def assert_same_answers(path: Path, model: Model, dims: Sequence[int] = (4,)) -> None:
    x = np.random.default_rng(1).normal(0, 1, (5, *dims)).astype(np.float32)
    ours = model.outputs(x.reshape(5, -1))
    assert np.abs(ours - theirs(path, x)).max() < 1e-5


LAST = node("Gemm", "h V c", "y")
FIRST = node("Gemm", "x W b", "z")
TANH = node("Tanh", "z", "h")
CONSTANT_FORMS = {
    "value_floats": [node("Constant", "", "k", value_floats=[1.0, 2.0, 3.0, 4.0, 5.0])],
    "value": [node("Constant", "", "k", value=to_tensor(CONSTANTS["b"]))],
    "value_float": [node("Constant", "", "k", value_float=0.5)],
    "value_ints": [
        node("Constant", "", "i", value_ints=[1, 0, 3, 1, 2]),
        node("Cast", "i", "k", to=1),
    ],
    "identity": [node("Identity", "b", "k")],
    "computed": [node("Mul", "b gain", "p"), node("Neg", "p", "k")],
}


@pytest.mark.parametrize("form", CONSTANT_FORMS)
def test_a_constant_of_any_form_is_read(tmp_path: Path, form: str) -> None:
    nodes = [*CONSTANT_FORMS[form], node("Gemm", "x W k", "z"), TANH, LAST]
    path = write(tmp_path / "x.onnx", nodes)
    assert_same_answers(path, read_onnx(path))


CHAINS = {
    "transpose": [
        node("Transpose", "Wt", "T"),
        node("MatMul", "x T", "m"),
        node("Add", "m b", "z"),
    ],
    "half": [node("Cast", "half", "H", to=1), node("Gemm", "x H b", "z")],
    "identities": [
        node("Identity", "x", "i"),
        node("Cast", "i", "j", to=1),
        node("Gemm", "j W", "z"),
    ],
    "row": [node("MatMul", "x W", "m"), node("Add", "row m", "z")],
    "sub": [node("MatMul", "x W", "m"), node("Sub", "m b", "s"), node("Sub", "b s", "z")],
    "standardised": [
        node("Sub", "x zero", "s"),
        node("Div", "s c0", "d"),
        node("MatMul", "d W", "z"),
    ],
    "batch norm": [FIRST, node("BatchNormalization", "z gain b mean var", "bn")],
    "flatten": [node("Flatten", "x", "f"), node("Gemm", "f W b", "z")],
    "keep": [node("Reshape", "x keep", "f"), node("Gemm", "f W b", "z")],
    "flat": [node("Reshape", "x flat", "f"), node("Gemm", "f W b", "z")],
    "scaled image": [
        node("Mul", "x four", "s"),
        node("Flatten", "s", "f"),
        node("Gemm", "f W", "z"),
    ],
    "asked": [
        node("Shape", "x", "s"),
        node("Gather", "s first", "n", axis=0),
        node("Concat", "n rest", "t", axis=0),
        node("Reshape", "x t", "f"),
        node("Gemm", "f W", "z"),
    ],
}
IMAGES = {"flatten", "keep", "flat", "scaled image", "asked"}


@pytest.mark.parametrize("name", CHAINS)
def test_a_chain_computes_the_same_in_onnxruntime(tmp_path: Path, name: str) -> None:
    nodes = CHAINS[name]
    dims = (1, 2, 2) if name in IMAGES else (4,)
    path = write(
        tmp_path / "x.onnx",
        [*nodes, node("Tanh", nodes[-1].output[0], "h"), LAST],
        ("N", *dims),
        c0=np.array([1.0, 2.0, 0.5, 4.0], np.float32),
        first=np.array([0]),
        rest=np.array([-1]),
    )
    model = read_onnx(path)
    assert model.network.sizes == (4, 5, 3)
    assert_same_answers(path, model, dims)


def test_batch_norm_behind_an_activation_joins_the_next_layer(tmp_path: Path) -> None:
    nodes = [
        *(FIRST, node("Relu", "z", "r"), node("BatchNormalization", "r gain b mean var", "n")),
        *(node("Dropout", "n", "h"), LAST),
    ]
    path = write(tmp_path / "x.onnx", nodes)
    model = read_onnx(path)
    assert (model.network.hidden, model.dropout) == (("relu",), (0.5,))
    assert_same_answers(path, model)


def test_log_softmax_is_softmax_under_cross_entropy(tmp_path: Path) -> None:
    path = write(
        tmp_path / "x.onnx", [FIRST, TANH, node("Gemm", "h V c", "o"), node("LogSoftmax", "o", "y")]
    )
    model = read_onnx(path)
    assert model.network.loss == "cce"
    x = np.random.default_rng(1).normal(0, 1, (5, 4)).astype(np.float32)
    assert np.abs(np.log(model.outputs(x)) - theirs(path, x)).max() < 1e-5


def test_the_usual_leak_is_read_as_the_engine_s_with_a_word(tmp_path: Path) -> None:
    path = write(tmp_path / "x.onnx", [FIRST, node("LeakyRelu", "z", "h"), LAST])
    with pytest.warns(ExchangeWarning, match=r"slope 0.01 is read as the engine's, of slope 1/128"):
        model = read_onnx(path)
    x = np.random.default_rng(1).normal(0, 1, (5, 4)).astype(np.float32)
    z = x @ CONSTANTS["W"] + CONSTANTS["b"]
    bound = (np.minimum(z, 0) * (1 / 128 - 0.01)) @ CONSTANTS["V"]
    assert np.abs(model.outputs(x) - theirs(path, x) - bound).max() < 1e-5


REFUSED = {
    "a constant of shape (5, 1) for 5 units": [
        *(node("MatMul", "x W", "m"), node("Add", "m column", "z"), TANH, LAST),
    ],
    "node Reshape does not keep samples apart": [node("Reshape", "x wide", "f"), FIRST],
    "node Reshape does not keep": [node("Reshape", "x tall", "f"), FIRST],
    "softmax over axis 0": [FIRST, node("Softmax", "z", "y", axis=0)],
    "softmax over axis 0 is": [FIRST, node("LogSoftmax", "z", "y", axis=0)],
    "node Flatten does not keep": [node("Flatten", "x", "f", axis=0), node("Gemm", "f W", "y")],
    "node Div divides by the values": [FIRST, node("Div", "b z", "y")],
    "node Cast rounds": [FIRST, node("Cast", "z", "i", to=7), node("Cast", "i", "y", to=1)],
    "follows a scaling that follows no linear layer": [
        *(
            FIRST,
            TANH,
            node("Mul", "h gain", "m"),
            node("Relu", "m", "r"),
            node("Gemm", "r V", "y"),
        ),
    ],
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_is_no_dense_network_is_refused(tmp_path: Path, message: str) -> None:
    nodes = list(REFUSED[message])
    if nodes[-1].output[0] != "y":
        nodes[-1] = node("Gemm", f"{nodes[-2].output[0]} W b", "y")
    path = write(tmp_path / "x.onnx", nodes, (5, 4))
    with pytest.raises(InputError) as caught:
        read_onnx(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("array", [np.array([b"a"] * 5, object), np.ones(5, np.complex64)])
def test_weights_that_are_no_real_numbers_are_refused(tmp_path: Path, array: Any) -> None:
    path = write(
        tmp_path / "x.onnx", [node("MatMul", "x W", "m"), node("Add", "m odd", "y")], odd=array
    )
    with pytest.raises(InputError, match=r"constant of type (STRING|COMPLEX64); give numbers"):
        read_onnx(path)
    ratio = write(tmp_path / "r.onnx", [FIRST, node("Dropout", "z odd", "h"), LAST], odd=array[:1])
    with pytest.raises(InputError, match=r"constant of type (STRING|COMPLEX64); give numbers"):
        read_onnx(ratio)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused_without_warning(
    tmp_path: Path, bad: float
) -> None:
    odd = np.full((4, 5), bad, np.float32)
    nodes = [
        node("Cast", "odd", "i", to=6),
        node("Cast", "i", "f", to=1),
        node("MatMul", "x f", "y"),
    ]
    for chain in (nodes, [node("MatMul", "x odd", "y")]):
        path = write(tmp_path / "x.onnx", chain, odd=odd)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            if chain is not nodes:
                with pytest.raises(InputError, match="weights hold NaN"):
                    read_onnx(path)
            else:
                with pytest.raises(InputError):
                    read_onnx(path).master_weights()


def test_a_constant_that_would_fill_the_memory_is_not_computed(tmp_path: Path) -> None:
    nodes = [node("ConstantOfShape", "much", "W0"), node("MatMul", "x W0", "y")]
    path = write(tmp_path / "x.onnx", nodes, much=np.array([1 << 20, 1 << 20]))
    with pytest.raises(InputError, match="takes W0, which is not a constant"):
        read_onnx(path)


def external(path: Path, where: str) -> Path:
    model = onnx.load(write(path, [FIRST, TANH, LAST]))
    onnx.save(model, path, save_as_external_data=True, location="w.data", size_threshold=0)
    if where != "w.data":
        model = onnx.load(path, load_external_data=False)
        for tensor in model.graph.initializer:
            tensor.external_data[0].value = where
        path.write_bytes(model.SerializeToString())
    return path


def test_weights_beside_a_file_are_read_wherever_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, here = tmp_path / "there", tmp_path / "here"
    there.mkdir()
    here.mkdir()
    path = external(there / "x.onnx", "w.data")
    (here / "w.data").write_bytes(b"\0" * 4096)
    monkeypatch.chdir(here)
    assert_same_answers(path, read_onnx(Path("../there/x.onnx")))
    monkeypatch.chdir(there)
    (w, _) = read_onnx(Path("x.onnx")).weights
    np.testing.assert_array_equal(w[:-1], CONSTANTS["W"])


@pytest.mark.parametrize("case", ["missing", "outside", "link", "short"])
def test_weights_that_are_not_beside_a_file_are_refused(tmp_path: Path, case: str) -> None:
    (tmp_path / "d").mkdir()
    path = external(tmp_path / "d" / "x.onnx", "../w.data" if case == "outside" else "w.data")
    data = tmp_path / "d" / "w.data"
    if case in ("outside", "link"):
        data.rename(tmp_path / "w.data")
    if case == "link":
        data.symlink_to(tmp_path / "w.data")
    if case == "missing":
        data.unlink()
    if case == "short":
        data.write_bytes(data.read_bytes()[:9])
    with pytest.raises(InputError, match=r"w\.data, which cannot be read; put the file beside"):
        read_onnx(path)


@pytest.mark.slow
@pytest.mark.parametrize("dynamo", [True, False])
@pytest.mark.parametrize("batch", ["fixed", "free"])
def test_files_of_both_exporters_of_pytorch_are_read(
    tmp_path: Path, dynamo: bool, batch: str
) -> None:
    torch: Any = pytest.importorskip("torch")
    nn = torch.nn

    class Image(nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.first, self.norm, self.last = nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 3)
            self.norm.running_mean.uniform_()
            self.norm.running_var.uniform_(0.5, 2)

        def forward(self, x: Any) -> Any:
            return self.last(torch.relu(self.norm(self.first(x.view(x.size(0), -1)))))

    torch.manual_seed(0)
    path, axis = tmp_path / "x.onnx", {0: torch.export.Dim("n")} if dynamo else {0: "n"}
    free: dict[str, Any] = {"dynamic_shapes": (axis,)} if dynamo else {"dynamic_axes": {"x": axis}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Image().eval(),
            (torch.zeros(5, 1, 2, 2),),
            str(path),
            dynamo=dynamo,
            input_names=["x"],
            verbose=False,
            **(free if batch == "free" else {}),
        )
    model = read_onnx(path)
    assert (model.network.sizes, model.network.hidden) == ((4, 6, 3), ("relu",))
    assert_same_answers(path, model, (1, 2, 2))
