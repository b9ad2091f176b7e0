# SPDX-License-Identifier: BSD-2-Clause

"""cocotb bench: bytes over the pins of a board, by a UART that is not ours."""

import logging
import random
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, Timer
from cocotbext.uart import UartSink, UartSource
from conversations import ENGINES, NETWORKS, conversation

from dualgate.link.endpoint import HostEnd
from dualgate.link.frame import DELIMITER, WORD_BYTES, Deframer, Frame, Kind
from dualgate.link.identity import accept

STEP_US = 20


class Pins:
    """Both ends of a host's UART, and frames on it.

    Parameters
    ----------
    baud : int
    """

    def __init__(self, dut: Any, baud: int) -> None:
        self._source = UartSource(dut.rx, baud=baud)
        self._sink = UartSink(dut.tx, baud=baud)
        for part in (self._source, self._sink):
            part.log.setLevel(logging.WARNING)
        self._deframer = Deframer()

    def send(self, data: bytes) -> None:
        self._source.write_nowait(data)

    async def frames(self) -> list[Frame]:
        """Frames that arrived in the next microseconds."""
        await Timer(STEP_US, unit="us")
        return self._deframer.feed(bytes(self._sink.read_nowait()))


async def start(dut: Any, clock_hz: int) -> None:
    dut.rx.value = 1
    cocotb.start_soon(Clock(dut.clk, round(1e12 / clock_hz / 2) * 2, unit="ps").start())
    dut.rst.value = 1
    await ClockCycles(dut.clk, 3)
    dut.rst.value = 0


async def welcome(pins: Pins, session: int) -> Frame:
    pins.send(DELIMITER + Frame(Kind.HELLO, 0, session, credit=9999).encode())
    for _ in range(100):
        for frame in await pins.frames():
            if frame.kind == Kind.WELCOME:
                return frame
    raise AssertionError("no WELCOME")


def words(payload: bytes) -> list[int]:
    return [
        int.from_bytes(payload[at : at + WORD_BYTES], "little")
        for at in range(0, len(payload), WORD_BYTES)
    ]


@cocotb.test()
async def a_conversation_over_the_pins(dut: Any) -> None:
    """Handshake, then weights, training and reading back, all bits as the golden model has them."""
    engine = ENGINES[cocotb.plusargs["engine"]]
    await start(dut, int(cocotb.plusargs["clock"]))
    pins = Pins(dut, int(cocotb.plusargs["baud"]))
    pins.send(random.Random(1).randbytes(50))
    greeting = await welcome(pins, 0x1234)
    assert accept(words(greeting.payload)).engine == engine
    exchanges = conversation(engine, NETWORKS[0], 5)
    end = HostEnd(0x1234, 0, greeting.credit)
    end.push(b"".join(word.to_bytes(4, "little") for e in exchanges for word in e.command))
    expected = [word for exchange in exchanges for word in exchange.response]
    for step in range(20_000):
        now = step * STEP_US * 1e-6
        pins.send(b"".join(frame.encode() for frame in end.output(now)))
        for frame in await pins.frames():
            end.on_frame(frame, now)
        end.on_time(now)
        if len(end.received) >= WORD_BYTES * len(expected):
            break
    got = words(bytes(end.received))
    assert len(got) == len(expected)
    assert all(want in (None, have) for want, have in zip(expected, got, strict=True))
    assert end.retries == 0
