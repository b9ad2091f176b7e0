"""A device with the golden model beside it: every batch must leave the same bits in both."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from .devices import Counters, Device
from .errors import DeviceError, Mismatch
from .network import Network
from .settings import Settings

Ints = NDArray[np.int64]

_UNCLOCKED = ("cycles",)
"""Counters that the golden model cannot predict."""


class CheckedDevice(Device):
    """Runs two devices side by side and compares them.

    Outputs are compared as they come (and with them the loss); after every `apply`, all weights,
    velocities and counters except cycles.

    Parameters
    ----------
    device : Device
        Answers every call.
    reference : Device
        The golden model, standing for an engine of as many neurons.

    Members
    -------
    batches : int
        Batches found equal since `configure`.
    parameters : int
        Weights compared in each.

    Raises
    ------
    Mismatch
        From `train`, `infer` and `apply`, at the first difference.
    """

    def __init__(self, device: Device, reference: Device) -> None:
        self._device = device
        self._reference = reference
        self._network: Network | None = None
        self.batches = 0

    @property
    def parameters(self) -> int:
        """Weights compared after each batch; 0 before `configure`."""
        return self._network.parameters if self._network else 0

    def configure(self, network: Network, update_frac: int) -> None:
        self._device.configure(network, update_frac)
        self._reference.configure(network, update_frac)
        self._network = network
        self.batches = 0

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

    def train(self, x: Ints, target: Ints) -> Ints:
        outputs = self._device.train(x, target)
        self._compare_outputs(self._reference.train(x, target), outputs)
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
            self._reference.close()

    def _compare_outputs(self, expected: Ints, got: Ints) -> None:
        if self._network is None:
            raise DeviceError("the device has no network yet; call configure first")
        self._compare("output", len(self._network.layers) - 1, expected, got)

    def _compare(self, what: str, layer: int, expected: Ints, got: Ints) -> None:
        if expected.shape != got.shape:
            raise DeviceError(f"{what}s of layer {layer}: {got.shape} came, not {expected.shape}")
        different = np.argwhere(expected != got)
        if len(different):
            at = tuple(int(i) for i in different[0])
            raise Mismatch(self.batches + 1, what, layer, at, int(expected[at]), int(got[at]))

    def _compare_counters(self) -> None:
        expected, got = asdict(self._reference.counters()), asdict(self._device.counters())
        for name in expected:
            if name not in _UNCLOCKED and expected[name] != got[name]:
                raise Mismatch(self.batches + 1, name, None, (), expected[name], got[name])
