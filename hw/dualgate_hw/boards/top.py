# SPDX-License-Identifier: BSD-2-Clause

"""A board's top level: clock, reset, UART, LEDs, and the engine behind its link."""

from typing import Any

from amaranth import Const, Module, Signal
from amaranth.hdl import Value
from amaranth.lib import io, wiring

from dualgate.contract.engine import EngineParameters
from dualgate.link.identity import Identity

from ..link.serial.engine import SerialEngine, UartPort
from ..link.serial.uart import divisor_for
from .board import Board, Pin

LED_S = 0.05
"""Seconds for which a byte on the line lights its LED."""


class BoardTop(wiring.Component):
    """The whole contents of a bitstream. It has no ports: its pins are the platform's resources.

    Parameters
    ----------
    board : Board
    engine : EngineParameters
    build : bytes (32,)
        Hash in the identity that the device states when a session begins.

    Raises
    ------
    ValueError
        When the board's clock cannot be divided to its baud rate.
    """

    def __init__(self, board: Board, engine: EngineParameters, build: bytes) -> None:
        assert board.link is not None, "a board without a line has no top level"
        self.board = board
        words = Identity(engine, build).words()
        self.engine = SerialEngine(engine, words, board.link, board.depths)
        self.uart = UartPort(self.engine, divisor_for(board.clock.mhz * 1e6, board.baud))
        self._resources: dict[tuple[str, int], Any] = {}
        super().__init__({})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        board = self.board
        reset = Const(0) if board.reset is None else self._input(m, platform, board.reset)
        board.clock.create(m, platform, reset)
        m.submodules.uart = self.uart
        name, number = board.uart[:2]
        m.d.comb += self.uart.rx.eq(self._input(m, platform, (name, number, "rx")))
        self._output(m, platform, (name, number, "tx"), self.uart.tx)
        for pin in board.high:
            self._output(m, platform, pin, Const(1))
        self._leds(m, platform)
        return m

    def _leds(self, m: Module, platform: object) -> None:
        hertz = int(self.board.clock.mhz * 1e6)
        blink = Signal(range(hertz))
        shown = Signal(range(int(hertz * LED_S) + 1))
        m.d.sync += blink.eq(blink + 1)
        with m.If(~self.uart.rx | ~self.uart.tx):
            m.d.sync += shown.eq(int(hertz * LED_S))
        with m.Elif(shown != 0):
            m.d.sync += shown.eq(shown - 1)
        training = Signal()
        m.d.sync += training.eq(self.engine.engine.working)
        leds = self.board.leds
        for pin, light in (
            (leds.alive, blink[-1]),
            (leds.link, shown != 0),
            (leds.training, training),
        ):
            if pin is not None:
                self._output(m, platform, pin, light)

    def _request(self, platform: object, pin: Pin) -> io.PortLike:
        """Return a pin's port; a resource is requested once, even if several parts are used."""
        name, number, *part = pin
        if (name, number) not in self._resources:
            request = platform.request  # type: ignore[attr-defined]
            self._resources[name, number] = request(name, number, dir="-")
        resource = self._resources[name, number]
        return getattr(resource, part[0]) if part else resource

    def _input(self, m: Module, platform: object, pin: Pin) -> Value:
        buffer = io.Buffer("i", self._request(platform, pin))
        m.submodules += buffer
        return buffer.i

    def _output(self, m: Module, platform: object, pin: Pin, value: Value) -> None:
        buffer = io.Buffer("o", self._request(platform, pin))
        m.submodules += buffer
        m.d.comb += buffer.o.eq(value)
