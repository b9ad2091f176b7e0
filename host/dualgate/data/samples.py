# SPDX-License-Identifier: BSD-2-Clause

"""Samples: inputs and their targets."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..contract.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Samples:
    """Inputs and their targets, as real numbers.

    Parameters
    ----------
    x : float array (samples, inputs)
    target : float array (samples, outputs)
    labels : int array (samples,) or None
        The class of each sample, if the samples have classes.
    weight : float array (samples,) or None
        Weights above 0, the importance of each sample's loss beside the others'; by default all
        count the same.
    parts : tuple of int
        For a stream, on which a network trains in the order of its samples: the number of samples
        in each of its parts, between which the source changes. Empty if the order is drawn.
    """

    x: Floats
    target: Floats
    labels: Ints | None = None
    weight: Floats | None = None
    parts: tuple[int, ...] = ()

    @classmethod
    def of_classes(cls, x: ArrayLike, labels: ArrayLike, classes: int) -> "Samples":
        """Make samples whose target is one for the right class and zero for the others.

        Parameters
        ----------
        x : (samples, inputs)
        labels : (samples,), integers 0 to classes - 1
        classes : int

        Raises
        ------
        InputError
            If a label is out of range, or the numbers of labels and inputs differ.
        """
        inputs, right = np.asarray(x, np.float64), np.asarray(labels)
        if right.ndim != 1 or len(right) != len(inputs):
            raise InputError(
                f"labels have shape {right.shape}; give one label for each of {len(inputs)} inputs"
            )
        if right.dtype.kind not in "iu":
            raise InputError(f"labels are {right.dtype}; give whole numbers from 0")
        wrong = (right < 0) | (right >= classes)
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            raise InputError(
                f"label {right[first]} of sample {first} is out of range 0 to {classes - 1}"
            )
        whole = right.astype(np.int64)
        return cls(inputs, np.eye(classes)[whole], whole)

    @classmethod
    def of_yes_or_no(cls, x: ArrayLike, labels: ArrayLike) -> "Samples":
        """Make samples of two classes for a single output, whose target is the label.

        Parameters
        ----------
        x : (samples, inputs)
        labels : (samples,), 0 or 1

        Raises
        ------
        InputError
            As for `of_classes`.
        """
        samples = cls.of_classes(x, labels, 2)
        return cls(samples.x, samples.target[:, 1:], samples.labels)
