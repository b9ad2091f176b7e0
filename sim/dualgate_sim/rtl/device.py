# SPDX-License-Identifier: BSD-2-Clause

"""The simulated RTL behind the device interface, reached through its command stream."""

from dataclasses import replace

from dualgate.contract.commands import Masks, Words
from dualgate.contract.engine import EngineParameters
from dualgate.contract.errors import DeviceError, InputError
from dualgate.contract.layout import Layout
from dualgate.contract.network import Network
from dualgate.devices.stream import Ints, StreamDevice

from .compiled import CompiledEngine
from .waveform import CLOCK, Waveform, clock_period


class SimDevice(StreamDevice):
    """The compiled RTL as a device.

    `configure` builds the engine, with memories large enough for the network.

    Parameters
    ----------
    neurons : int
        N of the engine, a power of two.
    trace : str, optional
        File for a waveform, ``.fst`` or ``.vcd``. Views for GTKWave and Surfer are written beside
        it.
    trace_scope : str
        Part of the engine that is recorded, such as ``core_0.tangent``; empty for all of it.
    trace_batches : str
        Batches that are recorded: ``N`` for the first N, ``A-B`` for those from A to B.
    clock : float
        MHz. Times in a waveform follow it; nothing else does.
    limits : int
        Limits on memory sizes (fields of `EngineParameters`).
    """

    def __init__(
        self,
        neurons: int | str = 16,
        trace: str | None = None,
        trace_scope: str = "",
        trace_batches: str = "1",
        clock: float | str = CLOCK,
        **limits: int | str,
    ) -> None:
        super().__init__()
        self._limits = {name: int(value) for name, value in limits.items()}
        self._wanted = replace(EngineParameters(int(neurons)), **self._limits)
        clock_period(clock)
        self._waveform: Waveform | None = None
        if trace is not None:
            self._waveform = Waveform.parse(trace, trace_scope, trace_batches, clock)
        elif trace_scope or trace_batches != "1":
            raise InputError("trace_scope and trace_batches are for a waveform; give trace, too")
        self._batch = 1
        self._recording = False
        self._model: CompiledEngine | None = None

    def configure(self, network: Network, update_frac: int) -> None:
        engine = replace(self._wanted.grown(network), **self._limits)
        Layout(network, engine, update_frac)
        if engine != self._engine:
            self.close()
            self._model = CompiledEngine(engine, self._waveform.format if self._waveform else None)
            if self._waveform:
                self._model.check_scope(self._waveform.scope)
            self._engine = self.identify()
        super().configure(network, update_frac)

    def train(self, x: Ints, target: Ints, masks: Masks | None = None) -> Ints:
        if self._waveform and self._batch == self._waveform.first and not self._recording:
            self._recording = True
            self._model_in_use.record(self._waveform)
        return super().train(x, target, masks)

    @property
    def _model_in_use(self) -> CompiledEngine:
        if self._model is None:
            raise DeviceError("the device has no network yet; call configure first")
        return self._model

    def apply(self) -> None:
        super().apply()
        if self._waveform and self._batch == self._waveform.last:
            self._model_in_use.end_record()
        self._batch += 1

    def exchange(self, words: Words, responses: int, capacity: int) -> Words:
        return self._model_in_use.exchange(words, responses, capacity)

    def close(self) -> None:
        model, self._model = self._model, None
        if model is not None:
            model.close()
