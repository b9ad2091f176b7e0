# SPDX-License-Identifier: BSD-2-Clause

"""What an estimator knows after training, under the names that `MLPClassifier` gives them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ..train.checkpoint import Checkpoint
from ..train.record import Record
from .runs import AnyRun, FloatRun

Floats = NDArray[np.floating[Any]]


class Fitted(BaseEstimator):
    """Attributes of a fitted estimator; a separate class, since these are no settings.

    Members
    -------
    n_features_in_ : int
        Number of features of the inputs.
    """

    n_features_in_: int
    _run: AnyRun
    _scaler: Any

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_run")

    @property
    def _trained(self) -> AnyRun:
        check_is_fitted(self)  # its error is an AttributeError, too, as of any missing attribute
        return self._run

    @property
    def checkpoint_(self) -> Checkpoint:
        """Network, weights that train, and velocity; there is none in floating point."""
        run = self._trained
        if isinstance(run, FloatRun):
            raise AttributeError("a run in floating point has no checkpoint; see coefs_")
        return run.checkpoint

    @property
    def history_(self) -> list[Record]:
        """One record for each epoch."""
        return self._trained.records

    @property
    def n_iter_(self) -> int:
        """Number of epochs, of all calls that were carried on."""
        return len(self.history_)

    @property
    def loss_curve_(self) -> list[float]:
        """Mean loss of the training samples in each epoch."""
        return [record.loss for record in self.history_]

    @property
    def loss_(self) -> float:
        """Last of `loss_curve_`."""
        return self.loss_curve_[-1]

    @property
    def best_loss_(self) -> float:
        """Least of `loss_curve_`."""
        return min(self.loss_curve_)

    @property
    def coefs_(self) -> list[Floats]:
        """Weights of each layer, (inputs, outputs), that answer, for scaled features.

        With dropout on a device the weights that train are others: those of `checkpoint_`.
        """
        return [w[:-1] for w in self._trained.weights]

    @property
    def intercepts_(self) -> list[Floats]:
        """Biases of each layer, (outputs,)."""
        return [w[-1] for w in self._trained.weights]

    @property
    def n_layers_(self) -> int:
        """Number of layers, that of the inputs included."""
        return len(self._trained.network.sizes)

    @property
    def n_outputs_(self) -> int:
        """Number of outputs."""
        return self._trained.network.sizes[-1]

    @property
    def out_activation_(self) -> str:
        """Name of the activation of the outputs."""
        return self._trained.network.objective.output.name
