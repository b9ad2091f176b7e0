# SPDX-License-Identifier: BSD-2-Clause

"""A component compiled by Verilator into a shared library, with a harness of its own."""

import contextlib
import ctypes
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dualgate.contract.errors import DeviceError
from dualgate.data.directories import workspace

from .cache import absent, keep
from .cxx import Toolchain

WITHOUT_X = ("--x-initial", "fast")
RUNTIME = ("verilated", "verilated_threads")
TRACING = "verilated_vcd_c"


def library(
    target: Path, component: Callable[[], Any], top: str, harness: Path, what: str, trace: bool
) -> Path:
    """Compile a component and its harness, unless `target` is there.

    Parameters
    ----------
    target : Path
        The library, which appears whole or not at all. If another process is compiling it, the
        call returns when that process is done.
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
        When a package, the C++ compiler or perl is missing.
    InputError
        When the cache or the temporary directory cannot be written.
    DeviceError
        When a tool fails.
    """
    with absent(target) as needed:
        if needed:
            say = f"compiling {what}: a quarter of a minute or more, once"
            print(say, file=sys.stderr, flush=True)
            _compile(target, component, top, harness, trace)
    return target


def load(path: Path) -> ctypes.CDLL:
    """Load a compiled library.

    Raises
    ------
    DeviceError
        When it is damaged. It is then removed, so that the next run compiles it anew.
    """
    try:
        return ctypes.CDLL(str(path))
    except OSError as error:
        with contextlib.suppress(OSError):
            path.unlink()
        raise DeviceError(
            f"cannot load the simulator {path}: {error}; it has been removed if it could be, so "
            "run the command again to compile it anew"
        ) from None


def _compile(
    target: Path, component: Callable[[], Any], top: str, harness: Path, trace: bool
) -> None:
    tools = Toolchain.find()
    from dualgate_hw.common.verilog import WithoutReset, to_verilog

    with workspace() as work:
        made = component()
        source = work / f"{top}.sv"
        source.write_text(made if isinstance(made, str) else to_verilog(WithoutReset(made), top))
        model = tools.verilate([source], top, work, *WITHOUT_X, *(["--trace"] if trace else []))
        objects = tools.compile([*model, harness], work, f"-DVM_TRACE={int(trace)}")
        runtime = tools.runtime(*RUNTIME, *([TRACING] if trace else []))
        tools.link([*objects, *runtime], work / "library.so", "-shared")
        keep(work / "library.so", target)
