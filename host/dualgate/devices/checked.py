# SPDX-License-Identifier: BSD-2-Clause

"""A device compared with the golden model: every batch must leave the same bits in both."""

from collections.abc import Callable, Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from ..contract.commands import Masks
from ..contract.engine import EngineParameters
from ..contract.errors import DeviceError, Mismatch
from ..contract.network import Network
from ..contract.settings import Settings
from . import Counters, Device, open_device

Ints = NDArray[np.int64]

_UNCLOCKED = ("cycles",)
"""Counters that the golden model cannot predict."""


def golden_model(engine: EngineParameters) -> Device:
    """Open the golden model of an engine; only its counts of rows depend on the engine."""
    return open_device("golden", neurons=engine.neurons, tangent_lanes=engine.tangent_lanes)


class CheckedDevice(Device):
    """Two devices that run side by side and are compared.

    Outputs (and with them the loss) are compared after every call; all weights, velocities and
    counters except cycles, after every `apply`.

    Parameters
    ----------
    device : Device
        The device under test; its results are returned.
    reference : callable
        Opens the golden model of the device's engine; called by `configure`.

    Members
    -------
    batches : int
        Number of batches found equal since `configure`.
    parameters : int
        Number of weights compared in each batch.

    Raises
    ------
    Mismatch
        From `train`, `infer` and `apply`, at the first difference.
    """

    def __init__(self, device: Device, reference: Callable[[EngineParameters], Device]) -> None:
        self._device = device
        self._open_reference = reference
        self._opened: Device | None = None
        self._before = Counters()
        self._network: Network | None = None
        self.batches = 0

    @property
    def parameters(self) -> int:
        """Number of weights compared after each batch; 0 before `configure`."""
        return self._network.parameters if self._network else 0

    def configure(self, network: Network, update_frac: int) -> None:
        self._device.configure(network, update_frac)
        self._close_reference()
        self._opened = self._open_reference(self._device.engine)
        self._opened.configure(network, update_frac)
        self._before = self._device.counters()
        self._network = network
        self.batches = 0

    @property
    def engine(self) -> EngineParameters:
        return self._device.engine

    def set(self, settings: Settings) -> None:
        self._device.set(settings)
        self._reference.set(settings)

    def write_weights(self, weights: Sequence[Ints]) -> None:
        self._device.write_weights(weights)
        self._reference.write_weights(weights)

    def read_weights(self) -> list[Ints]:
        return self._device.read_weights()

    def write_velocity(self, velocity: Sequence[Ints]) -> None:
        self._device.write_velocity(velocity)
        self._reference.write_velocity(velocity)

    def read_velocity(self) -> list[Ints]:
        return self._device.read_velocity()

    def train(self, x: Ints, target: Ints, masks: Masks | None = None) -> Ints:
        outputs = self._device.train(x, target, masks)
        self._compare_outputs(self._reference.train(x, target, masks), outputs)
        return outputs

    def infer(self, x: Ints) -> Ints:
        outputs = self._device.infer(x)
        self._compare_outputs(self._reference.infer(x), outputs)
        return outputs

    def apply(self) -> None:
        self._device.apply()
        self._reference.apply()
        pairs = (
            ("weight", self._reference.read_weights(), self._device.read_weights()),
            ("velocity", self._reference.read_velocity(), self._device.read_velocity()),
        )
        for what, expected, got in pairs:
            for layer, (want, have) in enumerate(zip(expected, got, strict=True)):
                self._compare(what, layer, want, have)
        self._compare_counters()
        self.batches += 1

    def counters(self) -> Counters:
        return self._device.counters()

    def close(self) -> None:
        try:
            self._device.close()
        finally:
            self._close_reference()

    @property
    def _reference(self) -> Device:
        if self._opened is None:
            raise DeviceError("the device has no network yet; call configure first")
        return self._opened

    def _close_reference(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None

    @property
    def _layers(self) -> int:
        return len(self._network.layers) if self._network else 0

    def _compare_outputs(self, expected: Ints, got: Ints) -> None:
        self._compare("output", self._layers - 1, expected, got)

    def _compare(self, what: str, layer: int, expected: Ints, got: Ints) -> None:
        if expected.shape != got.shape:
            raise DeviceError(
                f"{what}s of layer {layer} have shape {got.shape}, not {expected.shape}"
            )
        different = np.argwhere(expected != got)
        if len(different):
            at = tuple(int(i) for i in different[0])
            raise Mismatch(self.batches + 1, what, layer, at, int(expected[at]), int(got[at]))

    def _compare_counters(self) -> None:
        expected = asdict(self._reference.counters())
        got = asdict(self._device.counters() - self._before)
        for name in expected:
            if name not in _UNCLOCKED and expected[name] != got[name]:
                raise Mismatch(self.batches + 1, name, None, (), expected[name], got[name])
