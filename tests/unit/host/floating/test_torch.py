# SPDX-License-Identifier: BSD-2-Clause

"""PyTorch, from the same weights on the same data: 50 batches agree to 1e-9 in float64."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dualgate.contract.activations import HIDDEN_ACTIVATIONS, LEAK
from dualgate.contract.network import Network
from dualgate.data.samples import Samples
from dualgate.floating.forward_mode import ForwardMode
from dualgate.floating.losses import LOSSES
from dualgate.floating.recipe import FloatRecipe
from dualgate.floating.training import FloatTrainer
from dualgate.optim.initialisers import initial_weights
from dualgate.optim.optimisers import OPTIMISERS, SGD, Adam, Optimiser
from dualgate.optim.regularisation import Penalty
from dualgate.optim.schedules import Exponential, InverseRoot, InverseTime, Staircase

pytestmark = pytest.mark.slow

torch: Any = pytest.importorskip("torch")

Floats = NDArray[np.float64]

BATCHES, BATCH, TOLERANCE = 50, 10, 1e-9

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda z: z,
    "relu": lambda z: torch.relu(z),
    "leaky_relu": lambda z: torch.nn.functional.leaky_relu(z, LEAK),
    "sigmoid": lambda z: torch.sigmoid(z),
    "tanh": lambda z: torch.tanh(z),
}

F = torch.nn.functional
THEIR_LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "mse": lambda z, t: F.mse_loss(z, t),
    "sigmoid-mse": lambda z, t: F.mse_loss(z.sigmoid(), t),
    "msle": lambda z, t: F.mse_loss(z.expm1().log1p(), t.expm1().log1p()),
    "bce": lambda z, t: F.binary_cross_entropy_with_logits(z, t),
    "cce": lambda z, t: F.cross_entropy(z, t),
    "perceptron": lambda z, t: (((z > 0).double() - t) * z).sum(dim=1).mean(),
}

THEIR_OPTIMISERS: dict[str, Callable[[Any], Any]] = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=0.1),
    "adadelta": lambda p: torch.optim.Adadelta(p),
    "rmsprop": lambda p: torch.optim.RMSprop(p),
    "adam": lambda p: torch.optim.Adam(p),
}
OURS = {
    name: kind() if name in ("adadelta", "rmsprop", "adam") else kind(0.1)  # type: ignore[call-arg]
    for name, kind in OPTIMISERS.items()
}


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Threads cost more than they bring on arrays this small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Theirs:
    """A perceptron of theirs, from weights of ours."""

    def __init__(self, network: Network, weights: Sequence[Floats], loss: Any) -> None:
        self.hidden = network.hidden
        self.loss = loss
        self.weights = [torch.tensor(w[:-1], requires_grad=True) for w in weights]
        self.biases = [torch.tensor(w[-1], requires_grad=True) for w in weights]

    def __call__(self, x: Floats, masks: Sequence[Floats] | None = None) -> Any:
        a = torch.tensor(x)
        for index, name in enumerate(self.hidden):
            a = ACTIVATIONS[name](a @ self.weights[index] + self.biases[index])
            if masks is not None:
                a = a * torch.tensor(masks[index])
        return a @ self.weights[-1] + self.biases[-1]

    def arrays(self) -> list[Floats]:
        pairs = zip(self.weights, self.biases, strict=True)
        return [np.vstack([w.detach().numpy(), b.detach().numpy()]) for w, b in pairs]


def batches(network: Network) -> list[tuple[Floats, Floats]]:
    random = np.random.default_rng(1)
    result = []
    for _ in range(BATCHES):
        x = random.standard_normal((BATCH, network.sizes[0]))
        target = random.random((BATCH, network.sizes[-1]))
        if network.loss == "cce":
            target = np.eye(network.sizes[-1])[random.integers(0, network.sizes[-1], BATCH)]
        result.append((x, target))
    return result


def problem(activation: str, loss: str) -> tuple[Network, ForwardMode, list[Floats]]:
    network = Network((5, 6, 4, 3), activation, loss)
    weights = [np.asarray(w, np.float64) for w in initial_weights(network, seed=2)]
    return network, ForwardMode(network), weights


def train_theirs(
    theirs: Theirs,
    data: Sequence[tuple[Floats, Floats]],
    optimiser: Any,
    schedule: Any = None,
    penalty: Callable[[Theirs], Any] = lambda model: 0.0,
) -> None:
    for x, target in data:
        optimiser.zero_grad()
        (theirs.loss(theirs(x), torch.tensor(target)) + penalty(theirs)).backward()
        optimiser.step()
        if schedule is not None:
            schedule.step()


def trained(
    mode: ForwardMode,
    weights: list[Floats],
    data: Sequence[tuple[Floats, Floats]],
    optimiser: Optimiser,
    penalty: Penalty | None = None,
    class_weights: Sequence[float] | None = None,
) -> FloatTrainer:
    recipe = FloatRecipe(1, BATCH, optimiser, penalty, class_weights=class_weights)
    trainer = FloatTrainer(mode, recipe, Samples(*data[0]), weights=weights)
    for x, target in data:
        weight = None
        if class_weights is not None:
            weight = mode.objective.weigh(target, class_weights)
        trainer.step(x, target, weight)
    return trainer


def assert_alike(ours: FloatTrainer, theirs: Theirs, start: list[Floats]) -> None:
    for one, other, before in zip(ours.weights, theirs.arrays(), start, strict=True):
        assert np.abs(one - other).max() < TOLERANCE
        assert np.abs(one - before).max() > 1e-3


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", HIDDEN_ACTIVATIONS)
def test_fifty_batches_agree(activation: str, loss: str, optimiser: str) -> None:
    network, mode, weights = problem(activation, loss)
    theirs = Theirs(network, weights, THEIR_LOSSES[loss])
    data = batches(network)
    train_theirs(theirs, data, THEIR_OPTIMISERS[optimiser]([*theirs.weights, *theirs.biases]))
    ours = trained(mode, weights, data, OURS[optimiser])
    assert_alike(ours, theirs, weights)


SCHEDULES: list[tuple[Any, Callable[[Any], Any]]] = [
    (InverseTime(0.3, 0.1), lambda o: _lambda(o, lambda n: 1 / (1 + 0.1 * n))),
    (InverseRoot(0.3, 0.5), lambda o: _lambda(o, lambda n: (1 + 0.5 * n) ** -0.5)),
    (Exponential(0.3, 0.95), lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.95)),
    (Staircase(0.3, 0.5, 7), lambda o: torch.optim.lr_scheduler.StepLR(o, 7, 0.5)),
]


def _lambda(optimiser: Any, factor: Callable[[int], float]) -> Any:
    return torch.optim.lr_scheduler.LambdaLR(optimiser, factor)


@pytest.mark.parametrize("kind", [SGD, Adam])
@pytest.mark.parametrize(("schedule", "their_schedule"), SCHEDULES)
def test_schedules_agree(schedule: Any, their_schedule: Any, kind: Any) -> None:
    network, mode, weights = problem("tanh", "cce")
    theirs = Theirs(network, weights, THEIR_LOSSES["cce"])
    parameters = [*theirs.weights, *theirs.biases]
    their_kind = torch.optim.SGD if kind is SGD else torch.optim.Adam
    optimiser = their_kind(parameters, lr=0.3)
    data = batches(network)
    train_theirs(theirs, data, optimiser, their_schedule(optimiser))
    assert_alike(trained(mode, weights, data, kind(schedule)), theirs, weights)


@pytest.mark.parametrize(("l1", "l2"), [(0.01, 0.0), (0.0, 0.05), (0.003, 0.02)])
def test_penalties_agree(l1: float, l2: float) -> None:
    network, mode, weights = problem("sigmoid", "bce")
    theirs = Theirs(network, weights, THEIR_LOSSES["bce"])

    def penalty(model: Theirs) -> Any:
        return sum(l1 * w.abs().sum() + l2 / 2 * (w**2).sum() for w in model.weights)

    data = batches(network)
    optimiser = torch.optim.SGD([*theirs.weights, *theirs.biases], lr=0.1)
    train_theirs(theirs, data, optimiser, penalty=penalty)
    ours = trained(mode, weights, data, SGD(0.1), Penalty(l1, l2))
    assert_alike(ours, theirs, weights)
    assert Penalty(l1, l2).value(ours.weights) == pytest.approx(penalty(theirs).item(), rel=1e-9)


def test_weights_of_classes_agree() -> None:
    network, mode, weights = problem("tanh", "cce")
    each = (0.2, 1.0, 3.0)

    def loss(z: Any, t: Any) -> Any:
        total = F.cross_entropy(
            z, t.argmax(dim=1), weight=torch.tensor(each, dtype=torch.float64), reduction="sum"
        )
        return total / len(t)

    theirs = Theirs(network, weights, loss)
    data = batches(network)
    train_theirs(theirs, data, torch.optim.SGD([*theirs.weights, *theirs.biases], lr=0.1))
    assert_alike(trained(mode, weights, data, SGD(0.1), class_weights=each), theirs, weights)


def test_a_weight_of_positives_agrees() -> None:
    network, mode, weights = problem("tanh", "bce")

    def loss(z: Any, t: Any) -> Any:
        return F.binary_cross_entropy_with_logits(z, t, pos_weight=torch.tensor(4.0))

    theirs = Theirs(network, weights, loss)
    data = [(x, target.round()) for x, target in batches(network)]
    train_theirs(theirs, data, torch.optim.SGD([*theirs.weights, *theirs.biases], lr=0.1))
    ours = trained(mode, weights, data, SGD(0.1), class_weights=(1.0, 4.0))
    assert_alike(ours, theirs, weights)


def test_dropout_with_the_same_units_agrees() -> None:
    network, mode, weights = problem("sigmoid", "mse")
    x, target = batches(network)[0]
    random = np.random.default_rng(3)
    masks = [(random.random((BATCH, n)) < 0.5) * 2.0 for n in network.sizes[1:-1]]
    theirs = Theirs(network, weights, THEIR_LOSSES["mse"])
    theirs.loss(theirs(x, masks), torch.tensor(target)).backward()
    ours = mode.gradient(weights, x, target, masks=masks).weights
    for one, w, b in zip(ours, theirs.weights, theirs.biases, strict=True):
        assert np.abs(one - np.vstack([w.grad, b.grad])).max() < 1e-14


@pytest.mark.parametrize("loss", LOSSES)
def test_values_of_losses_agree(loss: str) -> None:
    _, mode, _ = problem("tanh", loss)
    random = np.random.default_rng(4)
    z = random.standard_normal((20, 3)) * 5
    target = np.eye(3)[random.integers(0, 3, 20)] if loss == "cce" else random.random((20, 3))
    outputs = mode.objective.rule.output.value(z)
    got = mode.objective.of_samples(z, outputs, target).mean()
    want = float(THEIR_LOSSES[loss](torch.tensor(z), torch.tensor(target)))
    assert got == pytest.approx(want, rel=1e-13)


@pytest.mark.parametrize("name", ["kaiming", "glorot"])
def test_first_weights_are_drawn_from_the_same_range(name: str) -> None:
    theirs = torch.empty(200, 300)  # outputs, inputs
    if name == "kaiming":
        torch.nn.init.kaiming_uniform_(theirs, nonlinearity="relu")
    else:
        torch.nn.init.xavier_uniform_(theirs)
    (ours,) = initial_weights(Network((300, 200)), name)
    assert np.abs(ours).max() == pytest.approx(float(theirs.abs().max()), rel=1e-3)
    assert ours[:-1].std() == pytest.approx(float(theirs.std()), rel=1e-2)
