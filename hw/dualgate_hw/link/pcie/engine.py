# SPDX-License-Identifier: BSD-2-Clause

"""An engine behind a BAR, and both behind the PCIe block of an UltraScale+."""

from amaranth import Module, ResetInserter, unsigned
from amaranth.hdl import ShapeLike
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.link.bar import constants
from dualgate.link.identity import Identity

from ..word_packer import WordPacker
from .bar import BarTarget
from .types import DWORD, WRITE, WRITE_DATA, completion, read
from .ultrascale_receiver import RequestReceiver
from .ultrascale_sender import CompletionSender
from .ultrascale_types import CC, CONTEXT, CQ, RC, RQ
from .window import Window

QUEUE_WORDS = 4096
"""Default size of each queue of the window, in words."""


class PcieEngine(wiring.Component):
    """An engine whose commands and responses pass through the window of a BAR.

    Parameters
    ----------
    engine : wiring.Component
        Component with the streams `command` (in, words or beats of several words) and `response`
        (out, words).
    context : ShapeLike
        Data that completions carry, see `types.read`.
    identity : Identity
        Identity that the device reports.
    command_depth : int
        Words of the window's queue of commands.
    response_depth : int
        Words of the window's queue of responses.

    Members
    -------
    `write` : In(stream of WRITE)
        Headers of writes.
    `write_data` : In(stream of WRITE_DATA)
        Words of writes.
    `read` : In(stream of read(context))
        Headers of reads.
    `room` : In(1)
        All completions of one read can be taken without a stall.
    `completion` : Out(stream of completion(context))
        Headers of completions.
    `read_data` : Out(stream of DWORD)
        Words of completions.
    """

    def __init__(
        self,
        engine: wiring.Component,
        context: ShapeLike,
        identity: Identity,
        command_depth: int = QUEUE_WORDS,
        response_depth: int = QUEUE_WORDS,
    ) -> None:
        self.engine = engine
        beat = len(engine.command.payload) // DWORD.width
        self.packer = WordPacker(beat)
        self.window = Window(command_depth, response_depth)
        fixed = constants(identity.words(), command_depth, response_depth, beat)
        self.target = BarTarget(context, fixed)
        super().__init__(
            {
                "write": In(stream.Signature(WRITE)),
                "write_data": In(stream.Signature(WRITE_DATA)),
                "read": In(stream.Signature(read(context))),
                "room": In(1),
                "completion": Out(stream.Signature(completion(context))),
                "read_data": Out(stream.Signature(DWORD)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.target = target = self.target
        m.submodules.window = window = self.window
        # A host that was killed amid a command leaves an engine that waits for the rest of it.
        m.submodules.engine = ResetInserter(target.reset)(self.engine)
        m.submodules.packer = ResetInserter(target.reset)(self.packer)
        wiring.connect(m, window.command, self.packer.word)
        wiring.connect(m, self.packer.beat, self.engine.command)
        wiring.connect(m, self.engine.response, window.response)
        for name in ("write", "write_data", "read", "completion", "read_data"):
            wiring.connect(m, wiring.flipped(getattr(self, name)), getattr(target, name))
        m.d.comb += target.room.eq(self.room)
        for name in ("push", "word", "pop", "reset"):
            m.d.comb += getattr(window, name).eq(getattr(target, name))
        for name in ("head", "free", "waiting", "overrun", "underrun"):
            m.d.comb += getattr(target, name).eq(getattr(window, name))
        return m


class UltraScaleEngine(wiring.Component):
    """An engine on the AXI streams of an UltraScale+ PCIe block, in the block's user clock.

    Reads wait in a queue of their own until there is room for their completions, and writes pass
    them. The component requests further reads from the block while the queue is at most a quarter
    full: the block may have credit for up to 32 more by then, and reacts with a delay.

    Parameters
    ----------
    engine : wiring.Component
        Engine, see `PcieEngine`.
    identity : Identity
        Identity that the device reports.
    command_depth : int
        Words of the window's queue of commands.
    response_depth : int
        Words of the window's queue of responses.

    Members
    -------
    `cq` : In(CQ)
        Completer requests.
    `cc` : Out(CC)
        Completer completions.
    `rq` : Out(RQ)
        Requester requests, of which there are none.
    `rc` : In(RC)
        Requester completions, which are discarded.
    `np_req` : Out(unsigned(2))
        For `pcie_cq_np_req`: the block may give one more non-posted request.
    """

    waiting_reads = 64
    """Size of the queue of reads."""

    def __init__(
        self,
        engine: wiring.Component,
        identity: Identity,
        command_depth: int = QUEUE_WORDS,
        response_depth: int = QUEUE_WORDS,
    ) -> None:
        self.target = PcieEngine(engine, CONTEXT, identity, command_depth, response_depth)
        super().__init__(
            {"cq": In(CQ), "cc": Out(CC), "rq": Out(RQ), "rc": In(RC), "np_req": Out(unsigned(2))}
        )
        self._receiver = RequestReceiver()
        self._sender = CompletionSender()
        self._reads = fifo.SyncFIFOBuffered(width=read(CONTEXT).size, depth=self.waiting_reads)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.target = target = self.target
        m.submodules.receiver = receiver = self._receiver
        m.submodules.sender = sender = self._sender
        m.submodules.reads = reads = self._reads
        wiring.connect(m, wiring.flipped(self.cq), receiver.cq)
        wiring.connect(m, wiring.flipped(self.cc), sender.cc)
        wiring.connect(m, receiver.write, target.write)
        wiring.connect(m, receiver.write_data, target.write_data)
        wiring.connect(m, target.completion, sender.completion)
        wiring.connect(m, target.read_data, sender.read_data)
        m.d.comb += [
            target.room.eq(sender.room),
            reads.w_en.eq(receiver.read.valid),
            reads.w_data.eq(receiver.read.payload),
            receiver.read.ready.eq(reads.w_rdy),
            target.read.valid.eq(reads.r_rdy),
            target.read.payload.eq(reads.r_data),
            reads.r_en.eq(target.read.ready),
            self.np_req.eq(reads.level <= self.waiting_reads // 4),
            self.rc.tready.eq(1),
        ]
        return m
