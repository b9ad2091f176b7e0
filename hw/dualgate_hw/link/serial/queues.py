# SPDX-License-Identifier: BSD-2-Clause

"""The queues of a link, in memories addressed by positions in the streams of words.

A position is the number of words since the session began, modulo 2**16; its low bits are the
address.
"""

from amaranth import Module, Mux, Signal, unsigned
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.link.frame import POSITION_BITS

POSITION = unsigned(POSITION_BITS)
WORD = unsigned(32)


def check_depth(depth: int) -> None:
    """Raise `ValueError` unless `depth` is a valid number of words for a queue."""
    if not 16 <= depth <= 1 << POSITION_BITS - 1 or depth & (depth - 1):
        raise ValueError(
            f"a queue of {depth} words: give a power of two from 16 to {1 << POSITION_BITS - 1}"
        )


class ReceiveQueue(wiring.Component):
    """A queue of received words, in which the words of a frame wait until the frame is accepted.

    The first word of an accepted frame leaves two cycles after `accept`, at the earliest; the
    others follow at one word per cycle.

    Parameters
    ----------
    depth : int
        Words of the queue, a power of two.

    Members
    -------
    `append` : In(1)
        Appends a word of the frame that is being received.
    `word` : In(WORD)
        That word.
    `overflow` : Out(1)
        A word of the frame found no room, so the frame must not be accepted.
    `accept` : In(1)
        Accepts the words of the frame; never high together with `append`.
    `drop` : In(1)
        Discards the words of the frame; never high together with `append`.
    `expected` : Out(POSITION)
        Position of the first word of the next frame.
    `credit` : Out(POSITION)
        Number of further words that the queue has room for.
    `words` : Out(stream of WORD)
        Accepted words.

    Attributes
    ----------
    coming : Signal
        Number of words of the frame that is being received.
    fetched : Signal
        Position of the next word to read from the memory.
    loaded : Signal
        The output holds a word.
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
        self._store = memory.Memory(shape=WORD, depth=depth, init=[])

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.store = self._store
        write, read = self._store.write_port(), self._store.read_port()
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
    """A queue of words to send, which keeps them until the host has acknowledged them.

    So a word can be sent again. A full queue takes a word again two cycles after one was
    acknowledged.

    Parameters
    ----------
    depth : int
        Words of the queue, a power of two.

    Members
    -------
    `words` : In(stream of WORD)
        Words to send.
    `acknowledge` : In(1)
        Discards the words before `position`.
    `position` : In(POSITION)
        Acknowledged position; a position that was not written yet is ignored.
    `written` : Out(POSITION)
        Position of the next word to be written.
    `acknowledged` : Out(POSITION)
        Position of the oldest word in the queue.
    `kept` : Out(POSITION)
        Number of words in the queue.
    `read` : In(POSITION)
        Position of a word to read.
    `word` : Out(WORD)
        That word, a cycle later.
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
        self._store = memory.Memory(shape=WORD, depth=depth, init=[])

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.store = self._store
        write, read = self._store.write_port(), self._store.read_port()
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
        # Acknowledgements of this cycle do not count, so that `ready` does not depend on them.
        full, almost = self.kept == self.depth, self.kept == self.depth - 1
        m.d.sync += [
            self.written.eq(self.written + write.en),
            roomy.eq(~full & ~(almost & write.en)),
        ]
        with m.If(self.acknowledge & (arrived <= self.kept)):
            m.d.sync += self.acknowledged.eq(self.position)
        return m
