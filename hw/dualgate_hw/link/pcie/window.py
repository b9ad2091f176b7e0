# SPDX-License-Identifier: BSD-2-Clause

"""The window: two queues between the host's accesses and the streams of the engine."""

from amaranth import Module, Mux, ResetInserter, unsigned
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.link.bar import LEVEL_BITS

from .types import DWORD


class Window(wiring.Component):
    """Queues of command and response words that never make the host wait.

    A command word is dropped if its queue is full, and a response word read from an empty queue is
    zero; a flag reports either. Neither happens to a host that reads the levels first: room and
    words that the host has seen remain until it uses them.

    Parameters
    ----------
    command_depth : int
        Words of the queue of commands, at least 3 and below 2**16.
    response_depth : int
        Words of the queue of responses, at least 3 and below 2**16.

    Members
    -------
    `push` : In(1)
        Appends a command word.
    `word` : In(DWORD)
        That word.
    `pop` : In(1)
        Removes a response word.
    `head` : Out(DWORD)
        The next response word, or zero if there is none.
    `free` : Out(unsigned(LEVEL_BITS))
        Number of command words that can be pushed.
    `waiting` : Out(unsigned(LEVEL_BITS))
        Number of response words that can be popped.
    `overrun` : Out(1)
        A word is pushed into a full queue in this cycle.
    `underrun` : Out(1)
        A word is popped from an empty queue in this cycle.
    `reset` : In(1)
        Empties both queues.
    `command` : Out(stream of DWORD)
        Words of commands.
    `response` : In(stream of DWORD)
        Words of responses.

    Attributes
    ----------
    commands, responses : SyncFIFOBuffered
        The queues.

    Raises
    ------
    ValueError
        If a depth is out of range.
    """

    def __init__(self, command_depth: int, response_depth: int) -> None:
        for depth in (command_depth, response_depth):
            if not 3 <= depth < 1 << LEVEL_BITS:
                raise ValueError(f"a queue of {depth} words: give from 3 to {2**LEVEL_BITS - 1}")
        self.commands = fifo.SyncFIFOBuffered(width=DWORD.width, depth=command_depth)
        self.responses = fifo.SyncFIFOBuffered(width=DWORD.width, depth=response_depth)
        super().__init__(
            {
                "push": In(1),
                "word": In(DWORD),
                "pop": In(1),
                "head": Out(DWORD),
                "free": Out(unsigned(LEVEL_BITS)),
                "waiting": Out(unsigned(LEVEL_BITS)),
                "overrun": Out(1),
                "underrun": Out(1),
                "reset": In(1),
                "command": Out(stream.Signature(DWORD)),
                "response": In(stream.Signature(DWORD)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        commands, responses = self.commands, self.responses
        m.submodules.commands = ResetInserter(self.reset)(commands)
        m.submodules.responses = ResetInserter(self.reset)(responses)
        m.d.comb += [
            commands.w_en.eq(self.push),
            commands.w_data.eq(self.word),
            self.free.eq(commands.depth - commands.level),
            self.overrun.eq(self.push & ~commands.w_rdy),
            self.command.valid.eq(commands.r_rdy),
            self.command.payload.eq(commands.r_data),
            commands.r_en.eq(self.command.ready),
            responses.w_en.eq(self.response.valid),
            responses.w_data.eq(self.response.payload),
            self.response.ready.eq(responses.w_rdy),
            self.head.eq(Mux(responses.r_rdy, responses.r_data, 0)),
            responses.r_en.eq(self.pop),
            # No word counts until the first one is at the output, where it can be popped.
            self.waiting.eq(Mux(responses.r_rdy, responses.level, 0)),
            self.underrun.eq(self.pop & ~responses.r_rdy),
        ]
        return m
