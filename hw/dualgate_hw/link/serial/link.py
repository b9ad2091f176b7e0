# SPDX-License-Identifier: BSD-2-Clause

"""The device's end of a serial link: two numbered streams of words over a line that loses bytes.

docs/reference/protocol.md has the rules. The device has no time-outs: it answers frames that
arrive, and repeats words when the host asks for them. It waits a little before it sends, so that an
acknowledgement and the responses that follow travel in one frame.
"""

from collections.abc import Sequence

from amaranth import Cat, Module, Mux, ResetInserter, Signal
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.link.frame import VERSION, Kind

from .line import LINE, LinkParameters
from .queues import POSITION, WORD, ReceiveQueue, SendQueue
from .receiver import HEADER, FrameReceiver
from .sender import FrameSender


class SerialLink(wiring.Component):
    """The device's end of a link, between the bytes of a line and the words of an engine.

    Parameters
    ----------
    identity : sequence of int
        Payload of WELCOME, see `dualgate.link.identity`.
    parameters : LinkParameters
        Sizes of the link.

    Members
    -------
    `line` : In(LINE)
        Bytes from and to the host.
    `command` : Out(stream of WORD)
        Words of commands.
    `response` : In(stream of WORD)
        Words of responses.
    `restart` : Out(1)
        High for one cycle when a session begins; resets the engine behind the link.
    """

    def __init__(self, identity: Sequence[int], parameters: LinkParameters) -> None:
        self.identity = list(identity)
        self.parameters = parameters
        super().__init__(
            {
                "line": In(LINE),
                "command": Out(stream.Signature(WORD)),
                "response": In(stream.Signature(WORD)),
                "restart": Out(1),
            }
        )
        self.receiver = FrameReceiver()
        self.sender = FrameSender()
        self.incoming = ReceiveQueue(parameters.receive_words)
        self.outgoing = SendQueue(parameters.send_words)
        self._rom = memory.Memory(shape=WORD, depth=len(self.identity), init=self.identity)
        self._session = Signal(HEADER["session"].shape)
        self._mark = Signal(HEADER["mark"].shape)
        self._next_session = Signal.like(self._session)
        self._greet = Signal()
        self._torn = Signal()
        self._polled = Signal()
        self._answer = Signal()
        self._limit = Signal(POSITION)
        self._next = Signal(POSITION)
        self._first = Signal(POSITION)
        self._welcoming = Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.receiver = self.receiver
        m.submodules.sender = self.sender
        m.submodules.incoming = ResetInserter(self.restart)(self.incoming)
        m.submodules.outgoing = ResetInserter(self.restart)(self.outgoing)
        m.d.comb += [
            self.receiver.encoded.valid.eq(self.line.received.valid),
            self.receiver.encoded.payload.eq(self.line.received.payload),
        ]
        wiring.connect(m, self.sender.encoded, wiring.flipped(self.line.sent))
        wiring.connect(m, self.incoming.words, wiring.flipped(self.command))
        wiring.connect(m, wiring.flipped(self.response), self.outgoing.words)
        self._payload(m)
        self._send(m)
        self._receive(m)
        return m

    def _receive(self, m: Module) -> None:
        """Act on a frame that arrived."""
        receiver, incoming, outgoing = self.receiver, self.incoming, self.outgoing
        header = receiver.header
        ours = Signal()
        in_turn = Signal()
        m.d.comb += [
            incoming.append.eq(receiver.append),
            incoming.word.eq(receiver.word),
            incoming.drop.eq(receiver.end & ~incoming.accept),
            outgoing.position.eq(header.acknowledged),
            ours.eq((header.kind == Kind.DATA) | (header.kind == Kind.POLL)),
            in_turn.eq((header.sequence == incoming.expected) & ~incoming.overflow & ~self._torn),
        ]
        with m.If(self.restart):
            # The restart discards the words of a frame in progress, so that frame is incomplete.
            m.d.sync += self._torn.eq(receiver.busy)
        with m.If(receiver.end):
            m.d.sync += self._torn.eq(0)
        with m.If(receiver.end & receiver.good):
            with m.If(header.kind == Kind.HELLO):
                m.d.sync += [
                    self._next_session.eq(header.session),
                    self._mark.eq(header.mark),
                    self._greet.eq(1),
                ]
            with m.Elif(ours & (header.version == VERSION)):
                m.d.sync += self._mark.eq(header.mark)
                with m.If((header.session != self._session) | (self._session == 0)):
                    m.d.sync += self._polled.eq(1)
                with m.Elif(~self.restart):
                    m.d.comb += [
                        incoming.accept.eq(in_turn),
                        outgoing.acknowledge.eq(1),
                    ]
                    m.d.sync += self._limit.eq(header.acknowledged + header.credit)
                    with m.If((incoming.coming != 0) | incoming.overflow | self._torn):
                        m.d.sync += self._answer.eq(1)
                    with m.If(header.kind == Kind.POLL):
                        m.d.sync += self._polled.eq(1)

    def _payload(self, m: Module) -> None:
        """Connect the sources of the words of a frame: identity and queue."""
        sender, outgoing = self.sender, self.outgoing
        m.submodules.identity = self._rom
        read = self._rom.read_port()
        m.d.comb += [
            read.addr.eq(sender.index),
            outgoing.read.eq(self._first + sender.index),
            sender.word.eq(Mux(self._welcoming, read.data, outgoing.word)),
        ]

    def _sendable(self, m: Module) -> Signal:
        """Return the number of words that the next frame can take."""
        outgoing, most = self.outgoing, self.parameters.most_words
        waiting = Signal(POSITION)
        allowed = Signal(POSITION)
        ready = Signal(POSITION)
        count = Signal(POSITION)
        # Two registers: `_next` is constant for longer than that before the sender uses it.
        m.d.sync += [
            count.eq(Mux(ready < most, ready, most)),
            waiting.eq(outgoing.written - self._next),
            allowed.eq(self._limit - self._next),
        ]
        m.d.comb += [
            # The difference wraps if the host took the limit back behind the next position.
            ready.eq(Mux(allowed[-1], 0, Mux(waiting < allowed, waiting, allowed))),
        ]
        return count

    def _due(self, m: Module, count: Signal) -> Signal:
        """Return whether a frame is due: there is something to send, and no more to wait for."""
        incoming, depth = self.incoming, self.parameters.receive_words
        hold = Signal(range(self.parameters.hold_bits + 1))
        # Number of words fetched when the host was told of the room. The initial value is behind by
        # the depth of the queue, so that the first frame tells of all the room.
        told = Signal(POSITION, init=-depth % (1 << POSITION.width))
        roomier = Signal()
        tells = Signal()
        due = Signal()
        # Registered: `told` changes when the sender starts, and the sender is busy then.
        m.d.sync += roomier.eq((incoming.fetched - told)[: POSITION.width] >= depth // 4)
        m.d.comb += [
            tells.eq(self._answer | (count != 0) | roomier),
            due.eq(
                tells
                & (self._session != 0)
                & ((hold == self.parameters.hold_bits) | (count == self.parameters.most_words))
            ),
        ]
        with m.If(self.sender.start):
            m.d.sync += [hold.eq(0), told.eq(incoming.fetched)]
        with m.Elif(~tells):
            m.d.sync += hold.eq(0)
        with m.Elif(self.line.tick & (hold != self.parameters.hold_bits)):
            m.d.sync += hold.eq(hold + 1)
        return due

    def _send(self, m: Module) -> None:
        """Choose the next frame and start the sender."""
        sender, incoming, outgoing = self.sender, self.incoming, self.outgoing
        count = self._sendable(m)
        due = self._due(m, count)
        # A frame that has just come may have an effect that `count` and `behind` do not show yet.
        heard = Signal(3)
        m.d.sync += heard.eq(Cat(self.receiver.end, heard[:-1]))
        ahead, kept = Signal(POSITION), Signal(POSITION)
        behind = Signal()
        m.d.sync += [
            ahead.eq(self._next - outgoing.acknowledged),
            kept.eq(outgoing.kept),
            behind.eq(ahead > kept),
        ]
        m.d.comb += [
            sender.header.kind.eq(Kind.DATA),
            sender.header.mark.eq(self._mark),
            sender.header.session.eq(self._session),
            sender.header.sequence.eq(self._next),
            sender.header.acknowledged.eq(incoming.expected),
            sender.header.credit.eq(incoming.credit),
            sender.header.version.eq(VERSION),
        ]
        with m.FSM():
            with m.State("IDLE"), m.If(sender.idle):
                m.d.sync += self._welcoming.eq(0)
                with m.If(self._greet):
                    m.next = "RESTART"
                with m.Elif(self._polled):
                    m.d.sync += [self._polled.eq(0), self._next.eq(outgoing.acknowledged)]
                    m.next = "ANSWER"
                with m.Elif(behind):
                    m.d.sync += self._next.eq(outgoing.acknowledged)
                    m.next = "SETTLE"
                with m.Elif(due):
                    m.next = "DATA"
            with m.State("SETTLE"):
                m.next = "IDLE"
            with m.State("RESTART"):
                m.d.comb += self.restart.eq(1)
                m.d.sync += [
                    self._session.eq(self._next_session),
                    self._limit.eq(0),
                    self._next.eq(0),
                    self._answer.eq(0),
                    self._polled.eq(0),
                    self._greet.eq(0),
                ]
                m.next = "WELCOME"
            with m.State("WELCOME"):
                m.d.comb += [
                    sender.start.eq(1),
                    sender.header.kind.eq(Kind.WELCOME),
                    sender.count.eq(len(self.identity)),
                ]
                m.d.sync += self._welcoming.eq(1)
                m.next = "IDLE"
            with m.State("ANSWER"):
                m.d.comb += sender.start.eq(1)
                m.next = "IDLE"
            with m.State("DATA"):
                m.d.comb += sender.count.eq(count)
                with m.If(heard == 0):
                    m.d.comb += sender.start.eq(1)
                    m.d.sync += [
                        self._first.eq(self._next),
                        self._next.eq(self._next + count),
                        self._answer.eq(0),
                    ]
                m.next = "IDLE"
