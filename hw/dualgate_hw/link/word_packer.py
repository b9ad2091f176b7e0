# SPDX-License-Identifier: BSD-2-Clause

"""The word packer, between a link that gives words and an engine that takes several at once."""

from amaranth import Cat, Module, Signal, unsigned
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.engine import WORD_BITS

from ..common.shapes import WORD


class WordPacker(wiring.Component):
    """Collects words into beats of several words, the first one in the lowest bits.

    It takes one word per cycle; a beat follows its last word by a cycle.

    Parameters
    ----------
    words : int
        Number of words in a beat, a power of two.

    Members
    -------
    `word` : In(stream of WORD)
        Words to collect.
    `beat` : Out(stream of unsigned(32 * words))
        Beats.
    """

    def __init__(self, words: int) -> None:
        self.words = words
        super().__init__(
            {
                "word": In(stream.Signature(WORD)),
                "beat": Out(stream.Signature(unsigned(WORD_BITS * words))),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        count = Signal(range(self.words))
        full = Signal()
        m.d.comb += [
            self.beat.valid.eq(full),
            self.word.ready.eq(~full | self.beat.ready),
        ]
        with m.If(self.beat.ready):
            m.d.sync += full.eq(0)
        with m.If(self.word.valid & self.word.ready):
            m.d.sync += [
                self.beat.payload.eq(Cat(self.beat.payload, self.word.payload)[WORD_BITS:]),
                count.eq(count + 1),
                full.eq(count == self.words - 1),
            ]
        return m
