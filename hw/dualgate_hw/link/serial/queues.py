# SPDX-License-Identifier: BSD-2-Clause

"""The two memories of a link, addressed by positions in the streams of words that pass them.

A position counts words since the session began, modulo 2**16; its low bits are the address.
"""

from amaranth import Module, Mux, Signal, unsigned
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.link.frame import POSITION_BITS

POSITION = unsigned(POSITION_BITS)
WORD = unsigned(32)


def check_depth(depth: int) -> None:
    """Raise `ValueError` unless positions tell all words of such a memory apart."""
    if not 16 <= depth <= 1 << POSITION_BITS - 1 or depth & (depth - 1):
        raise ValueError(
            f"a queue of {depth} words: give a power of two from 16 to {1 << POSITION_BITS - 1}"
        )


class ReceiveQueue(wiring.Component):
    """Words of a frame wait behind those that count until the frame turns out to be good.

    Parameters
    ----------
    depth : int
        Words, a power of two.

    Members
    -------
    append, word : a word of the frame that is coming in
    overflow : a word of it found no room; it must not be accepted
    accept, drop : the frame's words count from now on, or are forgotten; not along with `append`
    expected : position of the next frame's first word
    credit : words that can still come
    words : stream out; two cycles after `accept`, then a word a cycle
    """

    def __init__(self, depth: int) -> None:
        check_depth(depth)
        self.depth = depth
        super().__init__(
            {
                "append": In(1),
                "word": In(WORD),
                "overflow": Out(1),
                "accept": In(1),
                "drop": In(1),
                "expected": Out(POSITION),
                "credit": Out(POSITION, init=depth),
                "words": Out(stream.Signature(WORD)),
            }
        )
        self.coming = Signal(range(depth + 1))
        self.fetched = Signal(POSITION)
        self.loaded = Signal()

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.store = store = memory.Memory(shape=WORD, depth=self.depth, init=[])
        write, read = store.write_port(), store.read_port()
        fetch = Signal()
        m.d.comb += [
            write.addr.eq(self.expected + self.coming),
            write.data.eq(self.word),
            write.en.eq(self.append & (self.coming != self.credit)),
            fetch.eq((self.credit != self.depth) & (self.words.ready | ~self.loaded)),
            read.addr.eq(self.fetched),
            read.en.eq(fetch),
            self.words.valid.eq(self.loaded),
            self.words.payload.eq(read.data),
        ]
        m.d.sync += [
            self.credit.eq(self.credit + fetch - Mux(self.accept, self.coming, 0)),
            self.fetched.eq(self.fetched + fetch),
            self.loaded.eq(fetch | (self.loaded & ~self.words.ready)),
        ]
        with m.If(self.accept | self.drop):
            m.d.sync += [self.coming.eq(0), self.overflow.eq(0)]
        with m.If(self.accept):
            m.d.sync += self.expected.eq(self.expected + self.coming)
        with m.If(write.en):
            m.d.sync += self.coming.eq(self.coming + 1)
        with m.Elif(self.append):
            m.d.sync += self.overflow.eq(1)
        return m


class SendQueue(wiring.Component):
    """Words stay until the other side has acknowledged them, so that they can be sent again.

    Parameters
    ----------
    depth : int
        Words, a power of two.

    Members
    -------
    words : stream in; takes a word again two cycles after one was acknowledged
    acknowledge, position : forget words before a position; one that was not written is ignored
    written : position of the next word to come
    acknowledged : position of the oldest word kept
    kept : how many words are
    read, word : a kept word by its position, a cycle later
    """

    def __init__(self, depth: int) -> None:
        check_depth(depth)
        self.depth = depth
        super().__init__(
            {
                "words": In(stream.Signature(WORD)),
                "acknowledge": In(1),
                "position": In(POSITION),
                "written": Out(POSITION),
                "acknowledged": Out(POSITION),
                "kept": Out(POSITION),
                "read": In(POSITION),
                "word": Out(WORD),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.store = store = memory.Memory(shape=WORD, depth=self.depth, init=[])
        write, read = store.write_port(), store.read_port()
        arrived = Signal(POSITION)
        roomy = Signal(init=1)
        m.d.comb += [
            self.kept.eq(self.written - self.acknowledged),
            arrived.eq(self.position - self.acknowledged),
            self.words.ready.eq(roomy),
            write.en.eq(self.words.valid & self.words.ready),
            write.addr.eq(self.written),
            write.data.eq(self.words.payload),
            read.addr.eq(self.read),
            self.word.eq(read.data),
        ]
        # Without what is acknowledged meanwhile: who writes does not wait for the subtraction.
        full, almost = self.kept == self.depth, self.kept == self.depth - 1
        m.d.sync += [
            self.written.eq(self.written + write.en),
            roomy.eq(~full & ~(almost & write.en)),
        ]
        with m.If(self.acknowledge & (arrived <= self.kept)):
            m.d.sync += self.acknowledged.eq(self.position)
        return m
