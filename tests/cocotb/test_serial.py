# SPDX-License-Identifier: BSD-2-Clause

"""A board as Verilog, in cocotb: over its two pins, with another's UART."""

from pathlib import Path

import runs
from conversations import ENGINES

from dualgate.link.identity import Identity
from dualgate_hw.link.serial.engine import SerialEngine, UartPort
from dualgate_hw.link.serial.line import LinkParameters
from dualgate_hw.link.serial.uart import divisor_for

ENGINE = "plain"
CLOCK_HZ = 48_000_000
BAUD = 12_000_000
"""The highest rate, at the slowest clock for it."""


def test_a_conversation_over_the_pins_has_the_golden_bits(tmp_path: Path) -> None:
    engine = ENGINES[ENGINE]
    link = LinkParameters(receive_words=256, send_words=128)
    board = SerialEngine(engine, Identity(engine, bytes(32)).words(), link)
    design = UartPort(board, divisor_for(CLOCK_HZ, BAUD))
    picoseconds = ("1ps", "1ps")
    runner = runs.build(design, "board", tmp_path, timescale=picoseconds)
    plusargs = (f"+engine={ENGINE}", f"+clock={CLOCK_HZ}", f"+baud={BAUD}")
    runs.run(runner, "board", "serial_bench", tmp_path, plusargs=plusargs, timescale=picoseconds)
