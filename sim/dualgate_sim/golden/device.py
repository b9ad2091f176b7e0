# SPDX-License-Identifier: BSD-2-Clause

"""The golden model as a device."""

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
from numpy.typing import NDArray

from dualgate.contract.commands import Masks
from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import DeviceError, DualgateError, InputError
from dualgate.contract.layout import Layout
from dualgate.contract.names import unknown
from dualgate.contract.network import Network, check_master, check_shapes
from dualgate.contract.settings import Settings
from dualgate.devices import Counters, EngineDevice

from .arithmetic import Arithmetic, NumpyArithmetic
from .compiled import CompiledArithmetic
from .exact import Tally

Ints = NDArray[np.int64]

KERNELS = ("auto", "compiled", "numpy")


class GoldenDevice(EngineDevice):
    """The golden model as a device.

    Parameters
    ----------
    neurons : int
        N of the modelled engine; only the counts of rows depend on it.
    kernel : str
        ``numpy`` for the functions of `model`, which specify the results; ``compiled`` for
        `compiled`, which has the same ones sooner; ``auto`` for that where it can be compiled.
    limits : int
        Limits on memory sizes (fields of `EngineParameters`); without limits every network fits.

    Raises
    ------
    InputError
        For an unknown kernel.
    MissingToolError, DeviceError
        From `configure`, if the kernel is ``compiled`` and cannot be.
    """

    def __init__(self, neurons: int | str = 16, kernel: str = "auto", **limits: int | str) -> None:
        super().__init__()
        if kernel not in KERNELS:
            raise InputError(unknown("kernel", kernel, KERNELS))
        self._kernel = kernel
        self._limits = {name: int(value) for name, value in limits.items()}
        self._engine = replace(EngineParameters(int(neurons)), **self._limits)
        self._settings: Settings | None = None
        self._state: Arithmetic | None = None
        self._total = Tally()

    def configure(self, network: Network, update_frac: int) -> None:
        engine = replace(self._engine.grown(network), **self._limits)
        self._layout = Layout(network, engine, update_frac)
        self._state = _arithmetic(self._kernel, self._layout, self._total)
        self._samples = 0

    @property
    def state(self) -> Arithmetic:
        """Weights and velocities; raises `DeviceError` before `configure`."""
        if self._state is None:
            raise DeviceError("the device has no network yet; call configure first")
        return self._state

    def set(self, settings: Settings) -> None:
        self._check_settings(settings)
        self._settings = settings

    def write_weights(self, weights: Sequence[Ints]) -> None:
        check_master(self.layout.network, weights)
        self.state.write_weights(weights)

    def read_weights(self) -> list[Ints]:
        return [w.copy() for w in self.state.weights]

    def write_velocity(self, velocity: Sequence[Ints]) -> None:
        check_shapes(self.layout.network, velocity)
        self.state.write_velocity(velocity)

    def read_velocity(self) -> list[Ints]:
        return [v.copy() for v in self.state.velocity]

    def train(self, x: Ints, target: Ints, masks: Masks | None = None) -> Ints:
        network = self.layout.network
        if self._settings is None:
            raise DeviceError("the device has no settings yet; call set first")
        _check(x, len(x), network.sizes[0], "inputs")
        _check(target, len(x), network.sizes[-1], "targets")
        self._begin_samples(len(x), self._settings.masked, masks)
        return self.state.train(self._settings, x, target, masks)

    def apply(self) -> None:
        if self._settings is None:
            raise DeviceError("the device has no settings yet; call set first")
        self.state.apply(self._settings.momentum)
        self._samples = 0

    def infer(self, x: Ints) -> Ints:
        _check(x, len(x), self.layout.network.sizes[0], "inputs")
        return self.state.infer(x)

    def counters(self) -> Counters:
        return Counters(**asdict(self._total))

    def close(self) -> None:
        self._layout = self._state = None


def _arithmetic(kernel: str, layout: Layout, tally: Tally) -> Arithmetic:
    """Make the chosen implementation."""
    if kernel != "numpy":
        try:
            return CompiledArithmetic(layout, tally)
        except DualgateError:
            if kernel == "compiled":
                raise
    return NumpyArithmetic(layout, tally)


def _check(array: Ints, samples: int, width: int, what: str) -> None:
    """Raise `InputError` for another shape than (samples, width)."""
    if np.shape(array) != (samples, width):
        raise InputError(f"{what} have shape {np.shape(array)}; give ({samples}, {width})")
