# SPDX-License-Identifier: BSD-2-Clause

"""COBS, consistent overhead byte stuffing (Cheshire and Baker, 1999): a zero ends a frame and
occurs nowhere else, so a receiver is in step again at the next one, whatever came before.

A frame is cut after each of its zeros, and after 254 bytes without one. Each block is sent as its
length plus one and its bytes without the zero.
"""

from amaranth import Module, Signal
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

FULL = 0xFF
"""Code of a block that 254 bytes filled, and no zero ended."""

DECODED = data.StructLayout({"byte": 8, "end": 1, "whole": 1})
"""A byte of a frame; or its end, and whether all blocks of it were whole."""

FRAME_BYTE = data.StructLayout({"byte": 8, "last": 1})
"""A byte of a frame, which has at least one."""


class CobsDecoder(wiring.Component):
    """Takes a byte a cycle, and gives at most one in the same cycle. Empty frames are silent.

    Members
    -------
    encoded : stream in, always taken
    decoded : stream out of `DECODED`, always taken
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
                # The zero that ended the block before: known to belong there only now.
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
    """Encodes frames and puts a zero behind each.

    A block's code goes before its bytes but is known only after them, so bytes are written to a
    memory, behind a place left for the code; what lies before that place can leave. A byte a
    cycle, but for one more at each full block and two more at each frame's end.

    Members
    -------
    frame : stream in of `FRAME_BYTE`
    encoded : stream out of bytes
    """

    DEPTH = 512
    """A power of two above two blocks."""

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

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.store = store = memory.Memory(shape=8, depth=self.DEPTH, init=[])
        self._write(m, store.write_port())
        self._read(m, store.read_port())
        return m

    def _write(self, m: Module, write: memory.WritePort) -> None:
        frame = self.frame
        ended = Signal()
        after = self.after
        room = Signal(range(self.DEPTH))
        # Whatever is written, the place behind it is one further on.
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
                # This byte, a code and a delimiter must find room, what was written in the cycle
                # before has taken some, and one place stays empty.
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
