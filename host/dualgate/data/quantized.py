# SPDX-License-Identifier: BSD-2-Clause

"""Samples as a device takes them."""

import zlib

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.network import Network
from .metrics import predicted_labels
from .samples import Samples

Ints = NDArray[np.int64]


class QuantizedSamples:
    """Samples in a network's formats.

    Parameters
    ----------
    network : Network
    samples : Samples

    Members
    -------
    x, target : int array
    labels : int array (samples,) or None
    samples : Samples
        As they were.

    Raises
    ------
    InputError
        For samples that do not fit the network, or none.
    """

    def __init__(self, network: Network, samples: Samples) -> None:
        self.x = network.quantize_inputs(samples.x)
        self.target = network.quantize_targets(samples.target)
        self.samples = samples
        self.labels = samples.labels
        self._network = network
        if not len(self.x) or len(self.x) != len(self.target):
            raise InputError(f"{len(self.x)} inputs for {len(self.target)} targets; match them")

    def __len__(self) -> int:
        return len(self.x)

    def checksum(self) -> int:
        """CRC-32 of inputs and targets, which tells one set of samples from another."""
        x, target = (array.astype("<i2").tobytes() for array in (self.x, self.target))
        return zlib.crc32(target, zlib.crc32(x))

    def score(self, order: NDArray[np.intp] | slice, outputs: Ints) -> tuple[float, int]:
        """Sum of the losses of `outputs`, which answer the samples in `order`, and how many are
        right; 0 where samples have no classes."""
        real = self._network.output_format.real
        answers = real(outputs)
        losses = self._network.objective.value(answers, real(self.target[order]))
        if self.labels is None:
            return float(losses.sum()), 0
        right = predicted_labels(answers) == self.labels[order]
        return float(losses.sum()), int(np.count_nonzero(right))

    def mean(self, loss: float, right: int) -> tuple[float, float | None]:
        """Mean loss and accuracy; without classes the latter is None.

        Parameters
        ----------
        loss : float
            Sum over all samples.
        right : int
            Samples answered with the right class.
        """
        return loss / len(self), None if self.labels is None else right / len(self)
