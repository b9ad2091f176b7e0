# SPDX-License-Identifier: BSD-2-Clause

"""PyTorch: modules of every form are read by what they compute, and refused by name otherwise."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dualgate.contract.errors import InputError
from dualgate.exchange import ExchangeWarning, Model, from_torch

torch: Any = pytest.importorskip("torch")
nn = torch.nn
functional = nn.functional


def settled(norm: Any) -> Any:
    """Batch normalisation with moments and factors that are not 0 and 1."""
    with torch.no_grad():
        for tensor in (norm.running_mean, norm.weight, norm.bias):
            tensor.normal_()
        norm.running_var.uniform_(0.5, 2)
    return norm


class Functional(nn.Module):
    """A forward of its own, with a weight that is no layer's."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(8, 6)
        self.second = nn.Parameter(torch.randn(6, 3))
        self.register_buffer("offset", torch.randn(3))

    def forward(self, x: Any) -> Any:
        x = (x.view(x.size(0), -1) - 0.5) / 0.25
        x = functional.dropout(torch.tanh(self.first(x)), 0.3, self.training)
        return functional.softmax((x @ self.second + self.offset).float(), dim=-1)


class Rounded(nn.Linear):
    def forward(self, x: Any) -> Any:
        return functional.linear(x, torch.round(self.weight * 8) / 8, self.bias)


class Prepared(nn.Sequential):
    def forward(self, x: Any) -> Any:
        return super().forward(x / 255) + 1


def weight_norm() -> Any:
    return nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(8, 3)))


def twice() -> Any:
    layer = nn.Linear(8, 8)
    return nn.Sequential(layer, nn.Tanh(), layer)


MODULES: dict[str, Callable[[], Any]] = {
    "nested": lambda: nn.Sequential(
        nn.Flatten(),
        nn.Sequential(nn.Linear(8, 6), nn.Identity(), nn.ReLU(inplace=True)),
        nn.Dropout(0.2),
        nn.Linear(6, 3, bias=False),
    ),
    "norm before": lambda: nn.Sequential(settled(nn.BatchNorm1d(8)), nn.Linear(8, 3)),
    "norm behind": lambda: nn.Sequential(
        nn.Linear(8, 6), settled(nn.BatchNorm1d(6)), nn.ReLU(), nn.Linear(6, 3)
    ),
    "norm between": lambda: nn.Sequential(
        nn.Linear(8, 6), nn.Sigmoid(), settled(nn.BatchNorm1d(6)), nn.Dropout(0.5), nn.Linear(6, 3)
    ),
    "functional": Functional,
    "subclass of a layer": lambda: nn.Sequential(Rounded(8, 6), nn.ReLU(), nn.Linear(6, 3)),
    "subclass of a sequence": lambda: Prepared(nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 3)),
    "weight norm": weight_norm,
    "a layer twice": twice,
    "one layer": lambda: nn.Linear(8, 3),
}


def assert_same_answers(module: Any, model: Model, tolerance: float = 1e-5) -> None:
    x = np.random.default_rng(1).normal(0, 1, (50, model.network.sizes[0]))
    kind = next(module.parameters()).dtype
    with torch.no_grad():
        answers = module.eval()(torch.from_numpy(x).to(kind)).double().numpy()
    assert np.abs(answers - model.outputs(x)).max() < tolerance


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_read_by_what_it_computes(name: str) -> None:
    torch.manual_seed(0)
    module = MODULES[name]().train()
    model = from_torch(module)
    assert all(layer.training for layer in module.modules())
    assert_same_answers(module, model)


def test_dropout_keeps_its_rate_and_place() -> None:
    assert from_torch(MODULES["nested"]()).dropout == (0.2,)
    assert from_torch(Functional()).dropout == (0.3,)


@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float64"])
def test_weights_of_any_floating_type_are_read_exactly(kind: str) -> None:
    module = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2)).to(getattr(torch, kind))
    model = from_torch(module)
    for linear, w in zip((module[0], module[2]), model.weights, strict=True):
        np.testing.assert_array_equal(w[:-1].T, linear.weight.detach().double().numpy())
        np.testing.assert_array_equal(w[-1], linear.bias.detach().double().numpy())


