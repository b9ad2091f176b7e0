# SPDX-License-Identifier: BSD-2-Clause

"""Samples as integers, in the formats of a network."""

import zlib

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.network import Network
from .metrics import predicted_labels
from .preparation import LARGEST
from .samples import Samples

Ints = NDArray[np.int64]


class QuantizedSamples:
    """Samples in the number formats of a network.

    Parameters
    ----------
    network : Network
    samples : Samples

    Members
    -------
    x, target : int array
    labels : int array (samples,) or None
    samples : Samples
        The given samples.

    Raises
    ------
    InputError
        For samples that do not fit the network, no samples, or weights that are not above 0.
    """

    def __init__(self, network: Network, samples: Samples) -> None:
        self.x = network.quantize_inputs(samples.x)
        self.target = network.quantize_targets(samples.target)
        self.samples = samples
        self.labels = samples.labels
        self._network = network
        if not len(self.x) or len(self.x) != len(self.target):
            raise InputError(f"{len(self.x)} inputs for {len(self.target)} targets; match them")
        weight = samples.weight
        if weight is not None and (
            weight.shape != (len(self),) or not (np.isfinite(weight) & (weight > 0)).all()
        ):
            raise InputError("sample weights: give one number above 0 for each sample")
        if weight is not None and weight.max() > LARGEST:
            raise InputError(f"sample weight {weight.max():g}: give {LARGEST:g} at most")
        self._total = float(len(self)) if weight is None else float(weight.sum())

    def __len__(self) -> int:
        return len(self.x)

    def checksum(self) -> int:
        """Return the CRC-32 of inputs, targets and weights, which identifies a set of samples."""
        x, target = (array.astype("<i2").tobytes() for array in (self.x, self.target))
        result = zlib.crc32(target, zlib.crc32(x))
        weight = self.samples.weight
        return result if weight is None else zlib.crc32(weight.astype("<f8").tobytes(), result)

    def score(self, order: NDArray[np.intp] | slice, outputs: Ints) -> tuple[float, int]:
        """Return the sum of the losses, times weights, and the number of correct classes.

        Parameters
        ----------
        order : int array or slice
            Positions of the samples.
        outputs : int array (samples, units)
            Outputs for these samples.

        Returns
        -------
        float, int
            The number is 0 if samples have no classes.
        """
        losses = self.losses(order, outputs)
        if self.labels is None:
            return float(losses.sum()), 0
        answers = self._network.output_format.real(outputs)
        right = predicted_labels(answers) == self.labels[order]
        return float(losses.sum()), int(np.count_nonzero(right))

    def losses(self, order: NDArray[np.intp] | slice, outputs: Ints) -> NDArray[np.float64]:
        """Return the loss of each sample, times its weight.

        Parameters
        ----------
        order : int array or slice
            Positions of the samples.
        outputs : int array (samples, units)
            Outputs for these samples.
        """
        real = self._network.output_format.real
        losses: NDArray[np.float64] = self._network.objective.value(
            real(outputs), real(self.target[order])
        )
        weight = self.samples.weight
        return losses if weight is None else losses * weight[order]

    def mean(self, loss: float, right: int) -> tuple[float, float | None]:
        """Return mean loss, by weight, and accuracy; the accuracy is None without classes.

        Parameters
        ----------
        loss : float
            Sum of the losses of all samples, times weights.
        right : int
            Number of samples whose class was predicted correctly.
        """
        return loss / self._total, None if self.labels is None else right / len(self)
