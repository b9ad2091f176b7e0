# SPDX-License-Identifier: BSD-2-Clause

"""The classifier."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels
from sklearn.utils.validation import column_or_1d

from ..contract.errors import InputError
from ..contract.losses import LOSSES, find_loss
from ..data.samples import Samples
from .base import Estimator, Floats

SEVERAL = "multilabel-indicator"
"""scikit-learn's name for targets with several labels a sample."""


@dataclass(kw_only=True, eq=False, repr=False)
class Classifier(ClassifierMixin, Estimator):
    """A network that predicts classes; for its other parameters see `Estimator`.

    Its loss is ``cce``, ``bce`` or ``sigmoid-mse``. `score` is the accuracy. Targets of several
    labels a sample are a matrix of zeros and ones; they need ``bce`` or ``sigmoid-mse``.

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
        After `fit`: the distinct labels, sorted; the numbers of the columns where samples have
        several labels.
    """

    class_weight: dict[Any, float] | str | None = None
    shift: int = 0

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Train.

        Parameters
        ----------
        X : (samples, features)
        y : (samples,), labels of any kind that sorts; or (samples, labels), zeros and ones
        sample_weight : (samples,) or None
            Factors of the samples' losses, of which only the ratios matter. A sample of weight 0
            is left out.

        Raises
        ------
        ValueError
            For data or class weights that scikit-learn rejects, or fewer than two classes.
        InputError
            For an unusable setting, or a loss without probabilities.
        """
        return self._learn(X, y, sample_weight, self._onward(False), None, partial=False)

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for one epoch on some samples, from where the last call ended.

        Features are scaled as the first call found right, and nothing is held out.

        Parameters
        ----------
        X, y, sample_weight
            As for `fit`.
        classes : (classes,) or None
            All labels that there will be; needed in the first call.
        """
        onward = self._onward(True)
        if self.class_weight == "balanced":
            raise InputError("class_weight 'balanced' needs all samples; give partial_fit a dict")
        if not onward and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit")
        known = None if classes is None else unique_labels(classes)
        if onward and known is not None and not np.array_equal(known, self.classes_):
            raise ValueError(f"classes {known} are not those of the first call, {self.classes_}")
        return self._learn(X, y, sample_weight, onward, known, partial=True)

    @property
    def validation_scores_(self) -> list[float | None] | None:
        """Accuracy of the held-out samples after each epoch; None if there is none."""
        scores = [record.held_out_accuracy for record in self.history_]
        return None if None in scores else scores

    def predict_proba(self, X: ArrayLike) -> Floats:
        """Predict the probability of each class (samples, classes) for `X` (samples, features).

        These are the outputs of the network. Where a sample has one class, they are divided by
        their sum, which in fixed point is not exactly one.
        """
        outputs = self._outputs(X)
        if self._several:
            return outputs
        return np.asarray(outputs / outputs.sum(axis=1, keepdims=True))

    def predict_log_proba(self, X: ArrayLike) -> Floats:
        """Predict the logarithm of `predict_proba`: minus infinity where that rounds to zero."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.predict_proba(X)))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Predict the label (samples,) or labels (samples, labels) of inputs `X`."""
        likely = self.predict_proba(X)
        if self._several:
            return np.asarray(likely > 0.5).astype(self._kind)
        return np.asarray(self.classes_[likely.argmax(axis=1)])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    def _learn(
        self,
        x: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None,
        onward: bool,
        classes: NDArray[Any] | None,
        partial: bool,
    ) -> Self:
        features, labels, weight = self._data(x, y, sample_weight, onward, multi_output=True)
        check_classification_targets(labels)
        several = type_of_target(labels, input_name="y") == SEVERAL
        loss = self.loss or ("bce" if several else "cce")
        _check_loss(loss, several)
        if several and self.class_weight is not None:
            raise InputError("class_weight needs one class a sample; give sample_weight instead")
        if onward and several != self._several:
            raise ValueError("y has another kind of labels than in the first call")
        if several:
            target = _zeros_and_ones(labels)
            found = np.arange(target.shape[1])
        else:
            labels = column_or_1d(labels, warn=True)
            found = np.unique(labels)
        classes = self._known(found, classes, onward)
        if several:
            samples = Samples(features, target, None, weight)
            weights: tuple[float, ...] = ()
        else:
            right = np.searchsorted(classes, labels)
            samples = Samples(features, np.eye(len(classes))[right], right, weight)
            weights = self._class_weights(classes, labels)
        self._train(samples, loss, onward=onward, partial=partial, class_weights=weights)
        self.classes_ = classes
        self._several: bool = several
        self._kind = labels.dtype
        return self

    def _known(
        self, found: NDArray[Any], classes: NDArray[Any] | None, onward: bool
    ) -> NDArray[Any]:
        """Return all classes, after a look whether those that were found are among them."""
        if onward:
            classes = self.classes_
        known = found if classes is None else classes
        unknown = np.setdiff1d(found, known)
        if len(unknown):
            raise ValueError(f"classes {unknown} of y are not among {known}; fit anew with them")
        if len(known) < 2:
            raise ValueError(f"{len(known)} class in the labels; give at least 2")
        return known

    def _class_weights(self, classes: NDArray[Any], labels: NDArray[Any]) -> tuple[float, ...]:
        if self.class_weight is None:
            return ()
        weights = compute_class_weight(self.class_weight, classes=classes, y=labels)
        return tuple(weights.tolist())


def _zeros_and_ones(labels: Any) -> Floats:
    """Return the targets of several labels a sample; raises `ValueError` for other numbers."""
    dense = np.asarray(labels.toarray() if issparse(labels) else labels, np.float64)
    found = np.unique(dense)
    if not np.isin(found, (0, 1)).all():
        raise ValueError(f"y holds {' and '.join(f'{n:g}' for n in found)}; give zeros and ones")
    return dense


def _check_loss(loss: str, several: bool) -> None:
    if find_loss(loss).probable and not (several and loss == "cce"):
        return
    known = [n for n, rule in LOSSES.items() if rule.probable and not (several and n == "cce")]
    what = "probabilities of several labels" if several else "probabilities"
    raise InputError(f"loss {loss!r} gives no {what}; choose {', '.join(known)}")
