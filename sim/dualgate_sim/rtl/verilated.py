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
from .cxx import Toolchain, shared
from .names import declared

WITHOUT_X = ("--x-initial", "fast")
RUNTIME = ("verilated", "verilated_threads")

TRACING = {
    "fst": ("verilated_fst_c", ("-DVM_TRACE=1", "-DVM_TRACE_FST=1"), ("lz4", "z")),
    "vcd": ("verilated_vcd_c", ("-DVM_TRACE=1",), ()),
}
"""For each format of waveforms: Verilator's writer, macros, and the libraries that it needs."""


def library(
    target: Path,
    component: Callable[[], Any],
    top: str,
    harness: Path,
    what: str,
    trace: str | None = None,
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
        C++; ``VM_TRACE`` is 1 where the model can write waveforms, and ``VM_TRACE_FST`` where that
        is in FST.
    what : str
        For the message that a compilation begins.
    trace : str or None
        Format of the waveforms that the model can write, a key of `TRACING`. Such a library has a
        string ``model_names``, see `names.declared`.

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
    target: Path, component: Callable[[], Any], top: str, harness: Path, trace: str | None
) -> None:
    tools = Toolchain.find()
    writer, macros, needed = TRACING[trace] if trace else (None, ("-DVM_TRACE=0",), ())
    links = [shared(name) for name in needed]
    from dualgate_hw.common.verilog import NAMED, READABLE, WithoutReset, to_verilog

    with workspace() as work:
        made = component()
        if not isinstance(made, str):
            made = to_verilog(WithoutReset(made), top, READABLE if trace else NAMED)
        source = work / f"{top}.sv"
        source.write_text(made)
        sources = [harness]
        if trace:
            sources.append(work / "names.cpp")
            sources[-1].write_text(_constant("model_names", declared(made)))
        flags = [f"--trace-{trace}"] if trace else []
        model = tools.verilate([source], top, work, *WITHOUT_X, *flags)
        objects = tools.compile([*model, *sources], work, *macros)
        runtime = tools.runtime(*RUNTIME, *([writer] if writer else []))
        tools.link([*objects, *runtime], work / "library.so", *links, "-shared")
        keep(work / "library.so", target)


def _constant(name: str, text: str) -> str:
    """Return C++ that defines a string."""
    lines = "".join(f'\n  R"~({line})~" "\\n"' for line in text.splitlines())
    return f'extern "C" const char *const {name} ={lines};\n'
