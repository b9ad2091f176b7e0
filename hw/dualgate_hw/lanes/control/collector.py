# SPDX-License-Identifier: BSD-2-Clause

"""The collector: responses of the cores and the decoder go to the engine's response stream."""

from amaranth import Array, Cat, Module, Mux, Signal
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from ...common.shapes import INDEX, WORD, Shapes

RESPONSE_WORDS = 32
"""Words that a core can answer before its turn, where there are several cores."""


class Collector(wiring.Component):
    """Collects whole responses, from the cores in the rotation in which they got the samples.

    The decoder answers only when no sample is in flight, so a response of a core always goes first.

    Parameters
    ----------
    shapes : Shapes
        Shapes of the engine.

    Members
    -------
    `cores` : In(stream of WORD).array(cores)
        Responses of each core.
    `decoder` : In(stream of WORD)
        Responses of the decoder.
    `response` : Out(stream of WORD)
        All responses, in the order of the commands.
    `waiting` : Out(1)
        High while the collector holds words of a core; the decoder must not answer then.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.cores_count = shapes.engine.cores
        words = stream.Signature(WORD)
        super().__init__(
            {
                "cores": In(words).array(self.cores_count),
                "decoder": In(words),
                "response": Out(words),
                "waiting": Out(1),
            }
        )
        self._queues = [
            fifo.SyncFIFOBuffered(width=WORD.width, depth=RESPONSE_WORDS)
            for _ in self.cores
            if self.cores_count > 1
        ]

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cores = self.cores
        if self._queues:
            for index, (core, queue) in enumerate(zip(self.cores, self._queues, strict=True)):
                m.submodules[f"queue_{index}"] = queue
                wiring.connect(m, wiring.flipped(core), queue.w_stream)
            m.d.comb += self.waiting.eq(Cat(queue.level != 0 for queue in self._queues).any())
            cores = [queue.r_stream for queue in self._queues]
        turn = Signal(range(self.cores_count))
        left = Signal(INDEX)
        some = Signal()
        word = Array(core.payload for core in cores)[turn]
        m.d.comb += some.eq(Cat(core.valid for core in cores).any())
        with m.If(some):
            m.d.comb += [
                self.response.valid.eq(Array(core.valid for core in cores)[turn]),
                self.response.payload.eq(word),
            ]
            for index, core in enumerate(cores):
                m.d.comb += core.ready.eq(self.response.ready & (turn == index))
        with m.Else():
            m.d.comb += [
                self.response.valid.eq(self.decoder.valid),
                self.response.payload.eq(self.decoder.payload),
                self.decoder.ready.eq(self.response.ready),
            ]
        with m.If(some & self.response.valid & self.response.ready):
            following = Mux(left == 0, word[16:], left - 1)
            m.d.sync += left.eq(following)
            with m.If(following == 0):
                m.d.sync += turn.eq(Mux(turn == self.cores_count - 1, 0, turn + 1))
        return m
