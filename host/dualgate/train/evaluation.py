# SPDX-License-Identifier: BSD-2-Clause

"""Evaluation of trained weights: metrics of the outputs of a network."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.network import Network
from ..data.metrics import accuracy, confusion_matrix, mean_squared_error, predicted_labels, r2
from ..data.samples import Samples


@dataclass(frozen=True)
class Evaluation:
    """Metrics of one set of samples; None for a metric that does not apply.

    Parameters
    ----------
    loss : float
        Mean over the samples of the loss that was trained, by the samples' weights if they have
        any.
    accuracy : float or None
    confusion : list of list of int, or None
        See `metrics.confusion_matrix`. It and the accuracy are None if samples have no classes.
    mse : float or None
        Of predictions and targets, in the unit of the targets; None if samples have classes.
    r2 : float or None
        None if samples have classes or all targets of an output are equal.
    """

    loss: float
    accuracy: float | None
    confusion: list[list[int]] | None
    mse: float | None
    r2: float | None

    @classmethod
    def of(cls, network: Network, samples: Samples, outputs: NDArray[np.int64]) -> "Evaluation":
        """Compare outputs with the targets of their samples.

        Parameters
        ----------
        network : Network
        samples : Samples
        outputs : int array (samples, units), `Network.output_format`
        """
        answers, objective = network.output_format.real(outputs), network.objective
        losses = objective.value(answers, objective.transformed(samples.target))
        loss = float(np.average(losses, weights=samples.weight))
        if samples.labels is not None:
            got = predicted_labels(answers)
            classes = max(network.sizes[-1], 2)
            confusion = confusion_matrix(samples.labels, got, classes).tolist()
            return cls(loss, accuracy(samples.labels, got), confusion, None, None)
        predicted = network.predictions(outputs)
        try:
            explained = r2(samples.target, predicted)
        except InputError:
            explained = None
        return cls(loss, None, None, mean_squared_error(samples.target, predicted), explained)
