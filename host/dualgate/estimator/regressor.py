# SPDX-License-Identifier: BSD-2-Clause

"""The regressor."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import MultiOutputMixin, RegressorMixin

from ..contract.errors import InputError
from ..contract.formats import VALUE_WIDTH, Format
from ..contract.network import LINEAR_FRAC
from ..data.samples import Samples
from .base import Estimator, Floats, fitted_scaler
from .runs import FLOAT


@dataclass(kw_only=True, eq=False, repr=False)
class Regressor(MultiOutputMixin, RegressorMixin, Estimator):
    """A network that predicts numbers; for its parameters see `Estimator`.

    With the loss ``mse``, and unless `scale` is ``off``, it trains on targets of mean 0 and
    standard deviation 1 and scales its predictions back. Otherwise targets must lie within the
    number range of the outputs: +-32 for ``mse``, +-2 for losses with a sigmoid, above -1 for
    ``msle``. `score` is R squared.
    """

    epochs: int = 100

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train.

        Parameters
        ----------
        X : (samples, features)
        y : (samples,) or (samples, outputs)
        sample_weight : (samples,) or None
            Factors of the samples' losses, of which only the ratios matter. A sample of weight 0
            is left out.

        Raises
        ------
        ValueError
            For data that scikit-learn rejects.
        InputError
            For an unusable setting, or numbers out of range without scaling.
        """
        return self._learn(X, y, sample_weight, self._onward(False), partial=False)

    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Train for one epoch on some samples, from where the last call ended.

        Features and targets are scaled as the first call found right, and nothing is held out. For
        the parameters see `fit`.
        """
        return self._learn(X, y, sample_weight, self._onward(True), partial=True)

    def predict(self, X: ArrayLike) -> Floats:
        """Predict for inputs `X` (samples, features), in the shape of the targets of `fit`."""
        scaled = self._outputs(X)
        outputs = np.asarray(self._target_scaler.inverse_transform(scaled))
        return outputs[:, 0] if self._flat else outputs

    def _learn(
        self,
        x: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        onward: bool,
        partial: bool,
    ) -> Self:
        features, target, weight = self._data(
            x, y, sample_weight, onward, multi_output=True, y_numeric=True
        )
        columns = np.asarray(target, np.float64).reshape(len(target), -1)
        loss = self.loss or "mse"
        kind = "standard" if loss == "mse" and self.scale != "off" else "off"
        scaler = self._target_scaler if onward else fitted_scaler(kind, columns, weight)
        scaled = scaler.transform(columns)
        if kind == "standard" and self.device != FLOAT:
            _check_range(columns, scaled)
        samples = Samples(features, scaled, None, weight)
        self._train(samples, loss, onward=onward, partial=partial)
        self._flat = target.ndim == 1
        self._target_scaler: Any = scaler
        return self


def _check_range(targets: Floats, scaled: Floats) -> None:
    """Raise `InputError` for a target that is too many standard deviations away."""
    most = Format(VALUE_WIDTH, LINEAR_FRAC).max
    worst = np.unravel_index(np.abs(scaled).argmax(), scaled.shape)
    if abs(scaled[worst]) > most:
        raise InputError(
            f"target {targets[worst]:g} is {abs(scaled[worst]):.0f} standard deviations from the "
            f"mean of the targets, as fitted first, and outputs reach {most:.0f}; clip it"
        )
