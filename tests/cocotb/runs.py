# SPDX-License-Identifier: BSD-2-Clause

"""Compiling a design with Verilator for cocotb, and running the tests of a bench on it."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import cocotb_tools.config
import pytest
from amaranth.lib import wiring
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner

from dualgate.data.directories import cache_directory
from dualgate_hw.common.verilog import to_verilog
from dualgate_hw.identity import build_identity
from dualgate_sim.rtl import cxx
from dualgate_sim.rtl.cache import absent, keep

HERE = Path(__file__).parent

PORTS = '`verilator_config\npublic_flat_rw -module "{top}" -port "*"\n'
"""Benches see a design's ports. With every signal visible, as cocotb's own runner has it, Verilator
could not optimise."""

RUNTIME = ("verilated", "verilated_threads", "verilated_vpi", "verilated_dpi")


def build(
    design: Callable[[], wiring.Component],
    top: str,
    *parameters: object,
    files: Sequence[Path] = (),
    timescale: str | None = None,
) -> Path:
    """Compile a design as module `top`, unless that was done before.

    Parameters
    ----------
    design : callable
        Makes the component.
    top : str
    parameters : objects
        Their `repr` says all that the design depends on beside its sources.
    files : sequence of Path
        Sources of the design outside the gateware's folders.
    timescale : str, optional
        Unit and precision of time, such as ``1ps/1ps``.

    Returns
    -------
    Directory of the program, named `top`.
    """
    own = (Path(__file__), Path(cxx.__file__))
    tools = (version("verilator"), version("cocotb"), str(cocotb_tools.config.libs_dir))
    identity = build_identity(top, parameters, timescale, tools, files=(*own, *files))
    program = cache_directory() / f"cocotb-{identity.hex()[:16]}" / top
    with absent(program) as needed:
        if needed:
            _compile(design, top, timescale, program)
    return program.parent


def _compile(
    design: Callable[[], wiring.Component], top: str, timescale: str | None, program: Path
) -> None:
    tools = cxx.Toolchain.find()
    with tempfile.TemporaryDirectory(prefix="dualgate-") as name:
        work = Path(name)
        (work / "ports.vlt").write_text(PORTS.format(top=top))
        (work / f"{top}.sv").write_text(to_verilog(design(), top))
        flags = ["--vpi", "--prefix", "Vtop"] + (["--timescale", timescale] if timescale else [])
        model = tools.verilate([work / "ports.vlt", work / f"{top}.sv"], top, work, *flags)
        main = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
        objects = tools.compile([*model, main], work, "-DVM_TRACE=0")
        libraries = cocotb_tools.config.libs_dir
        links = (f"-Wl,-rpath,{libraries}", f"-L{libraries}", "-lcocotbvpi_verilator")
        tools.link([*objects, *tools.runtime(*RUNTIME)], work / top, *links)
        keep(work / top, program)


def run(
    program: Path,
    top: str,
    module: str,
    directory: Path,
    tests: str | None = None,
    count: int = 1,
    plusargs: tuple[str, ...] = (),
) -> None:
    """Run the `count` tests of a bench that the pattern `tests` finds; fails with their report.

    Parameters
    ----------
    program : Path
        Directory from `build`.
    top, module : str
        Names of the design and of the bench.
    directory : Path
        For report and log.
    tests : str, optional
        Regular expression; all tests without one.
    count : int
    plusargs : tuple of str
    """
    report, log = directory / "results.xml", directory / "simulation.log"
    # The runner leaves by SystemExit where a test failed; its report says more.
    with contextlib.suppress(SystemExit):
        get_runner("verilator").test(
            hdl_toplevel=top,
            hdl_toplevel_lang="verilog",
            test_module=module,
            test_filter=tests,
            build_dir=program,
            test_dir=directory,
            plusargs=list(plusargs),
            results_xml=str(report),
            log_file=log,
            extra_env={"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])},
        )
    tail = "\n".join(log.read_text().splitlines()[-40:])
    if not report.exists():
        pytest.fail(f"the simulation ended without a report:\n{tail}")
    ran, failed = get_results(report)
    if failed:
        pytest.fail(f"{tests or module}:\n{tail}")
    assert ran == count
