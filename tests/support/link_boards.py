# SPDX-License-Identifier: BSD-2-Clause

"""A compiled link with an echo behind it instead of an engine."""

from functools import cache
from pathlib import Path

from amaranth import Cat, Module, ResetInserter, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.engine import EngineParameters
from dualgate.link.identity import Identity
from dualgate_hw.link.serial.line import LINE, LinkParameters
from dualgate_hw.link.serial.link import SerialLink
from dualgate_sim.board.model import build

IDENTITY = Identity(EngineParameters(), bytes(range(32)))
LINK = LinkParameters(receive_words=256, send_words=128, most_words=32, hold_bits=64)


class Echo(wiring.Component):
    """Gateware of `link_lines.EchoEngine`: answers a command with a number and its own payload.

    Members
    -------
    `command` : In(stream of unsigned(32))
        Words of commands.
    `response` : Out(stream of unsigned(32))
        Words of responses.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "command": In(stream.Signature(32)),
                "response": Out(stream.Signature(32)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        left = Signal(16)
        number = Signal(32)
        command, response = self.command, self.response
        moves = response.valid & response.ready
        with m.FSM():
            with m.State("HEADER"):
                # A header of zero is padding of a beat.
                filler = command.payload == 0
                m.d.comb += [
                    response.valid.eq(command.valid & ~filler),
                    response.payload.eq(Cat(command.payload[:16], (command.payload[16:] + 1)[:16])),
                    command.ready.eq(response.ready | filler),
                ]
                m.d.sync += left.eq(command.payload[16:])
                with m.If(moves):
                    m.next = "NUMBER"
            with m.State("NUMBER"):
                m.d.comb += [response.valid.eq(1), response.payload.eq(number)]
                with m.If(moves):
                    m.d.sync += number.eq(number + 1)
                    m.next = "HEADER"
                    with m.If(left != 0):
                        m.next = "PAYLOAD"
            with m.State("PAYLOAD"):
                m.d.comb += [
                    response.valid.eq(command.valid),
                    response.payload.eq(command.payload),
                    command.ready.eq(response.ready),
                ]
                with m.If(moves):
                    m.d.sync += left.eq(left - 1)
                    with m.If(left == 1):
                        m.next = "HEADER"
        return m


class EchoBoard(wiring.Component):
    """A link with an echo behind it, which a new session resets.

    Members
    -------
    `line` : In(LINE)
        Bytes from and to the host.
    """

    def __init__(self) -> None:
        super().__init__({"line": In(LINE)})
        self._link = SerialLink(IDENTITY.words(), LINK)
        self._echo = Echo()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.link = link = self._link
        echo = self._echo
        m.submodules.echo = ResetInserter(link.restart)(echo)
        wiring.connect(m, wiring.flipped(self.line), link.line)
        wiring.connect(m, link.command, echo.command)
        wiring.connect(m, echo.response, link.response)
        return m


@cache
def echo_board() -> Path:
    """Compile the board, once; returns the library."""
    return build(EchoBoard(), "echo", repr(IDENTITY).encode() + Path(__file__).read_bytes())
