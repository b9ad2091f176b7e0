# SPDX-License-Identifier: BSD-2-Clause

"""COBS, consistent overhead byte stuffing (Cheshire and Baker, 1999).

A zero ends a frame and occurs nowhere else, so a receiver finds the next frame whatever came
before. The encoder splits a frame into blocks: a block ends after each zero, and after 254 bytes
without one. It sends a block as a code, which is the block's length without the zero plus one, and
the bytes without the zero.
"""

from amaranth import Module, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

FULL = 0xFF
"""Code of a block of 254 bytes that no zero ended."""

DECODED = data.StructLayout({"byte": 8, "end": 1, "whole": 1})
"""A byte of a frame; or its `end`, with the flag `whole` if all its blocks were complete."""

FRAME_BYTE = data.StructLayout({"byte": 8, "last": 1})
"""A byte of a frame, with the flag `last` on the last one; a frame has at least one byte."""


class CobsDecoder(wiring.Component):
    """Decodes frames; an empty frame has no output.

    It takes one byte per cycle, and gives at most one byte in the same cycle.

    Members
    -------
    `encoded` : In(stream of unsigned(8), always ready)
        Bytes of the line.
    `decoded` : Out(stream of DECODED, always ready)
        Bytes and ends of frames.

    Attributes
    ----------
    left : Signal
        Bytes of the current block that are still to come.
    owed : Signal
        A zero follows the current block, unless the frame ends with it.
    begun : Signal
        A frame has begun and not ended.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "encoded": In(stream.Signature(8, always_ready=True)),
                "decoded": Out(stream.Signature(DECODED, always_ready=True)),
            }
        )
        self.left = Signal(8)
        self.owed = Signal()
        self.begun = Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        byte = self.encoded.payload
        out = self.decoded
        with m.If(self.encoded.valid):
            with m.If(byte == 0):
                m.d.comb += [
                    out.valid.eq(self.begun),
                    out.payload.end.eq(1),
                    out.payload.whole.eq(self.left == 0),
                ]
                m.d.sync += [self.left.eq(0), self.owed.eq(0), self.begun.eq(0)]
            with m.Elif(self.left == 0):
                # The zero behind the last block, which only another block shows to be data.
                m.d.comb += out.valid.eq(self.owed)
                m.d.sync += [
                    self.left.eq(byte - 1),
                    self.owed.eq(byte != FULL),
                    self.begun.eq(1),
                ]
            with m.Else():
                m.d.comb += [out.valid.eq(1), out.payload.byte.eq(byte)]
                m.d.sync += self.left.eq(self.left - 1)
        return m


class CobsEncoder(wiring.Component):
    """Encodes frames and appends a zero to each.

    The code of a block precedes its bytes but is known only after them. Bytes are therefore written
    to a memory, behind a place that is reserved for the code; all bytes before that place can
    leave. The encoder takes one byte per cycle; a full block costs one more cycle, and the end of a
    frame two.

    Members
    -------
    `frame` : In(stream of FRAME_BYTE)
        Bytes of frames.
    `encoded` : Out(stream of unsigned(8))
        Bytes for the line.

    Attributes
    ----------
    place, count : Signal
        Place reserved for the code of the current block, and bytes of that block so far.
    after : Signal
        Place behind the last byte written.
    roomy : Signal
        Registered flag: there is room for another byte.
    fetched, loaded : Signal
        Place of the next byte to read, and whether the output holds a byte.
    coding, delimiting : Signal
        A code, or a delimiter, is being written.
    """

    DEPTH = 512
    """Bytes of the memory, a power of two above two blocks."""

    def __init__(self) -> None:
        super().__init__(
            {
                "frame": In(stream.Signature(FRAME_BYTE)),
                "encoded": Out(stream.Signature(8)),
            }
        )
        address = range(self.DEPTH)
        self.place = Signal(address)
        self.count = Signal(8)
        self.after = Signal(address, init=1)
        self.roomy = Signal(init=1)
        self.fetched = Signal(address)
        self.loaded = Signal()
        self.coding = Signal()
        self.delimiting = Signal()
        self._store = memory.Memory(shape=8, depth=self.DEPTH, init=[])

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.store = self._store
        self._write(m, self._store.write_port())
        self._read(m, self._store.read_port())
        return m

    def _write(self, m: Module, write: memory.WritePort) -> None:
        """Write the bytes, codes and delimiters of frames to the memory."""
        frame = self.frame
        ended = Signal()
        after = self.after
        room = Signal(range(self.DEPTH))
        # Every write, be it of a byte, a code or a delimiter, moves the end by one place.
        m.d.sync += [after.eq(after + write.en), self.roomy.eq(room > 4)]
        m.d.comb += [
            room.eq(self.fetched - after),
            write.addr.eq(self.place),
            write.data.eq(self.count + 1),
        ]
        with m.FSM() as fsm:
            m.d.comb += [
                self.coding.eq(fsm.ongoing("CODE")),
                self.delimiting.eq(fsm.ongoing("DELIMITER")),
            ]
            with m.State("BYTES"):
                # There must be room for this byte, a code and a delimiter. The flag does not count
                # a byte written in the cycle before, and one place stays empty: hence 4.
                m.d.comb += frame.ready.eq(self.roomy)
                with m.If(frame.valid & frame.ready):
                    m.d.comb += write.en.eq(1)
                    m.d.sync += ended.eq(frame.payload.last)
                    with m.If(frame.payload.byte == 0):
                        m.d.sync += [self.place.eq(after), self.count.eq(0)]
                        with m.If(frame.payload.last):
                            m.next = "CODE"
                    with m.Else():
                        m.d.comb += [write.addr.eq(after), write.data.eq(frame.payload.byte)]
                        m.d.sync += self.count.eq(self.count + 1)
                        with m.If(frame.payload.last | (self.count == FULL - 2)):
                            m.next = "CODE"
            with m.State("CODE"):
                m.d.comb += write.en.eq(1)
                m.d.sync += [self.place.eq(after), self.count.eq(0)]
                m.next = "BYTES"
                with m.If(ended):
                    m.next = "DELIMITER"
            with m.State("DELIMITER"):
                m.d.comb += [write.en.eq(1), write.data.eq(0)]
                m.d.sync += self.place.eq(after)
                m.next = "BYTES"

    def _read(self, m: Module, read: memory.ReadPort) -> None:
        """Read the bytes that lie before the reserved place."""
        out = self.encoded
        fetch = Signal()
        m.d.comb += [
            fetch.eq((self.fetched != self.place) & (out.ready | ~self.loaded)),
            read.addr.eq(self.fetched),
            read.en.eq(fetch),
            out.valid.eq(self.loaded),
            out.payload.eq(read.data),
        ]
        m.d.sync += [
            self.fetched.eq(self.fetched + fetch),
            self.loaded.eq(fetch | (self.loaded & ~out.ready)),
        ]
