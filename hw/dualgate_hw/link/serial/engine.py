# SPDX-License-Identifier: BSD-2-Clause

"""An engine behind a serial link: bytes in and out, or the two pins of a UART."""

from collections.abc import Sequence

from amaranth import Module, ResetInserter, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.engine import Depths, EngineParameters

from ...engines import make_engine
from ..word_packer import WordPacker
from .link import LINE, LinkParameters, SerialLink
from .uart import BitClock, UartReceiver, UartTransmitter


class SerialEngine(wiring.Component):
    """A link and the engine that it serves. A new session resets the engine.

    Parameters
    ----------
    engine : EngineParameters
    identity : sequence of int
        See `dualgate.link.identity`.
    link : LinkParameters
    depths : Depths
        See `Engine`.

    Members
    -------
    line : `LINE`
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
        # A host that was killed amid a command leaves an engine that waits for the rest of it. Its
        # reset comes a cycle after that of the link's queues, which must hear nothing until then.
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
    """The pins of a UART before something that takes and gives bytes.

    Parameters
    ----------
    inner : component with a `line`
    divisor : int
        See `uart.divisor_for`.

    Members
    -------
    rx, tx : pins, high while idle
    """

    def __init__(self, inner: wiring.Component, divisor: int) -> None:
        self.inner = inner
        self.divisor = divisor
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.inner = self.inner
        m.submodules.receiver = receiver = UartReceiver()
        m.submodules.transmitter = transmitter = UartTransmitter()
        m.submodules.bits = bits = BitClock()
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
