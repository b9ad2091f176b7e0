# SPDX-License-Identifier: BSD-2-Clause

"""The regressor."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import MultiOutputMixin, RegressorMixin
from sklearn.utils.validation import validate_data

from .base import SCALERS, Estimator, Floats


@dataclass(kw_only=True, eq=False, repr=False)
class Regressor(MultiOutputMixin, RegressorMixin, Estimator):
    """A network that predicts numbers; for its parameters see `Estimator`.

    With the loss ``mse``, and unless `scale` is ``off``, it trains on targets of mean 0 and
    standard deviation 1 and scales its predictions back. Otherwise targets must lie within the
    number range of the outputs: +-32 for ``mse``, +-2 for losses with a sigmoid, above -1 for
    ``msle``. `score` is R squared.
    """

    loss: str = "mse"
    epochs: int = 100

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train.

        Parameters
        ----------
        X : (samples, features)
        y : (samples,) or (samples, outputs)

        Raises
        ------
        ValueError
            For data that scikit-learn rejects.
        InputError
            For an unusable setting, or numbers out of range without scaling.
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
        """Predict for inputs `X` (samples, features), in the shape of the targets of `fit`."""
        scaled = self._outputs(X)
        outputs = np.asarray(self._target_scaler.inverse_transform(scaled))
        return outputs[:, 0] if self._flat else outputs
