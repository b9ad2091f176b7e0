# SPDX-License-Identifier: BSD-2-Clause

"""The state of the golden model, and what changes it: in numpy here, compiled in `compiled`."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from dualgate.contract.commands import Masks
from dualgate.contract.formats import APPLY_BIAS
from dualgate.contract.layout import Layout
from dualgate.contract.network import Network
from dualgate.contract.settings import Settings

from . import model as golden
from .exact import Ints, Tally

CHUNK = 400_000
"""Number of entries of the largest array that is computed at a time.

Fewer samples leave numpy's calls too little to do, and more do not fit a processor's cache.
"""


class Arithmetic(ABC):
    """A network in training. Every implementation has the same bits and counts.

    Parameters
    ----------
    layout : Layout
    tally : Tally
        All counts are added to it.

    Members
    -------
    weights, velocity : list of int array (inputs + 1, outputs)
        Zero at first.
    """

    def __init__(self, layout: Layout, tally: Tally) -> None:
        self._layout = layout
        self._tally = tally
        self.weights = [np.zeros((n.rows, n.outputs), np.int64) for n in layout.network.layers]
        self.velocity = [np.zeros_like(w) for w in self.weights]
        self.write_weights(self.weights)

    def write_weights(self, weights: Sequence[Ints]) -> None:
        """Write master weights."""
        for own, given in zip(self.weights, weights, strict=True):
            own[...] = given

    def write_velocity(self, velocity: Sequence[Ints]) -> None:
        """Write velocities."""
        for own, given in zip(self.velocity, velocity, strict=True):
            own[...] = given

    @abstractmethod
    def train(self, settings: Settings, x: Ints, target: Ints, masks: Masks | None) -> Ints:
        """Add the gradient of samples to the velocities, and return the outputs."""

    @abstractmethod
    def apply(self, momentum: int) -> None:
        """End a batch."""

    @abstractmethod
    def infer(self, x: Ints) -> Ints:
        """Return the outputs of samples."""


class NumpyArithmetic(Arithmetic):
    """The functions of `model`, which specify what is computed, on parts of a batch."""

    def write_weights(self, weights: Sequence[Ints]) -> None:
        super().write_weights(weights)
        self._read = golden.mac_weights(self.weights)

    def train(self, settings: Settings, x: Ints, target: Ints, masks: Masks | None) -> Ints:
        network = self._layout.network
        outputs = np.empty((len(x), network.sizes[-1]), np.int64)
        size = samples_at_a_time(network)
        for start in range(0, len(x), size):
            part = slice(start, start + size)
            outputs[part], gains = golden.gradient(
                network,
                self._read,
                settings,
                x[part],
                target[part],
                self._layout.engine,
                self._tally,
                None if masks is None else [mask[part] for mask in masks],
            )
            for velocity, gain in zip(self.velocity, gains, strict=True):
                velocity += gain
        return outputs

    def apply(self, momentum: int) -> None:
        state = zip(self.weights, self.velocity, self._layout.descriptors, strict=True)
        for weight, velocity, descriptor in state:
            weight[...], velocity[...] = golden.apply(
                weight, velocity, descriptor["apply_shift"], APPLY_BIAS, momentum, self._tally
            )
        self._read = golden.mac_weights(self.weights)

    def infer(self, x: Ints) -> Ints:
        layout = self._layout
        done = golden.forward(layout.network, self._read, x, layout.engine, self._tally)
        return done.outputs.astype(np.int64)


def samples_at_a_time(network: Network) -> int:
    """Return how many samples have about `CHUNK` inputs, values or tangent entries in a layer."""
    sizes = network.sizes
    crossings = [tags * max(sizes[index:]) for index, tags in enumerate(sizes[1:-1], 2)]
    return max(1, CHUNK // max(*sizes, *crossings))
