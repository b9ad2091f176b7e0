# SPDX-License-Identifier: BSD-2-Clause

"""The responder: values of outputs become the words of responses, and wait until they are taken."""

from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.commands import Op
from dualgate.contract.formats import VALUE_WIDTH

from ...common.shapes import INDEX, VALUE, WORD

PLACES = 16
"""Words of the queue: more than are on their way at a word a cycle, and what a LUT RAM holds."""

ANSWER = data.StructLayout({"header": unsigned(1), "value": VALUE})
"""A word of a response before it is spelled out; a header's value says if the sample trains."""


class Responder(wiring.Component):
    """Queues words, and says beforehand whether there is room, so that their source never waits.

    Parameters
    ----------
    None

    Members
    -------
    `room` : Out(1)
        The queue has a place for one more word than is on its way.
    `coming` : In(1)
        Pulse: a word is on its way from now on. It comes only while `room` is high.
    `put` : In(1)
        Pulse for each word that was on its way, at any constant latency of at least a cycle.
    `answer` : In(ANSWER)
        That word, with `put`.
    `outputs` : In(INDEX)
        Number of outputs, which a header states; constant while there are any words.
    `response` : Out(stream of WORD)
        The words; a word is valid from a cycle after its `put` on.
    """

    def __init__(self) -> None:
        super().__init__(
            {
                "room": Out(1),
                "coming": In(1),
                "put": In(1),
                "answer": In(ANSWER),
                "outputs": In(INDEX),
                "response": Out(stream.Signature(WORD)),
            }
        )
        self._queue = fifo.SyncFIFO(width=ANSWER.size, depth=PLACES)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.queue = queue = self._queue
        free = Signal(range(PLACES + 1), init=PLACES)
        taken = self.response.valid & self.response.ready
        answer = ANSWER(queue.r_data)
        value = answer.value
        m.d.comb += [
            self.room.eq(free.any()),
            queue.w_en.eq(self.put),
            queue.w_data.eq(self.answer),
            queue.r_en.eq(self.response.ready),
            self.response.valid.eq(queue.r_rdy),
            self.response.payload.eq(Cat(value, value[-1].replicate(WORD.width - VALUE_WIDTH))),
        ]
        with m.If(answer.header):
            m.d.comb += [
                self.response.payload.eq(0),
                self.response.payload[:8].eq(Mux(value[0], Op.TRAIN, Op.INFER)),
                self.response.payload[16:].eq(self.outputs),
            ]
        m.d.sync += free.eq(free + taken - self.coming)
        return m
