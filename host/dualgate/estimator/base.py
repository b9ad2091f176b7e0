# SPDX-License-Identifier: BSD-2-Clause

"""The base of the estimators: their settings, and training and inference on a device."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import FunctionTransformer, MaxAbsScaler, StandardScaler
from sklearn.utils.validation import _check_sample_weight, validate_data

from ..contract.errors import InputError
from ..contract.network import Network
from ..contract.settings import PRUNE_OFF
from ..data.samples import Samples
from ..floating import Policy
from ..optim.schedules import CONSTANT
from ..train.recipe import WITH_MOMENTUM, Recipe
from .constraints import (
    as_arrays,
    as_engine_prune,
    as_policy,
    as_prune,
    as_seed,
    as_tuple,
    check_settings,
    plain,
)
from .fitted import Fitted
from .runs import FLOAT, AnyRun
from .training import Job, train_in_float, train_on_device

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SCALERS = {"standard": StandardScaler, "maxabs": MaxAbsScaler, "off": FunctionTransformer}
"""Scaler for each value of the setting `scale`."""


def fitted_scaler(kind: str, x: Floats, weight: Floats | None) -> Any:
    """Return a fitted scaler.

    Parameters
    ----------
    kind : str
        A key of `SCALERS`.
    x : (samples, columns)
    weight : (samples,) or None
        Weights of the samples, for ``standard``.
    """
    scaler = SCALERS[kind]()
    return scaler.fit(x, sample_weight=weight) if kind == "standard" else scaler.fit(x)


@dataclass(kw_only=True, eq=False, repr=False)
class Estimator(Fitted):
    """Base of the estimators.

    The inputs of the engine are fixed-point numbers within +-8. Features are therefore scaled
    first, by the data of `fit`. A scaled feature beyond +-8 (eight standard deviations) is clipped
    to +-8.

    Parameters
    ----------
    hidden : sequence of int, or int
        Units of the hidden layers; a number for a single one.
    activation : str or sequence of str
        Hidden activation, one for all hidden layers or one for each.
    loss : str or None
        A key of `dualgate.contract.losses.LOSSES`. None chooses ``cce`` for classes, ``bce`` for
        several labels a sample and ``mse`` for numbers.
    epochs, batch : int
    lr, momentum : float
        Learning rate at the start; momentum, which optimisers without momentum ignore.
    prune : str, number or Policy
        ``off``, or a share: ``1/2``, ``1/4``, 0.25 ... In floating point also a policy of
        `dualgate.floating`, such as ``LargestPerNumber(4)``.
    optimiser, schedule : str
    l1, l2, dropout : float
    initialiser : str or None
        As in `Recipe`.
    weights : sequence of int array (inputs + 1, outputs), or None
        Initial weights, as for `Trainer`; by default drawn from the seed. They are weights that
        train, as in `checkpoint_`, and not those that answer, `coefs_`.
    frozen : sequence of int, or int
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
    seed : int, RandomState, Generator or None
        Seed of the initial weights, the order of samples and the choice of held-out samples. Other
        than an int, it is asked for one at each `fit`.
    device : str
        Name for `open_device`. Each `fit` and `predict` opens and closes the device. ``float`` is
        no device, but the arithmetic of `dualgate.floating` in float64.
    warm_start : bool
        Whether `fit` carries on from the last call for `epochs` further epochs, with its scaling,
        weights and optimiser.
    verbose : bool or int
        Whether to print a row for each epoch.
    """

    hidden: Sequence[int] | int = field(default=(32,), kw_only=False)
    activation: str | Sequence[str] = "tanh"
    loss: str | None = None
    epochs: int = 20
    batch: int = 32
    lr: float = 0.05
    momentum: float = 0.9
    prune: str | float | Fraction | Policy = "off"
    optimiser: str = "momentum"
    schedule: str = CONSTANT
    l1: float = 0.0
    l2: float = 0.0
    dropout: float = 0.0
    initialiser: str | None = None
    weights: Sequence[Ints] | None = None
    frozen: Sequence[int] | int = ()
    patience: int = 0
    validation_fraction: float = 0.1
    scale: str = "standard"
    seed: int | np.random.RandomState | np.random.Generator | None = 0
    device: str = "golden"
    warm_start: bool = False
    verbose: bool | int = False

    def _onward(self, partial: bool) -> bool:
        """Check the settings, and return whether a call carries on from the last one."""
        check_settings(self.get_params(deep=False), type(self).__name__)
        if self.scale not in SCALERS:
            raise InputError(f"unknown scale {self.scale!r}; choose {', '.join(SCALERS)}")
        return (partial or self.warm_start) and self.__sklearn_is_fitted__()

    def _data(
        self, x: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, onward: bool, **more: Any
    ) -> tuple[Floats, NDArray[Any], Floats | None]:
        """Return features, targets and weights, without the samples of weight zero."""
        features, target = validate_data(self, x, y, dtype=np.float64, reset=not onward, **more)
        if sample_weight is None:
            return features, target, None
        weight = _check_sample_weight(
            sample_weight, features, dtype=np.float64, ensure_non_negative=True
        )
        kept = weight > 0
        if not kept.any():
            raise ValueError("sample_weight is zero for every sample; give some of them a weight")
        weight = weight[kept]
        return features[kept], target[kept], None if (weight == weight[0]).all() else weight

    def _train(
        self, samples: Samples, loss: str, *, onward: bool, partial: bool, **more: Any
    ) -> None:
        """Train on unscaled samples; `more` are further settings of the recipe."""
        before = self._run if onward else None
        scaler = self._scaler if onward else fitted_scaler(self.scale, samples.x, samples.weight)
        sizes = (samples.x.shape[1], *as_tuple(self.hidden), samples.target.shape[1])
        activation = self.activation if isinstance(self.activation, str) else tuple(self.activation)
        network = Network(sizes, activation, loss, frozen=as_tuple(self.frozen))
        prune = as_prune(self.prune)
        recipe = self._recipe(before, prune, 1 if partial else self.epochs, **more)
        if partial:
            recipe = replace(recipe, patience=0)
        scaled = replace(samples, x=self._scaled(scaler, network, samples.x))
        train, held_out = self._split(scaled, recipe.seed) if recipe.patience else (scaled, None)
        job = Job(network, recipe, train, held_out, as_arrays(self.weights), bool(self.verbose))
        if self.device == FLOAT:
            self._run = train_in_float(job, as_policy(prune), before)
        else:
            self._run = train_on_device(job, self.device, before)
        self._scaler = scaler

    def _recipe(
        self, before: AnyRun | None, prune: int | Policy, epochs: int, **more: Any
    ) -> Recipe:
        mine = {f.name: getattr(self, f.name) for f in fields(Recipe) if hasattr(self, f.name)}
        settings = {
            **{name: plain(value) for name, value in mine.items()},
            "epochs": plain(epochs),
            "momentum": plain(self.momentum) if self.optimiser in WITH_MOMENTUM else 0.0,
            "seed": as_seed(self.seed) if before is None else before.seed,
            "prune": PRUNE_OFF if self.device == FLOAT else as_engine_prune(prune),
        }
        recipe = Recipe(**settings, **more)  # It checks the number of further epochs.
        done = 0 if before is None else len(before.records)
        return replace(recipe, epochs=done + recipe.epochs)

    def _split(self, samples: Samples, seed: int) -> tuple[Samples, Samples]:
        """Return training and held-out samples, stratified by class."""
        part = {"test_size": plain(self.validation_fraction), "random_state": seed}
        chosen = train_test_split(np.arange(len(samples.x)), stratify=samples.labels, **part)
        x, target, labels, weight = samples.x, samples.target, samples.labels, samples.weight
        train, held_out = (
            Samples(
                x[at],
                target[at],
                None if labels is None else labels[at],
                None if weight is None else weight[at],
            )
            for at in chosen
        )
        return train, held_out

    def _scaled(self, scaler: Any, network: Network, x: Floats) -> Floats:
        scaled = scaler.transform(x)
        if self.scale != "off":
            scaled = np.clip(scaled, network.input_format.min, network.input_format.max)
        return np.asarray(scaled)

    def _outputs(self, x: ArrayLike) -> Floats:
        run = self._trained
        features = validate_data(self, x, dtype=np.float64, reset=False)
        return run.outputs(self.device, self._scaled(self._scaler, run.network, features))
