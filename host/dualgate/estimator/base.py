# SPDX-License-Identifier: BSD-2-Clause

"""The base of the estimators: their settings, and training and inference on a device."""

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
"""Scaler for each value of the setting `scale`."""


class Fitted(BaseEstimator):
    """Attributes that `fit` sets; a separate class, since these are no settings.

    Members
    -------
    checkpoint_ : Checkpoint
        Network, weights and velocity.
    history_ : list of Record
        One record for each epoch.
    n_features_in_ : int
        Number of features of the inputs.
    """

    checkpoint_: Checkpoint
    history_: list[Record]
    n_features_in_: int


@dataclass(kw_only=True, eq=False, repr=False)
class Estimator(Fitted):
    """Base of the estimators.

    The inputs of the engine are fixed-point numbers within +-8. Features are therefore scaled
    first, by the data of `fit`. A scaled feature beyond +-8 (eight standard deviations) is clipped
    to +-8.

    Parameters
    ----------
    hidden : sequence of int
        Units of the hidden layers.
    activation : str or sequence of str
        Hidden activation, one for all hidden layers or one for each.
    loss : str
        A key of `dualgate.contract.losses.LOSSES`.
    epochs, batch : int
    lr, momentum : float
        Learning rate at the start; momentum, which optimisers without momentum ignore.
    prune : str
        ``off``, ``1/2``, ``1/4`` ...
    optimiser, schedule : str
    l1, l2, dropout : float
    initialiser : str or None
        As in `Recipe`.
    weights : sequence of int array (inputs + 1, outputs), or None
        Initial weights, as for `Trainer`; by default drawn from the seed.
    frozen : sequence of int
        Layers, from 0, whose weights do not change.
    patience : int
        Number of epochs without a lower loss on held-out samples after which training ends and the
        best weights are restored. With 0 no samples are held out, and training runs for all epochs.
    validation_fraction : float or int
        Share or number of the samples that are held out for `patience`.
    scale : str
        ``standard`` scales each feature to mean 0 and standard deviation 1. ``maxabs`` divides it
        by its largest magnitude, so that zeros remain zeros, which cost the engine no time; use it
        for images. ``off`` does not scale, and rejects features outside +-8.
    seed : int
        Seed of the initial weights, the order of samples and the choice of held-out samples.
    device : str
        Name for `open_device`. Each `fit` and `predict` opens and closes the device.
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
        """Train on features (samples, inputs); `more` are further settings of the recipe."""
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
        """Return training and held-out samples, stratified by class."""
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
