# SPDX-License-Identifier: BSD-2-Clause

"""The command that the decoder executes: its header, its payload and its response."""

from amaranth import Cat, Module, Signal
from amaranth.hdl import Value, ValueLike
from amaranth.lib import wiring

from ...common.shapes import INDEX


class Conversation:
    """Registers of the command in progress, and access to the two streams of words.

    Its methods add statements to the current state of a finite state machine.

    Parameters
    ----------
    command : interface of a stream of WORD
        Words of commands.
    response : interface of a stream of WORD
        Words of responses.

    Attributes
    ----------
    op, status : Signal
        Operation of the command, and the status that its response reports.
    count : Signal
        Number of words of the payload.
    position : Signal
        Number of words taken; reports use the register to count words of the response.
    ended : Signal
        Whether the payload was taken to its end.
    """

    def __init__(self, command: wiring.PureInterface, response: wiring.PureInterface) -> None:
        self.command = command
        self.response = response
        self.op = Signal(8)
        self.count = Signal(INDEX)
        self.position = Signal(INDEX)
        self.ended = Signal()
        self.status = Signal(8)

    def take(self, m: Module) -> Value:
        """Take a payload word; returns a flag that is high in the cycle in which it is there."""
        m.d.comb += self.command.ready.eq(1)
        with m.If(self.command.valid):
            following = self.position + 1
            m.d.sync += [self.position.eq(following), self.ended.eq(following == self.count)]
        return self.command.valid

    def respond(self, m: Module, word: ValueLike) -> None:
        """Offer a word of the response."""
        m.d.comb += [self.response.valid.eq(1), self.response.payload.eq(word)]

    def respond_header(self, m: Module, count: Value) -> None:
        """Offer the header of a response with a payload of `count` words."""
        self.respond(m, Cat(self.op, self.status, count))
