# SPDX-License-Identifier: BSD-2-Clause

"""The simulated RTL behind the device interface, reached through its command stream."""

from dataclasses import replace
from pathlib import Path

from dualgate.contract.commands import Masks, Words
from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import DeviceError, InputError
from dualgate.contract.layout import Layout
from dualgate.contract.network import Network
from dualgate.devices.stream import Ints, StreamDevice

from .compiled import CompiledEngine


class SimDevice(StreamDevice):
    """The compiled RTL as a device.

    `configure` builds the engine, with memories large enough for the network.

    Parameters
    ----------
    neurons : int
        N of the engine, a power of two.
    trace : str, optional
        File for a waveform of the first batch.
    limits : int
        Limits on memory sizes (fields of `EngineParameters`).
    """

    def __init__(
        self, neurons: int | str = 16, trace: str | None = None, **limits: int | str
    ) -> None:
        super().__init__()
        self._limits = {name: int(value) for name, value in limits.items()}
        self._wanted = replace(EngineParameters(int(neurons)), **self._limits)
        self._trace = trace
        self._tracing = False
        self._model: CompiledEngine | None = None
        if trace is not None and not Path(trace).resolve().parent.is_dir():
            raise InputError(f"waveform {trace}: its directory does not exist")

    def configure(self, network: Network, update_frac: int) -> None:
        engine = replace(self._wanted.grown(network), **self._limits)
        Layout(network, engine, update_frac)
        if engine != self._engine:
            self.close()
            self._model = CompiledEngine(engine, self._trace is not None)
            self._engine = self.identify()
        super().configure(network, update_frac)

    def train(self, x: Ints, target: Ints, masks: Masks | None = None) -> Ints:
        if self._trace is not None and not self._tracing:
            self._model_in_use.trace(self._trace)
            self._tracing = True
        return super().train(x, target, masks)

    @property
    def _model_in_use(self) -> CompiledEngine:
        if self._model is None:
            raise DeviceError("the device has no network yet; call configure first")
        return self._model

    def apply(self) -> None:
        super().apply()
        if self._trace is not None:
            self._model_in_use.trace("")
            self._trace = None

    def exchange(self, words: Words, responses: int, capacity: int) -> Words:
        return self._model_in_use.exchange(words, responses, capacity)

    def close(self) -> None:
        if self._model is not None:
            self._model.close()
            self._model = None
