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


LINK = LinkParameters(receive_words=256, send_words=128)


def board() -> UartPort:
    engine = ENGINES[ENGINE]
    board = SerialEngine(engine, Identity(engine, bytes(32)).words(), LINK)
    return UartPort(board, divisor_for(CLOCK_HZ, BAUD))


def test_a_conversation_over_the_pins_has_the_golden_bits(tmp_path: Path) -> None:
    parameters = (ENGINES[ENGINE], LINK, CLOCK_HZ, BAUD)
    program = runs.build(board, "board", *parameters, timescale="1ps/1ps", files=[Path(__file__)])
    plusargs = (f"+engine={ENGINE}", f"+clock={CLOCK_HZ}", f"+baud={BAUD}")
    runs.run(program, "board", "serial_bench", tmp_path, plusargs=plusargs)
