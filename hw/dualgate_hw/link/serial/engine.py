# SPDX-License-Identifier: BSD-2-Clause

"""An engine behind a serial link, with a port for bytes or the two pins of a UART."""

from collections.abc import Sequence

from amaranth import Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.engine import Depths, EngineParameters

from ...engines import make_engine
from ..word_packer import WordPacker
from .line import LINE, LinkParameters
from .link import SerialLink
from .uart import BitClock, UartReceiver, UartTransmitter


class SerialEngine(wiring.Component):
    """An engine behind a serial link; a new session resets the engine.

    Parameters
    ----------
    engine : EngineParameters
        Parameters of the engine.
    identity : sequence of int
        Words with which the device identifies itself, see `dualgate.link.identity`.
    link : LinkParameters
        Sizes of the link.
    depths : Depths
        Number of samples and tags in flight, see `Engine`.

    Members
    -------
    `line` : In(LINE)
        Bytes from and to the host.
    """

    def __init__(
        self,
        engine: EngineParameters,
        identity: Sequence[int],
        link: LinkParameters | None = None,
        depths: Depths | None = None,
    ) -> None:
        self.link = SerialLink(identity, link or LinkParameters())
        self.packer = WordPacker(engine.beat)
        self.engine = make_engine(engine, depths)
        super().__init__({"line": In(LINE)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.link = link = self.link
        # A host that was killed amid a command leaves an engine that waits for the rest of it. The
        # engine is reset a cycle after the link's queues; until then the queue must take no words.
        restart = Signal()
        m.d.sync += restart.eq(link.restart)
        m.submodules.packer = ResetInserter(restart)(self.packer)
        m.submodules.engine = ResetInserter(restart)(self.engine)
        wiring.connect(m, wiring.flipped(self.line), link.line)
        wiring.connect(m, link.command, self.packer.word)
        wiring.connect(m, self.packer.beat, self.engine.command)
        m.d.comb += [
            link.response.valid.eq(self.engine.response.valid & ~restart),
            link.response.payload.eq(self.engine.response.payload),
            self.engine.response.ready.eq(link.response.ready),
        ]
        return m


class UartPort(wiring.Component):
    """The pins of a UART in front of a component that takes and gives bytes.

    Parameters
    ----------
    inner : wiring.Component
        Component with a port `line` of the signature `LINE`.
    divisor : int
        Clock cycles of a bit, see `uart.divisor_for`.

    Members
    -------
    `rx` : In(1)
        Serial input, high while idle.
    `tx` : Out(1)
        Serial output, high while idle.
    """

    def __init__(self, inner: wiring.Component, divisor: int) -> None:
        self.inner = inner
        self.divisor = divisor
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1)})
        self._receiver = UartReceiver()
        self._transmitter = UartTransmitter()
        self._bits = BitClock()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.inner = self.inner
        m.submodules.receiver = receiver = self._receiver
        m.submodules.transmitter = transmitter = self._transmitter
        m.submodules.bits = bits = self._bits
        line = self.inner.line
        wiring.connect(m, line.sent, transmitter.bytes)
        m.d.sync += [
            line.received.valid.eq(receiver.bytes.valid),
            line.received.payload.eq(receiver.bytes.payload),
        ]
        m.d.comb += [
            *(part.divisor.eq(self.divisor) for part in (receiver, transmitter, bits)),
            receiver.pin.eq(self.rx),
            self.tx.eq(transmitter.pin),
            line.tick.eq(bits.tick),
        ]
        return m
