"""scikit-learn estimators, whatever device trains them.

::

    from dualgate.estimator import Classifier

    model = Classifier(hidden=(32, 16), prune="1/4", device="sim")
    model.fit(x_train, labels)
    print(model.score(x_test, test_labels))

They work wherever scikit-learn's own do: in a `Pipeline`, in `GridSearchCV`, with `clone`. Data
that cannot be used raises ValueError, as there; settings that cannot be used raise `InputError`.
"""

import copyreg
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import rules
from .checkpoint import Checkpoint
from .data import Samples
from .devices import open_device
from .errors import InputError, MissingToolError
from .floating.schedules import CONSTANT
from .network import Network
from .recipe import WITH_MOMENTUM, Recipe
from .settings import parse_prune
from .training import Record, Trainer

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, MultiOutputMixin, RegressorMixin
    from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError:
    raise MissingToolError(
        "the estimators are scikit-learn's, which is missing; pip install dualgate[data]"
    ) from None

Floats = NDArray[np.float64]

# What a network has cached, its activations' functions, is not for pickles.
copyreg.pickle(Network, lambda network: (Network, astuple(network)))

SCALERS = {"standard": StandardScaler, "maxabs": MaxAbsScaler, "off": FunctionTransformer}
"""What the setting `scale` stands for."""


class Estimator(BaseEstimator):
    """What both estimators share.

    The engine's inputs are fixed-point numbers within +-8, so features are scaled first, by what
    `fit` saw. What lies beyond +-8 after that (eight standard deviations) is taken as +-8.

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
        Learning rate, at the start; momentum, which optimisers without one ignore.
    prune : str
        ``off``, ``1/2``, ``1/4`` ...
    optimiser, schedule : str
    l1, l2, dropout : float
        As in `Recipe`.
    scale : str
        ``standard`` brings each feature to mean 0 and standard deviation 1; ``maxabs`` divides it
        by its largest magnitude, so that zeros stay zeros, which cost the engine nothing: the
        choice for images; ``off`` takes features as they are, and refuses what is not within +-8.
    seed : int
    device : str
        As `open_device` takes it; opened for each `fit` and `predict`, and closed.

    Members
    -------
    checkpoint_ : Checkpoint
        After `fit`: network, weights and velocity.
    history_ : list of Record
        After `fit`: one an epoch.
    n_features_in_ : int
        After `fit`: features of the inputs.
    """

    checkpoint_: Checkpoint
    history_: list[Record]
    n_features_in_: int

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
        optimiser: str = "momentum",
        schedule: str = CONSTANT,
        l1: float = 0.0,
        l2: float = 0.0,
        dropout: float = 0.0,
        scale: str = "standard",
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
        self.optimiser = optimiser
        self.schedule = schedule
        self.l1 = l1
        self.l2 = l2
        self.dropout = dropout
        self.scale = scale
        self.seed = seed
        self.device = device

    def _fit(self, x: Floats, target: Floats) -> None:
        if self.scale not in SCALERS:
            raise InputError(f"unknown scale {self.scale!r}; choose {', '.join(SCALERS)}")
        self._scaler = SCALERS[self.scale]().fit(x)
        sizes = (x.shape[1], *self.hidden, target.shape[1])
        activation = self.activation if isinstance(self.activation, str) else tuple(self.activation)
        network = Network(sizes, activation, self.loss)
        recipe = Recipe(
            epochs=self.epochs,
            batch=self.batch,
            lr=self.lr,
            momentum=self.momentum if self.optimiser in WITH_MOMENTUM else 0.0,
            prune=parse_prune(self.prune),
            seed=self.seed,
            optimiser=self.optimiser,
            schedule=self.schedule,
            l1=self.l1,
            l2=self.l2,
            dropout=self.dropout,
        )
        trainer = Trainer(network, recipe, Samples(self._scaled(network, x), target))
        with open_device(self.device) as device:
            self.history_ = list(trainer.run(device))
            self.checkpoint_ = trainer.checkpoint(device)

    def _scaled(self, network: Network, x: Floats) -> Floats:
        scaled = self._scaler.transform(x)
        if self.scale != "off":
            scaled = np.clip(scaled, network.input_format.min, network.input_format.max)
        return np.asarray(scaled)

    def _outputs(self, x: ArrayLike) -> Floats:
        check_is_fitted(self)
        state = self.checkpoint_
        features = validate_data(self, x, dtype=np.float64, reset=False)
        inputs = state.network.quantize_inputs(self._scaled(state.network, features))
        with open_device(self.device) as device:
            device.configure(state.network, state.update_frac)
            device.write_weights(state.inference_weights)
            return state.network.predictions(device.infer(inputs))


