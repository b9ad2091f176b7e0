# SPDX-License-Identifier: BSD-2-Clause

"""What the outputs of a network stand for: classes with names, or numbers in some unit."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.values import Positive, Real
from .metrics import predicted_labels
from .preparation import real_numbers, shortened, words
from .samples import Samples

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """The meaning of a network's outputs.

    Parameters
    ----------
    targets : tuple of str
        Name of the column that holds the class, or of one column for each output.
    classes : tuple of str
        Names of the classes, at least two; empty for numbers.
    offset, scale : tuple of float
        For numbers, one each for every output: a prediction is ``output * scale + offset``.
    single : bool
        Whether one output tells two classes apart; otherwise there is an output for each class.
    """

    targets: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    offset: tuple[Real, ...] = ()
    scale: tuple[Positive, ...] = ()
    single: bool = False

    def check(self) -> None:
        """Check an `Answers` that was read from a file.

        Raises
        ------
        InputError
            For a single class, more than two for one output, or other scales than one a target.
        """
        if self.classes:
            fits = len(self.classes) == 2 or (len(self.classes) > 2 and not self.single)
        else:
            fits = len(self.offset) == len(self.scale) == len(self.targets) and not self.single
        if not fits:
            raise InputError(
                f"{len(self.classes)} classes, or {len(self.scale)} scales of "
                f"{len(self.targets)} targets, are no meaning of outputs"
            )

    @property
    def outputs(self) -> int:
        """Units of the last layer."""
        return (1 if self.single else len(self.classes)) if self.classes else len(self.targets)

    def samples(self, x: Floats, target: Any) -> Samples:
        """Make samples of inputs and targets.

        Parameters
        ----------
        x : float array (samples, inputs)
        target : pandas.DataFrame, or array (samples,) or (samples, targets)
            None of it missing.

        Raises
        ------
        InputError
            For a class that is not among `classes`, or a target that is no number.
        """
        if not self.classes:
            columns = _columns(target, self.targets)
            return Samples(x, (columns - np.array(self.offset)) / np.array(self.scale))
        return self.of_labels(x, self._labels(target))

    def of_labels(self, x: Floats, labels: NDArray[np.int64]) -> Samples:
        """Make samples of inputs (samples, inputs) and positions in `classes` (samples,)."""
        if self.single:
            return Samples.of_yes_or_no(x, labels)
        return Samples.of_classes(x, labels, len(self.classes))

    def _labels(self, target: Any) -> NDArray[np.int64]:
        named = class_words(target)
        position = {name: index for index, name in enumerate(self.classes)}
        unknown = [name for name in named if name not in position]
        if unknown:
            raise InputError(
                f"class {unknown[0]!r} is not among those of the run, {shortened(self.classes)}; "
                "leave these samples out"
            )
        return np.array([position[name] for name in named], np.int64)

    def names(self, predictions: Floats) -> list[str]:
        """Return the name of the predicted class for `predictions` (samples, outputs)."""
        return [self.classes[index] for index in predicted_labels(predictions)]

    def probabilities(self, predictions: Floats) -> Floats:
        """Return the probability of each class (samples, classes).

        These are the outputs (samples, outputs), divided by their sum, which in fixed point is not
        exactly one.
        """
        if self.single:
            return np.hstack([1.0 - predictions, predictions])
        total = predictions.sum(axis=1, keepdims=True)
        return np.asarray(predictions / np.where(total == 0, 1.0, total))

    def numbers(self, predictions: Floats) -> Floats:
        """Return predictions in the unit of the targets, for `predictions` (samples, outputs)."""
        return np.asarray(predictions * np.array(self.scale) + np.array(self.offset))

    def rmse(self, mse: float | None) -> float | None:
        """Return the root of a mean squared error of outputs, in the unit of the one target.

        None if there is no error, or not one target of numbers.
        """
        if mse is None or len(self.scale) != 1:
            return None
        return math.sqrt(mse) * self.scale[0]


def class_words(target: Any) -> list[str]:
    """Convert the classes of samples, of any type, to words."""
    from pandas import DataFrame, Series

    column = target.iloc[:, 0] if isinstance(target, DataFrame) else Series(np.asarray(target))
    return [str(word) for word in words(column)]


def sorted_classes(names: list[str]) -> tuple[str, ...]:
    """Return the distinct classes in order: by value if all are numbers, else by letters."""
    distinct = set(names)
    try:
        return tuple(sorted(distinct, key=lambda name: (float(name), name)))
    except ValueError:
        return tuple(sorted(distinct))


def _columns(target: Any, names: tuple[str, ...]) -> Floats:
    if isinstance(target, np.ndarray):
        if target.dtype.kind not in "biuf" or not np.isfinite(target).all():
            raise InputError(f"targets of type {target.dtype} are not all numbers; mend them")
        columns = target.astype(np.float64).reshape(len(target), -1)
    else:
        columns = np.column_stack([real_numbers(target[name], name) for name in names])
    if columns.shape[1] != len(names):
        raise InputError(f"there are {columns.shape[1]} targets; the run has {len(names)}")
    return columns
