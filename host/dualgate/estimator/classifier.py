# SPDX-License-Identifier: BSD-2-Clause

"""The classifier."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from ..contract.errors import InputError
from ..contract.losses import LOSSES, find_loss
from .base import Estimator, Floats


@dataclass(kw_only=True, eq=False, repr=False)
class Classifier(ClassifierMixin, Estimator):
    """A network that predicts classes; for its other parameters see `Estimator`.

    Its loss is ``cce``, ``bce`` or ``sigmoid-mse``. `score` is the accuracy.

    Parameters
    ----------
    class_weight : dict, "balanced" or None
        Weight of the samples of each class, by label; 1 for a label without a weight. With
        ``balanced``, rare classes have the same total weight as frequent ones. Not for ``bce``;
        see `Recipe`.
    shift : int
        Largest distance, in pixels along each axis, by which square images are moved at random in
        every epoch. New pixels are 0, so `scale` should be ``maxabs`` or ``off``.

    Members
    -------
    classes_ : array (classes,)
        After `fit`: the distinct labels, sorted.
    """

    class_weight: dict[Any, float] | str | None = None
    shift: int = 0

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Train.

        Parameters
        ----------
        X : (samples, features)
        y : (samples,), labels of any kind that sorts

        Raises
        ------
        ValueError
            For data or class weights that scikit-learn rejects, or fewer than two classes.
        InputError
            For an unusable setting, or a loss without probabilities.
        """
        features, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        if not find_loss(self.loss).probable:
            known = ", ".join(name for name, loss in LOSSES.items() if loss.probable)
            raise InputError(f"loss {self.loss!r} gives no probabilities; choose {known}")
        self.classes_, right = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"{len(self.classes_)} class in the labels; give at least 2")
        weights = self._class_weights(labels)
        self._fit(features, np.eye(len(self.classes_))[right], right, class_weights=weights)
        return self

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Predict the probability of each class (samples, classes) for `X` (samples, features).

        These are the outputs of the network, divided by their sum, which in fixed point is not
        exactly one.
        """
        outputs = self._outputs(X)
        return np.asarray(outputs / outputs.sum(axis=1, keepdims=True))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Predict the label of each sample (samples,) for inputs `X` (samples, features)."""
        best = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def _class_weights(self, labels: NDArray[Any]) -> tuple[float, ...]:
        if self.class_weight is None:
            return ()
        weights = compute_class_weight(self.class_weight, classes=self.classes_, y=labels)
        return tuple(weights.tolist())
