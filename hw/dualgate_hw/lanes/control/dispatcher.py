# SPDX-License-Identifier: BSD-2-Clause

"""The dispatcher: commands go from the engine's command stream to the cores and the decoder."""

from amaranth import Cat, Module, Mux, Signal, unsigned
from amaranth.hdl import Value
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.contract.commands import Op
from dualgate.contract.engine import WORD_BITS

from ...common.shapes import INDEX, WORD, Shapes
from .core_queues import CoreQueues, piece

SAMPLE_OPS = (Op.TRAIN, Op.INFER, Op.TRAIN_DENSE, Op.INFER_DENSE)
"""Operations that go to the cores, to one core after the other; all others go to the decoder."""

QUEUE_WORDS = 512
"""Words in the queue of each of several cores: a sample or two, while its loader works."""

MARKED = data.StructLayout({"word": WORD, "sample": 1, "zero": 1})
"""A queued word with two predecoded flags, meaningful only if it is a header: `sample` (the opcode
goes to a core) and `zero` (padding)."""


def _marked(words: Value) -> Value:
    """Return the words of a beat as `MARKED`; comparing here keeps it out of the longest path."""
    marked = []
    for start in range(0, len(words), WORD_BITS):
        word = words[start : start + WORD_BITS]
        marked.append(Cat(word, Cat(word[:8] == op for op in SAMPLE_OPS).any(), ~word.any()))
    return Cat(marked)


class Dispatcher(wiring.Component):
    """Distributes commands to the cores and the decoder, up to a whole beat of words per cycle.

    Samples go to the cores in rotation. A command does not wait for the one before it, with one
    exception: a sample waits for commands of the decoder, which may change the meaning of samples.
    A beat that holds words of several commands takes one cycle for each of them.

    Parameters
    ----------
    shapes : Shapes
        Shapes of the engine.

    Members
    -------
    `command` : In(stream of unsigned(32 * beat))
        Commands; a beat has `EngineParameters.beat` words, the first one in the lowest bits.
    `cores` : Out(stream of WORD).array(cores)
        Sample commands for each core, every command whole.
    `decoder` : Out(stream of WORD)
        All other commands, every command whole.
    `decoder_idle` : In(1)
        The decoder waits for a header.
    `waiting` : Out(1)
        High while words wait for a core.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.cores_count = cores = shapes.engine.cores
        self.beat = beat = shapes.engine.beat
        words = stream.Signature(WORD)
        super().__init__(
            {
                "command": In(stream.Signature(unsigned(WORD_BITS * beat))),
                "cores": Out(words).array(cores),
                "decoder": Out(words),
                "decoder_idle": In(1),
                "waiting": Out(1),
            }
        )
        width = piece(beat).size
        self._decoder_queue = fifo.SyncFIFOBuffered(width=width, depth=4)
        if cores > 1:
            self._core_queues = CoreQueues(cores, beat, QUEUE_WORDS // beat)
        else:
            self._core_queue = fifo.SyncFIFOBuffered(width=width, depth=4)
        self._turn = Signal(range(cores))
        self._room = Signal(cores)
        self._write = Signal()
        self._piece = Signal(piece(beat))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.queue_decoder = last = self._decoder_queue
        self._give_words(m, last, self.decoder)
        idle = Signal()
        if self.cores_count > 1:
            self._queue_for_several(m)
        else:
            self._queue_for_one(m)
        # The register may miss a piece that enters the decoder's queue in this cycle, hence `w_en`.
        m.d.sync += idle.eq(self.decoder_idle & (last.level == 0) & ~last.w_en)
        self._distribute(m, last, idle)
        return m

    def _queue_for_one(self, m: Module) -> None:
        """Connect the queue of a single core."""
        m.submodules.queue_core = queue = self._core_queue
        self._give_words(m, queue, self.cores[0])
        m.d.comb += [
            self.waiting.eq(queue.level != 0),
            self._room.eq(queue.w_rdy),
            queue.w_en.eq(self._write),
            queue.w_data.eq(self._piece),
        ]

    def _queue_for_several(self, m: Module) -> None:
        """Connect the queues of several cores."""
        m.submodules.queues = queues = self._core_queues
        m.d.comb += [
            self.waiting.eq(queues.waiting),
            self._room.eq(queues.room),
            queues.core.eq(self._turn),
            queues.write.eq(self._write),
            queues.piece.eq(self._piece),
        ]
        for mine, theirs in zip(self.cores, queues.words, strict=True):
            wiring.connect(m, wiring.flipped(mine), theirs)

    def _give_words(
        self, m: Module, queue: fifo.SyncFIFOBuffered, words: wiring.PureInterface
    ) -> None:
        """Turn the pieces of a short queue into a stream of words."""
        front = data.View(piece(self.beat), queue.r_data)
        at = Signal(range(self.beat))
        m.d.comb += [
            words.valid.eq(queue.r_rdy),
            words.payload.eq(front.words[at]),
            queue.r_en.eq(words.ready & (at == front.more)),
        ]
        with m.If(words.valid & words.ready):
            m.d.sync += at.eq(Mux(at == front.more, 0, at + 1))

    def _distribute(self, m: Module, last: fifo.SyncFIFOBuffered, idle: Signal) -> None:
        """Take beats, and write their words into the queues, one piece per cycle."""
        turn = self._turn
        held = Signal(data.ArrayLayout(MARKED, self.beat))
        have = Signal(range(self.beat + 1))
        # Of the command in progress, the words that follow its next one.
        after = Signal(INDEX)
        left = Signal(INDEX)
        goes_on = Signal()
        takes = Signal.like(have)
        to_core = Signal()
        padding = Signal()
        blocked = Signal()
        moves = Signal()
        begins = Signal(init=1)
        covers = Signal()
        small = have.shape().width
        header = held[0]
        room = Mux(to_core, self._room.bit_select(turn, 1), last.w_rdy)
        m.d.comb += [
            padding.eq(begins & header.zero),
            after.eq(Mux(begins, header.word[16:], left)),
            # The command covers all held words, and goes on after them.
            covers.eq(after[small:].any() | (after[:small] >= have)),
            # A beat of a single word is a piece, whatever the command.
            takes.eq(Mux(covers, have, after[:small] + 1) if self.beat > 1 else 1),
            to_core.eq(Mux(begins, header.sample, goes_on)),
            blocked.eq(begins & header.sample & ~idle),
            moves.eq((have != 0) & (padding | (room & ~blocked))),
            self.command.ready.eq((have == 0) | (moves & (takes == have))),
            last.w_en.eq(moves & ~padding & ~to_core),
            self._piece.eq(Cat(*(marked.word for marked in held), takes - 1)),
            last.w_data.eq(self._piece),
            self._write.eq(moves & ~padding & to_core),
        ]
        with m.If(moves):
            m.d.sync += [
                have.eq(have - takes),
                held.eq(held.as_value() >> (MARKED.size * takes)),
                left.eq(after - takes),
                begins.eq(~covers),
                goes_on.eq(to_core),
            ]
            with m.If(to_core & ~padding & ~covers):
                m.d.sync += turn.eq(Mux(turn == self.cores_count - 1, 0, turn + 1))
        with m.If(self.command.valid & self.command.ready):
            m.d.sync += [held.eq(_marked(self.command.payload)), have.eq(self.beat)]
