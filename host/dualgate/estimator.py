"""Estimators with the usual `fit`, `predict` and `score`, whatever device trains them.

::

    from dualgate.estimator import Classifier

    model = Classifier(hidden=(32, 16), prune="1/4", device="sim")
    model.fit(x_train, labels)
    print(model.score(x_test, test_labels))
"""

import inspect
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .checkpoint import Checkpoint
from .data import Samples
from .devices import open_device
from .errors import InputError
from .network import Network
from .recipe import Recipe
from .settings import parse_prune
from .training import Record, Trainer

Floats = NDArray[np.float64]


class _Estimator:
    """What both estimators share.

    Parameters
    ----------
    hidden : sequence of int
        Units of the hidden layers.
    activation : str or sequence of str
        Hidden activation, one for all or one for each.
    loss : str
        A key of `rules.LOSSES`.
    epochs, batch : int
    lr, momentum : float
    prune : str
        ``off``, ``1/2``, ``1/4`` ...
    seed : int
    device : str
        As `open_device` takes it; opened for each `fit` and `predict`, and closed.

    Members
    -------
    checkpoint_ : Checkpoint
        After `fit`: network, weights and velocity.
    history_ : list of Record
        After `fit`: one an epoch.
    """

    checkpoint_: Checkpoint
    history_: list[Record]

    def __init__(
        self,
        hidden: Sequence[int] = (32,),
        activation: str | Sequence[str] = "tanh",
        loss: str = "cce",
        epochs: int = 20,
        batch: int = 32,
        lr: float = 0.05,
        momentum: float = 0.9,
        prune: str = "off",
        seed: int = 0,
        device: str = "golden",
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.loss = loss
        self.epochs = epochs
        self.batch = batch
        self.lr = lr
        self.momentum = momentum
        self.prune = prune
        self.seed = seed
        self.device = device

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments by name; `deep` is accepted and means nothing here."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def set_params(self, **params: Any) -> Self:
        """Change the constructor's arguments; raises `InputError` for a name it does not have."""
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise InputError(f"unknown parameter {name!r}; choose {', '.join(known)}")
            setattr(self, name, value)
        return self

    def _fit(self, samples: Samples) -> None:
        sizes = (samples.x.shape[1], *self.hidden, samples.target.shape[1])
        activation = self.activation if isinstance(self.activation, str) else tuple(self.activation)
        network = Network(sizes, activation, self.loss)
        recipe = Recipe(
            self.epochs, self.batch, self.lr, self.momentum, parse_prune(self.prune), self.seed
        )
        trainer = Trainer(network, recipe, samples)
        with open_device(self.device) as device:
            self.history_ = list(trainer.run(device))
            self.checkpoint_ = trainer.checkpoint(device)

    def _outputs(self, x: ArrayLike) -> Floats:
        if not hasattr(self, "checkpoint_"):
            raise InputError(f"this {type(self).__name__} is not trained; call fit first")
        state = self.checkpoint_
        inputs = state.network.quantize_inputs(_inputs(x))
        with open_device(self.device) as device:
            device.configure(state.network, state.update_frac)
            device.write_weights(state.weights)
            return state.network.output_format.real(device.infer(inputs))


def _real(x: ArrayLike, what: str) -> Floats:
    try:
        return np.asarray(x, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} are not an array of numbers: {error}") from None


def _inputs(x: ArrayLike) -> Floats:
    array = _real(x, "inputs")
    if array.ndim != 2 or 0 in array.shape:
        raise InputError(f"inputs have shape {array.shape}; give (samples, features), not empty")
    return array


class Classifier(_Estimator):
    """A network that tells classes apart; for its parameters see `_Estimator`.

    Members
    -------
    classes_ : array (classes,)
        After `fit`: the distinct labels, sorted.
    """

    classes_: NDArray[Any]

    def fit(self, x: ArrayLike, y: ArrayLike) -> Self:
        """Train.

        Parameters
        ----------
        x : (samples, features), within the network's input range
        y : (samples,), labels of any kind that sorts

        Raises
        ------
        InputError
            For shapes that do not match, numbers that do not fit, or fewer than two classes.
        """
        inputs = _inputs(x)
        self.classes_, labels = np.unique(np.asarray(y), return_inverse=True)
        if len(self.classes_) < 2:
            raise InputError(f"{len(self.classes_)} class in the labels; give at least 2")
        self._fit(Samples.of_classes(inputs, labels, len(self.classes_)))
        return self

    def predict_proba(self, x: ArrayLike) -> Floats:
        """The network's outputs (samples, classes); probabilities with the loss `cce`."""
        return self._outputs(x)

    def predict(self, x: ArrayLike) -> NDArray[Any]:
        """The most likely label of each sample (samples,)."""
        outputs = self._outputs(x)
        return np.asarray(self.classes_[outputs.argmax(axis=1)])

    def score(self, x: ArrayLike, y: ArrayLike) -> float:
        """Share of samples whose label is predicted."""
        return float((self.predict(x) == np.asarray(y)).mean())


class Regressor(_Estimator):
    """A network that predicts numbers within the range of its output format, +-32."""

    def __init__(
        self,
        hidden: Sequence[int] = (32,),
        activation: str | Sequence[str] = "tanh",
        loss: str = "mse",
        epochs: int = 100,
        batch: int = 32,
        lr: float = 0.05,
        momentum: float = 0.9,
        prune: str = "off",
        seed: int = 0,
        device: str = "golden",
    ) -> None:
        super().__init__(hidden, activation, loss, epochs, batch, lr, momentum, prune, seed, device)

    def fit(self, x: ArrayLike, y: ArrayLike) -> Self:
        """Train on inputs (samples, features) and targets (samples,) or (samples, outputs).

        Raises
        ------
        InputError
            For shapes that do not match or numbers that do not fit.
        """
        target = _real(y, "targets")
        self._flat = target.ndim == 1
        self._fit(Samples(_inputs(x), target[:, None] if self._flat else target))
        return self

    def predict(self, x: ArrayLike) -> Floats:
        """Predictions, shaped as the targets of `fit`."""
        outputs = self._outputs(x)
        return outputs[:, 0] if self._flat else outputs

    def score(self, x: ArrayLike, y: ArrayLike) -> float:
        """Share of the targets' variance that is explained (R squared)."""
        target = _real(y, "targets")
        residual = ((target - self.predict(x)) ** 2).sum()
        spread = ((target - target.mean(axis=0)) ** 2).sum()
        if spread == 0.0:
            raise InputError("the targets are all alike; R squared needs targets that differ")
        return float(1.0 - residual / spread)
