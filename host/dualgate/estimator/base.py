# SPDX-License-Identifier: BSD-2-Clause

"""What both estimators share: their settings, training and answering on a device."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from ..contract.errors import InputError
from ..contract.network import Network
from ..contract.settings import parse_prune
from ..data.samples import Samples
from ..devices import open_device
from ..optim.schedules import CONSTANT
from ..train.checkpoint import Checkpoint
from ..train.recipe import WITH_MOMENTUM, Recipe
from ..train.trainer import Record, Trainer

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SCALERS = {"standard": StandardScaler, "maxabs": MaxAbsScaler, "off": FunctionTransformer}
"""What the setting `scale` stands for."""


class Fitted(BaseEstimator):
    """What is there after `fit`; a class of its own because these are no settings.

    Members
    -------
    checkpoint_ : Checkpoint
        Network, weights and velocity.
    history_ : list of Record
        One an epoch.
    n_features_in_ : int
        Features of the inputs.
    """

    checkpoint_: Checkpoint
    history_: list[Record]
    n_features_in_: int


@dataclass(kw_only=True, eq=False, repr=False)
class Estimator(Fitted):
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
        A key of `dualgate.contract.losses.LOSSES`.
    epochs, batch : int
    lr, momentum : float
        Learning rate, at the start; momentum, which optimisers without one ignore.
    prune : str
        ``off``, ``1/2``, ``1/4`` ...
    optimiser, schedule : str
    l1, l2, dropout : float
    initialiser : str or None
        As in `Recipe`.
    weights : sequence of int array (inputs + 1, outputs), or None
        First weights, as for `Trainer`; by default drawn from the seed.
    frozen : sequence of int
        Layers, from 0, whose weights stay as they are.
    patience : int
        Epochs without a lower loss on samples held out of the training that end it, whose best
        weights are kept; 0 holds none out and trains for all epochs.
    validation_fraction : float or int
        Share, or number, of the samples that `patience` holds out.
    scale : str
        ``standard`` brings each feature to mean 0 and standard deviation 1; ``maxabs`` divides it
        by its largest magnitude, so that zeros stay zeros, which cost the engine nothing: the
        choice for images; ``off`` takes features as they are, and refuses what is not within +-8.
    seed : int
        Of first weights, order of samples, and which are held out.
    device : str
        As `open_device` takes it; opened for each `fit` and `predict`, and closed.
    """

    hidden: Sequence[int] = field(default=(32,), kw_only=False)
    activation: str | Sequence[str] = "tanh"
    loss: str = "cce"
    epochs: int = 20
    batch: int = 32
    lr: float = 0.05
    momentum: float = 0.9
    prune: str = "off"
    optimiser: str = "momentum"
    schedule: str = CONSTANT
    l1: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    initialiser: str | None = None
    weights: Sequence[Ints] | None = None
    frozen: Sequence[int] = ()
    patience: int = 0
    validation_fraction: float = 0.1
    scale: str = "standard"
    seed: int = 0
    device: str = "golden"

    def _fit(self, x: Floats, target: Floats, labels: Ints | None = None, **more: Any) -> None:
        """Train on features (samples, inputs); `more` is of the recipe."""
        if self.scale not in SCALERS:
            raise InputError(f"unknown scale {self.scale!r}; choose {', '.join(SCALERS)}")
        self._scaler = SCALERS[self.scale]().fit(x)
        sizes = (x.shape[1], *self.hidden, target.shape[1])
        activation = self.activation if isinstance(self.activation, str) else tuple(self.activation)
        network = Network(sizes, activation, self.loss, frozen=tuple(self.frozen))
        samples = Samples(self._scaled(network, x), target, labels)
        train, held_out = self._split(samples) if self.patience > 0 else (samples, None)
        trainer = Trainer(network, self._recipe(more), train, held_out, weights=self.weights)
        with open_device(self.device) as device:
            self.history_ = list(trainer.run(device))
            self.checkpoint_ = trainer.checkpoint(device)

    def _recipe(self, more: dict[str, Any]) -> Recipe:
        mine = {f.name: getattr(self, f.name) for f in fields(Recipe) if hasattr(self, f.name)}
        momentum = self.momentum if self.optimiser in WITH_MOMENTUM else 0.0
        return Recipe(**{**mine, "momentum": momentum, "prune": parse_prune(self.prune), **more})

    def _split(self, samples: Samples) -> tuple[Samples, Samples]:
        """Training samples and those held out, with as many of each class as can be."""
        part = {"test_size": self.validation_fraction, "random_state": self.seed}
        chosen = train_test_split(np.arange(len(samples.x)), stratify=samples.labels, **part)
        x, target, labels = samples.x, samples.target, samples.labels
        train, held_out = (
            Samples(x[at], target[at], None if labels is None else labels[at]) for at in chosen
        )
        return train, held_out

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
