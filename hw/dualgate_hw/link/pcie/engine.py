# SPDX-License-Identifier: BSD-2-Clause

"""An engine behind a BAR, and both behind an UltraScale+ block."""

from amaranth import Module, ResetInserter, unsigned
from amaranth.hdl import ShapeLike
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.link.bar import constants
from dualgate.link.identity import Identity

from ..word_packer import WordPacker
from .bar import BarTarget
from .types import DWORD, WRITE, WRITE_DATA, completion, read
from .ultrascale import Receiver, Sender
from .ultrascale_types import CC, CONTEXT, CQ, RC, RQ
from .window import Window

QUEUE_WORDS = 4096
"""Words of each of the window's queues, unless told otherwise."""


class PcieEngine(wiring.Component):
    """An engine whose commands and responses pass through the window of a BAR.

    Parameters
    ----------
    engine : wiring.Component
        Anything with the streams `command` (in, words or beats of several) and `response` (out,
        words).
    context : ShapeLike
        See `pcie_types.read`.
    identity : Identity
        What the device says of itself.
    command_depth, response_depth : int
        Words of the window's queues.

    Members
    -------
    write, write_data, read, room, completion, read_data : as of `BarTarget`
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

    Reads wait in a queue of their own for room for their completions, and writes pass them. The
    block is asked for further reads while the queue is at most a quarter full: it may have leave
    for up to 32 more by then, and takes a while to notice.

    Parameters
    ----------
    engine, identity, command_depth, response_depth
        See `PcieEngine`.

    Members
    -------
    cq, cc : completer streams
    rq, rc : requester streams, unused: nothing is requested, and what comes is dropped
    np_req : for `pcie_cq_np_req`; whether the block may hand over one more non-posted request
    """

    waiting_reads = 64

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

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.target = target = self.target
        m.submodules.receiver = receiver = Receiver()
        m.submodules.sender = sender = Sender()
        layout = read(CONTEXT)
        m.submodules.reads = reads = fifo.SyncFIFOBuffered(
            width=layout.size, depth=self.waiting_reads
        )
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
