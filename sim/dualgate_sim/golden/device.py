# SPDX-License-Identifier: BSD-2-Clause

"""The golden model as a device."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from dualgate.contract.commands import Masks
from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import DeviceError
from dualgate.contract.formats import APPLY_BIAS
from dualgate.contract.layout import Layout
from dualgate.contract.network import Network, check_shapes
from dualgate.contract.settings import Settings
from dualgate.devices import Counters, EngineDevice

from . import model as golden
from .exact import Tally

Ints = NDArray[np.int64]

CHUNK = 400_000
"""Number of entries of the largest array that is computed at a time.

Fewer samples leave numpy's calls too little to do, and more do not fit a processor's cache.
"""


def samples_at_a_time(network: Network) -> int:
    """Return how many samples have about `CHUNK` inputs, values or tangent entries in a layer."""
    sizes = network.sizes
    crossings = [tags * max(sizes[index:]) for index, tags in enumerate(sizes[1:-1], 2)]
    return max(1, CHUNK // max(*sizes, *crossings))


class GoldenDevice(EngineDevice):
    """The golden model as a device.

    Parameters
    ----------
    neurons : int
        N of the modelled engine; only the counts of rows depend on it.
    limits : int
        Limits on memory sizes (fields of `EngineParameters`); without limits every network fits.
    """

    def __init__(self, neurons: int | str = 16, **limits: int | str) -> None:
        super().__init__()
        self._limits = {name: int(value) for name, value in limits.items()}
        self._engine = replace(EngineParameters(int(neurons)), **self._limits)
        self._settings: Settings | None = None
        self._weights: list[Ints] = []
        self._mac_weights: list[NDArray[np.float64]] = []
        self._velocity: list[Ints] = []
        self._total = Tally()

    def configure(self, network: Network, update_frac: int) -> None:
        engine = replace(self._engine.grown(network), **self._limits)
        self._layout = Layout(network, engine, update_frac)
        self._velocity = [np.zeros((n.rows, n.outputs), np.int64) for n in network.layers]
        self.write_weights(self._velocity)
        self._samples = 0

    def set(self, settings: Settings) -> None:
        self._check_settings(settings)
        self._settings = settings

    def write_weights(self, weights: Sequence[Ints]) -> None:
        check_shapes(self.layout.network, weights)
        self._weights = [np.array(w, np.int64) for w in weights]
        self._mac_weights = golden.mac_weights(self._weights)

    def read_weights(self) -> list[Ints]:
        return [w.copy() for w in self._weights]

    def write_velocity(self, velocity: Sequence[Ints]) -> None:
        check_shapes(self.layout.network, velocity)
        self._velocity = [np.array(v, np.int64) for v in velocity]

    def read_velocity(self) -> list[Ints]:
        return [v.copy() for v in self._velocity]

    def train(self, x: Ints, target: Ints, masks: Masks | None = None) -> Ints:
        layout = self.layout
        if self._settings is None:
            raise DeviceError("the device has no settings yet; call set first")
        self._begin_samples(len(x), self._settings.masked, masks)
        outputs = np.empty((len(x), layout.network.sizes[-1]), np.int64)
        size = samples_at_a_time(layout.network)
        for start in range(0, len(x), size):
            part = slice(start, start + size)
            outputs[part], gains = golden.gradient(
                layout.network,
                self._mac_weights,
                self._settings,
                x[part],
                target[part],
                layout.engine,
                self._total,
                None if masks is None else [mask[part] for mask in masks],
            )
            for velocity, gain in zip(self._velocity, gains, strict=True):
                velocity += gain
        return outputs

    def apply(self) -> None:
        if self._settings is None:
            raise DeviceError("the device has no settings yet; call set first")
        for index, descriptor in enumerate(self.layout.descriptors):
            self._weights[index], self._velocity[index] = golden.apply(
                self._weights[index],
                self._velocity[index],
                descriptor["apply_shift"],
                APPLY_BIAS,
                self._settings.momentum,
                self._total,
            )
        self._mac_weights = golden.mac_weights(self._weights)
        self._samples = 0

    def infer(self, x: Ints) -> Ints:
        layout = self.layout
        done = golden.forward(layout.network, self._mac_weights, x, layout.engine, self._total)
        return done.outputs.astype(np.int64)

    def counters(self) -> Counters:
        return Counters(**asdict(self._total))

    def close(self) -> None:
        self._layout = None
