# SPDX-License-Identifier: BSD-2-Clause

"""The window: two queues between accesses of the host and the streams of the engine."""

from amaranth import Module, Mux, ResetInserter, unsigned
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.link.bar import LEVEL_BITS

from .types import DWORD


class Window(wiring.Component):
    """Queues of command and response words that never make the host wait.

    A command word that finds its queue full is dropped, a response word read from an empty queue
    is zero; a flag tells of either. A host that looks at the levels first meets neither: what it
    saw free or waiting stays so until it uses it.

    Parameters
    ----------
    command_depth, response_depth : int
        Words that each queue holds, at least 3 and below 2**16.

    Members
    -------
    push, word : append a command word
    pop, head : remove a response word; `head` is that word, or zero
    free : command words that can be pushed now
    waiting : response words that can be popped now
    overrun, underrun : a word was pushed too many, popped too many, in this cycle
    reset : empty both queues
    command : stream out
    response : stream in
    """

    def __init__(self, command_depth: int, response_depth: int) -> None:
        for depth in (command_depth, response_depth):
            if not 3 <= depth < 1 << LEVEL_BITS:
                raise ValueError(f"a queue of {depth} words: give from 3 to {2**LEVEL_BITS - 1}")
        # Here, so that a proof can look at them.
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
            # A word that is not at the queue's output yet cannot be popped: none counts before.
            self.waiting.eq(Mux(responses.r_rdy, responses.level, 0)),
            self.underrun.eq(self.pop & ~responses.r_rdy),
        ]
        return m
