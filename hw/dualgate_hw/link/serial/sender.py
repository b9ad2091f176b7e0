# SPDX-License-Identifier: BSD-2-Clause

"""The frame sender: header, payload and CRC of a frame become bytes for the line."""

from amaranth import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from dualgate.link.frame import WORD_BYTES

from .cobs import CobsEncoder
from .queues import POSITION, WORD
from .receiver import HEADER, HEADER_WORDS


class FrameSender(wiring.Component):
    """Sends one frame at a time.

    A word takes six cycles. Four bytes take longer on any line, because a byte is ten bits there.

    Members
    -------
    `start` : In(1)
        Begins a frame; only while `idle`.
    `header` : In(HEADER)
        Header of the frame, valid with `start`.
    `count` : In(POSITION)
        Number of payload words, valid with `start`.
    `idle` : Out(1)
        The encoder has all of the last frame.
    `index` : Out(POSITION)
        Index of the next payload word.
    `word` : In(WORD)
        That word, a cycle later.
    `encoded` : Out(stream of unsigned(8))
        Bytes for the line.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "start": In(1),
                "header": In(HEADER),
                "count": In(POSITION),
                "idle": Out(1),
                "index": Out(POSITION),
                "word": In(WORD),
                "encoded": Out(stream.Signature(8)),
            }
        )
        self._encoder = CobsEncoder()
        self._crc = CRC32_ISO_HDLC(data_width=8).create()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.encoder = encoder = self._encoder
        m.submodules.crc = crc = self._crc
        wiring.connect(m, encoder.encoded, wiring.flipped(self.encoded))
        header = Signal(HEADER_WORDS * 32)
        headers = Signal(range(HEADER_WORDS + 1))
        left = Signal(POSITION)
        shift = Signal(WORD)
        lane = Signal(range(WORD_BYTES))
        closing = Signal()
        taken = Signal()
        m.d.comb += [
            encoder.frame.payload.byte.eq(shift[:8]),
            encoder.frame.payload.last.eq(closing & (lane == WORD_BYTES - 1)),
            taken.eq(encoder.frame.valid & encoder.frame.ready),
            crc.data.eq(shift[:8]),
            crc.valid.eq(taken & ~closing),
        ]
        with m.FSM():
            with m.State("IDLE"):
                m.d.comb += [self.idle.eq(1), crc.start.eq(self.start)]
                m.d.sync += [
                    header.eq(self.header),
                    headers.eq(HEADER_WORDS),
                    left.eq(self.count),
                    self.index.eq(0),
                    closing.eq(0),
                ]
                with m.If(self.start):
                    m.next = "FETCH"
            with m.State("FETCH"):
                # The memory gives the word in the next cycle.
                m.next = "LOAD"
            with m.State("LOAD"):
                m.d.sync += lane.eq(0)
                m.next = "BYTES"
                with m.If(headers != 0):
                    m.d.sync += [
                        shift.eq(header[:32]),
                        header.eq(header[32:]),
                        headers.eq(headers - 1),
                    ]
                with m.Elif(left != 0):
                    m.d.sync += [
                        shift.eq(self.word),
                        left.eq(left - 1),
                        self.index.eq(self.index + 1),
                    ]
                with m.Else():
                    m.d.sync += [shift.eq(crc.crc), closing.eq(1)]
            with m.State("BYTES"):
                m.d.comb += encoder.frame.valid.eq(1)
                with m.If(taken):
                    m.d.sync += [shift.eq(shift >> 8), lane.eq(lane + 1)]
                    with m.If(lane == WORD_BYTES - 1):
                        m.next = "FETCH"
                        with m.If(closing):
                            m.next = "IDLE"
        return m