class Classifier(ClassifierMixin, Estimator):
    """A network that tells classes apart; for its parameters see `Estimator`.

    Its loss is one of classes: ``cce``, ``bce`` or ``sigmoid-mse``. `score` is the accuracy.

    Members
    -------
    classes_ : array (classes,)
        After `fit`: the distinct labels, sorted.
    """

    classes_: NDArray[Any]

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train.

        Parameters
        ----------
        X : (samples, features)
        y : (samples,), labels of any kind that sorts

        Raises
        ------
        ValueError
            For data that scikit-learn refuses, or fewer than two classes.
        InputError
            For a setting that cannot be used, or a loss that has no classes.
        """
        features, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        if not rules.loss(self.loss).probable:
            known = ", ".join(name for name, loss in rules.LOSSES.items() if loss.probable)
            raise InputError(f"loss {self.loss!r} gives no probabilities; choose {known}")
        self.classes_, right = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"{len(self.classes_)} class in the labels; give at least 2")
        self._fit(features, np.eye(len(self.classes_))[right])
        return self

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Probability of each class (samples, classes) for inputs `X` (samples, features).

        The network's outputs, divided by their sum: from fixed point it is not exactly one.
        """
        outputs = self._outputs(X)
        return np.asarray(outputs / outputs.sum(axis=1, keepdims=True))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """The most likely label of each sample (samples,), for inputs `X` (samples, features)."""
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])


class Regressor(MultiOutputMixin, RegressorMixin, Estimator):
    """A network that predicts numbers; for its parameters see `Estimator`.

    With the loss ``mse``, and unless `scale` is ``off``, it trains on targets of mean 0 and
    standard deviation 1 and scales its predictions back. Otherwise targets must lie within the
    outputs' number range: +-32 for ``mse``, +-2 for losses with a sigmoid, above -1 for ``msle``.
    `score` is R squared.
    """

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
        optimiser: str = "momentum",
        schedule: str = CONSTANT,
        l1: float = 0.0,
        l2: float = 0.0,
        dropout: float = 0.0,
        scale: str = "standard",
        seed: int = 0,
        device: str = "golden",
    ) -> None:
        super().__init__(
            *(hidden, activation, loss, epochs, batch, lr, momentum, prune),
            *(optimiser, schedule, l1, l2, dropout, scale, seed, device),
        )

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train.

        Parameters
        ----------
        X : (samples, features)
        y : (samples,) or (samples, outputs)

        Raises
        ------
        ValueError
            For data that scikit-learn refuses.
        InputError
            For a setting that cannot be used, or numbers that do not fit where nothing is scaled.
        """
        features, target = validate_data(
            self, X, y, dtype=np.float64, multi_output=True, y_numeric=True
        )
        self._flat = target.ndim == 1
        columns = np.asarray(target, np.float64).reshape(len(target), -1)
        scaled = self.loss == "mse" and self.scale != "off"
        self._target_scaler = SCALERS["standard" if scaled else "off"]().fit(columns)
        self._fit(features, self._target_scaler.transform(columns))
        return self

    def predict(self, X: ArrayLike) -> Floats:
        """Predictions, shaped as the targets of `fit`, for inputs `X` (samples, features)."""
        scaled = self._outputs(X)
        outputs = np.asarray(self._target_scaler.inverse_transform(scaled))
        return outputs[:, 0] if self._flat else outputs
