# SPDX-License-Identifier: BSD-2-Clause

"""PyTorch: networks read and made, and run on both sides."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from support.effort import examples
from support.exchange_models import assert_same, inputs, models, small

from dualgate.contract.errors import InputError, MissingToolError
from dualgate.exchange import Model, from_torch, to_torch

torch: Any = pytest.importorskip("torch")
nn = torch.nn


def theirs(sequential: Any, x: Any) -> Any:
    with torch.no_grad():
        return sequential(torch.from_numpy(x)).numpy()


@examples(40)
@given(models())
def test_a_network_made_for_pytorch_computes_the_same(model: Model) -> None:
    x = inputs(model)
    assert np.abs(theirs(to_torch(model, np.float64), x) - model.outputs(x)).max() < 1e-14
    single = to_torch(model)
    assert {p.dtype for p in single.parameters()} == {torch.float32}
    assert np.abs(theirs(single, x.astype(np.float32)) - model.outputs(x)).max() < 1e-5


@examples(40)
@given(models())
def test_what_was_made_is_read_back(model: Model) -> None:
    assert_same(from_torch(to_torch(model, np.float64)), model)


def test_a_network_of_pytorch_computes_the_same() -> None:
    torch.manual_seed(0)
    sequential = nn.Sequential(
        nn.Linear(6, 9),
        nn.LeakyReLU(1 / 128),
        nn.Dropout(0.2),
        nn.Linear(9, 8, bias=False),
        nn.Linear(8, 7),
        nn.Sigmoid(),
        nn.Linear(7, 5),
        nn.ReLU(),
        nn.Linear(5, 4),
        nn.Tanh(),
        nn.Linear(4, 3),
        nn.Softmax(dim=-1),
    ).eval()
    model = from_torch(sequential)
    assert model.network.hidden == ("leaky_relu", "identity", "sigmoid", "relu", "tanh")
    assert model.network.loss == "cce"
    assert model.dropout == (0.2, 0.0, 0.0, 0.0, 0.0)
    x = inputs(model)
    single = theirs(sequential, x.astype(np.float32))
    assert np.abs(single - model.outputs(x)).max() < 1e-6
    assert np.abs(theirs(sequential.double(), x) - model.outputs(x)).max() < 1e-14


def test_logits_are_read_for_the_loss_that_takes_them() -> None:
    model = from_torch(nn.Sequential(nn.Linear(4, 3)), "cce")
    assert model.network.loss == "cce"
    assert model.outputs(inputs(model)).sum(axis=1) == pytest.approx(1.0)


def test_a_copy_does_not_change_with_the_original() -> None:
    linear = nn.Linear(4, 3).double()
    model = from_torch(nn.Sequential(linear))
    before = model.weights[0].copy()
    with torch.no_grad():
        linear.weight.zero_()
        linear.bias.zero_()
    np.testing.assert_array_equal(model.weights[0], before)


def test_dropout_of_theirs_is_in_place_and_asleep() -> None:
    made = to_torch(Model(small().network, small().weights, (0.25,)))
    assert not made.training
    assert [type(layer).__name__ for layer in made] == [
        "Linear",
        "Tanh",
        "Dropout",
        "Linear",
        "Softmax",
    ]
    assert made[2].p == 0.25


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            [nn.Linear(2, 2), nn.GELU()],
            r"^1 \(GELU\), operation gelu: it is not supported; known are ",
        ),
        ([nn.Linear(2, 2), nn.LeakyReLU(0.2)], r"^1 \(LeakyReLU\), .* slope 0.2 is not supported"),
        ([nn.Linear(2, 2), nn.Softmax(dim=0)], r"^1 \(Softmax\), .* softmax over axis 0"),
        ([nn.Linear(2, 2), nn.Tanh()], r"^tanh at the outputs is not supported"),
        ([nn.Linear(2, 2), nn.LayerNorm(2)], r"^1 \(LayerNorm\), operation layer_norm: it is not"),
        (
            [nn.Linear(2, 2), nn.BatchNorm1d(2, track_running_stats=False)],
            r"^1 \(BatchNorm1d\), .*mom",
        ),
        (
            [nn.Conv2d(1, 1, 1)],
            r"^Sequential cannot be exported as a function of \(samples, inputs\)",
        ),
    ],
)
def test_a_layer_without_counterpart_is_refused(layers: list[Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_torch(nn.Sequential(*layers))


def test_only_a_module_is_read() -> None:
    with pytest.raises(InputError, match=r"^dict is not an nn\.Module; give one$"):
        from_torch({})


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for call in (lambda: to_torch(small()), lambda: from_torch(None)):
        with pytest.raises(MissingToolError, match=r"pip install dualgate\[torch\]$"):
            call()