def test_log_softmax_is_softmax_under_cross_entropy() -> None:
    module = nn.Sequential(nn.Linear(8, 3), nn.LogSoftmax(dim=1))
    model = from_torch(module)
    assert model.network.loss == "cce"
    assert_same_answers(nn.Sequential(module[0], nn.Softmax(dim=1)), model)


def test_the_usual_leak_is_read_as_the_engine_s_with_a_word() -> None:
    module = nn.Sequential(nn.Linear(8, 6), nn.LeakyReLU(), nn.Linear(6, 3))
    with pytest.warns(ExchangeWarning, match="slope 0.01 is read as the engine's, of slope 1/128"):
        model = from_torch(module)
    module[1].negative_slope = 1 / 128
    assert_same_answers(module, model)


class Clamped(nn.ReLU):
    def forward(self, x: Any) -> Any:
        return super().forward(x).clamp(max=0.3)


class Always(nn.Dropout):
    def forward(self, x: Any) -> Any:
        return functional.dropout(x, self.p, True)


class Noisy(nn.Linear):
    def forward(self, x: Any) -> Any:
        return functional.linear(x, self.weight + torch.rand_like(self.weight), self.bias)


class Skip(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(8, 8)

    def forward(self, x: Any) -> Any:
        return x + self.inner(x)


class Mixed(nn.Sequential):
    def forward(self, x: Any) -> Any:
        return self[1](self[0](x).reshape(-1, 4))


class Branching(nn.Linear):
    def forward(self, x: Any) -> Any:
        return super().forward(x) if x.sum() > 0 else x


def hooked(before: bool) -> Any:
    module = nn.Sequential(nn.Linear(8, 6), nn.Tanh(), nn.Linear(6, 3))
    if before:
        module.register_forward_pre_hook(lambda m, given: (given[0] / 10,))
    else:
        module[0].register_forward_hook(lambda m, given, out: 3 * out)
    return module


REFUSED: dict[str, Callable[[], Any]] = {
    r"^1 \(Clamped\), operation clamp: it is not supported; known": lambda: nn.Sequential(
        nn.Linear(8, 6), Clamped(), nn.Linear(6, 3)
    ),
    r"^block.1 \(Always\), operation dropout: it drops units in evaluation": lambda: nn.ModuleDict(
        {"block": nn.Sequential(nn.Linear(8, 3), Always())}
    ),
    r"^0 \(Noisy\), .*draws random numbers": lambda: nn.Sequential(Noisy(8, 3)),
    r"^Skip, operation add: it takes values from several places": Skip,
    r"^Mixed, operation reshape: it does not keep samples apart": lambda: Mixed(
        nn.Linear(8, 8), nn.Linear(4, 2)
    ),
    r"^Branching cannot be exported as a function": lambda: Branching(8, 8),
    r"^0 \(Linear\) has a forward hook; remove it": lambda: hooked(False),
    r"^Sequential has a forward hook; remove it": lambda: hooked(True),
    r"^1 \(LazyLinear\) has no values in weight yet; run it once first$": lambda: nn.Sequential(
        nn.Linear(8, 3), nn.LazyLinear(3)
    ),
    r"^0 \(Linear\) has no values in weight yet; run it once first$": lambda: nn.Sequential(
        nn.Linear(4, 3, device="meta")
    ),
    r"^Tanh has no weights": nn.Tanh,
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_cannot_be_read_is_refused_by_name(message: str) -> None:
    module = REFUSED[message]()
    if isinstance(module, nn.ModuleDict):
        module.forward = module["block"].forward
    with pytest.raises(InputError, match=message) as caught:
        from_torch(module)
    assert "\n" not in str(caught.value)


def test_a_hook_on_all_modules_is_refused() -> None:
    handle = nn.modules.module.register_module_forward_hook(lambda module, given, out: 2 * out)
    try:
        with pytest.raises(InputError, match=r"^there are forward hooks on all modules"):
            from_torch(nn.Linear(2, 2))
    finally:
        handle.remove()
