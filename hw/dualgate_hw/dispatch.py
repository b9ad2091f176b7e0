"""Between the engine's two streams and its parts: commands are dealt out, responses collected."""

from amaranth import Array, Cat, Module, Mux, Signal, unsigned
from amaranth.lib import data, fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from dualgate.commands import Op
from dualgate.engine import WORD_BITS

from .layouts import INDEX, WORD, Shapes

SAMPLE_OPS = (Op.TRAIN, Op.INFER, Op.TRAIN_DENSE, Op.INFER_DENSE)
"""What goes to a core, each to the next; every other command goes to the decoder."""

QUEUE_WORDS = 512
"""What waits for a core, where there are several: a sample or two, while its loader works."""

RESPONSE_WORDS = 64
"""What a core may answer before its turn, where there are several."""


def _piece(words: int) -> data.StructLayout:
    """Words of one command that came together; `more` is how many besides the first."""
    return data.StructLayout(
        {"words": data.ArrayLayout(WORD, words), "more": unsigned((words - 1).bit_length())}
    )


class Dispatcher(wiring.Component):
    """Deals commands out as they come, up to a whole beat of words a cycle.

    A command never waits for the one before it, except a sample for a command of the decoder: that
    may change what samples mean. A beat that holds words of several commands takes a cycle for
    each.

    Parameters
    ----------
    shapes : Shapes

    Members
    -------
    command : stream in; `EngineParameters.beat` words, first one in the lowest bits
    cores, decoder : streams of words out, each command whole
    decoder_idle : the decoder waits for a header
    waiting : words wait for a core
    """

    def __init__(self, shapes: Shapes) -> None:
        self.cores_count = shapes.engine.cores
        self.beat = shapes.engine.beat
        words = stream.Signature(WORD)
        super().__init__(
            {
                "command": In(stream.Signature(unsigned(WORD_BITS * self.beat))),
                "cores": Out(words).array(self.cores_count),
                "decoder": Out(words),
                "decoder_idle": In(1),
                "waiting": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        depth = QUEUE_WORDS // self.beat if self.cores_count > 1 else 4
        queues = [self._queue(m, f"queue_{i}", depth, o) for i, o in enumerate(self.cores)]
        last = self._queue(m, "queue_decoder", 4, self.decoder)
        idle = Signal()
        m.d.comb += [
            self.waiting.eq(Cat(queue.level != 0 for queue in queues).any()),
        ]
        # Found a cycle early, and so without what the decoder gets in this one.
        m.d.sync += idle.eq(self.decoder_idle & (last.level == 0) & ~last.w_en)
        self._deal(m, queues, last, idle)
        return m

    def _queue(
        self, m: Module, name: str, depth: int, words: wiring.PureInterface
    ) -> fifo.SyncFIFOBuffered:
        """A queue of pieces that ends in a stream of words."""
        shape = _piece(self.beat)
        m.submodules[name] = queue = fifo.SyncFIFOBuffered(width=shape.size, depth=depth)
        piece = data.View(shape, queue.r_data)
        at = Signal(range(self.beat))
        m.d.comb += [
            words.valid.eq(queue.r_rdy),
            words.payload.eq(piece.words[at]),
            queue.r_en.eq(words.ready & (at == piece.more)),
        ]
        with m.If(words.valid & words.ready):
            m.d.sync += at.eq(Mux(at == piece.more, 0, at + 1))
        return queue

    def _deal(
        self,
        m: Module,
        queues: list[fifo.SyncFIFOBuffered],
        last: fifo.SyncFIFOBuffered,
        idle: Signal,
    ) -> None:
        held = Signal(WORD_BITS * self.beat)
        have = Signal(range(self.beat + 1))
        # Of the command in work, the words after the next one.
        after = Signal(INDEX)
        left = Signal(INDEX)
        goes_on = Signal()
        takes = Signal.like(have)
        to_core = Signal()
        padding = Signal()
        blocked = Signal()
        moves = Signal()
        turn = Signal(range(self.cores_count))
        begins = Signal(init=1)
        covers = Signal()
        small = have.shape().width
        is_sample = Cat(held[:8] == op for op in SAMPLE_OPS).any()
        room = Mux(to_core, Cat(queue.w_rdy for queue in queues).bit_select(turn, 1), last.w_rdy)
        m.d.comb += [
            padding.eq(begins & (held[:WORD_BITS] == 0)),
            after.eq(Mux(begins, held[16:32], left)),
            # The command goes on beyond the words that are here.
            covers.eq(after[small:].any() | (after[:small] >= have)),
            takes.eq(Mux(covers, have, after[:small] + 1)),
            to_core.eq(Mux(begins, is_sample, goes_on)),
            blocked.eq(begins & is_sample & ~idle),
            moves.eq((have != 0) & (padding | (room & ~blocked))),
            self.command.ready.eq((have == 0) | (moves & (takes == have))),
            last.w_en.eq(moves & ~padding & ~to_core),
        ]
        for queue in (*queues, last):
            m.d.comb += queue.w_data.eq(Cat(held, takes - 1))
        for index, queue in enumerate(queues):
            m.d.comb += queue.w_en.eq(moves & ~padding & to_core & (turn == index))
        with m.If(moves):
            m.d.sync += [
                have.eq(have - takes),
                held.eq(held >> (WORD_BITS * takes)),
                left.eq(after - takes),
                begins.eq(~covers),
                goes_on.eq(to_core),
            ]
            with m.If(to_core & ~padding & ~covers):
                m.d.sync += turn.eq(Mux(turn == self.cores_count - 1, 0, turn + 1))
        with m.If(self.command.valid & self.command.ready):
            m.d.sync += [held.eq(self.command.payload), have.eq(self.beat)]


class Collector(wiring.Component):
    """Collects whole responses, from the cores in turn, as samples were dealt out.

    The decoder answers only when no sample is in flight: whatever comes from a core comes first.

    Parameters
    ----------
    shapes : Shapes

    Members
    -------
    cores, decoder : streams of words in
    response : stream out
    waiting : words of a core wait here; the decoder must not answer before they are gone
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

    def elaborate(self, platform: object) -> Module:
        m = Module()
        cores = self.cores
        if self.cores_count > 1:
            queues = [self._queue(m, f"queue_{i}", core) for i, core in enumerate(self.cores)]
            m.d.comb += self.waiting.eq(Cat(queue.level != 0 for queue in queues).any())
            cores = [queue.r_stream for queue in queues]
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

    def _queue(self, m: Module, name: str, core: wiring.PureInterface) -> fifo.SyncFIFOBuffered:
        m.submodules[name] = queue = fifo.SyncFIFOBuffered(width=WORD.width, depth=RESPONSE_WORDS)
        wiring.connect(m, wiring.flipped(core), queue.w_stream)
        return queue
