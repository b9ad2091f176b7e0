# SPDX-License-Identifier: BSD-2-Clause

"""The frame receiver: bytes of the line become frames."""

from amaranth import Cat, Module, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.crc.catalog import CRC32_ISO_HDLC
from amaranth.lib.wiring import In, Out

from dualgate.link.frame import HEADER_BYTES, HEADER_FIELDS, WORD_BYTES

from .cobs import CobsDecoder
from .queues import WORD

HEADER = data.StructLayout(dict(HEADER_FIELDS))
HEADER_WORDS = HEADER_BYTES // WORD_BYTES


class FrameReceiver(wiring.Component):
    """Decodes COBS, checks CRC and length, and gives payload words as they arrive.

    The last word of a frame is its CRC. Each word is therefore held until the next one is complete.

    Members
    -------
    `encoded` : In(stream of unsigned(8), always ready)
        Bytes of the line.
    `append` : Out(1)
        A payload word of the current frame is complete.
    `word` : Out(WORD)
        That word.
    `end` : Out(1)
        The frame ends in this cycle.
    `good` : Out(1)
        With `end`: the frame is whole and its CRC correct. Frames that are not good are to be
        ignored.
    `header` : Out(HEADER)
        With `end`: header of the frame.
    `busy` : Out(1)
        A frame has begun and not ended.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "encoded": In(stream.Signature(8, always_ready=True)),
                "append": Out(1),
                "word": Out(WORD),
                "end": Out(1),
                "good": Out(1),
                "header": Out(HEADER),
                "busy": Out(1),
            }
        )
        self._decoder = CobsDecoder()
        self._crc = CRC32_ISO_HDLC(data_width=8).create()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.decoder = decoder = self._decoder
        m.submodules.crc = crc = self._crc
        wiring.connect(m, wiring.flipped(self.encoded), decoder.encoded)
        decoded = decoder.decoded
        byte = Signal()
        lane = Signal(range(WORD_BYTES))
        shift = Signal(8 * (WORD_BYTES - 1))
        complete = Signal(WORD)
        header = Signal(HEADER)
        headers = Signal(range(HEADER_WORDS + 1))
        held = Signal()
        m.d.comb += [
            byte.eq(decoded.valid & ~decoded.payload.end),
            self.end.eq(decoded.valid & decoded.payload.end),
            crc.data.eq(decoded.payload.byte),
            crc.valid.eq(byte),
            crc.start.eq(self.end),
            complete.eq(Cat(shift, decoded.payload.byte)),
            self.good.eq(decoded.payload.whole & crc.match_detected & held & (lane == 0)),
            self.header.eq(header),
            self.busy.eq(decoder.begun),
        ]
        with m.If(byte):
            m.d.sync += [lane.eq(lane + 1), shift.eq(complete[8:])]
            with m.If(lane == WORD_BYTES - 1):
                with m.If(headers != HEADER_WORDS):
                    m.d.sync += [
                        header.eq(Cat(header.as_value()[32:], complete)),
                        headers.eq(headers + 1),
                    ]
                with m.Else():
                    m.d.comb += self.append.eq(held)
                    m.d.sync += [self.word.eq(complete), held.eq(1)]
        with m.If(self.end):
            m.d.sync += [lane.eq(0), headers.eq(0), held.eq(0)]
        return m
