# SPDX-License-Identifier: BSD-2-Clause

"""Between the engine's two streams and its parts: commands are dealt out, responses collected."""

from amaranth import Array, Cat, Module, Mux, Signal, unsigned
from amaranth.hdl import Value
from amaranth.lib import data, fifo, memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from dualgate.contract.commands import Op
from dualgate.contract.engine import WORD_BITS

from ...common.shapes import INDEX, WORD, Shapes

SAMPLE_OPS = (Op.TRAIN, Op.INFER, Op.TRAIN_DENSE, Op.INFER_DENSE)
"""What goes to a core, each to the next; every other command goes to the decoder."""

QUEUE_WORDS = 512
"""What waits for a core, where there are several: a sample or two, while its loader works."""

RESPONSE_WORDS = 32
"""What a core may answer before its turn, where there are several."""


def _piece(words: int) -> data.StructLayout:
    """Words of one command that came together; `more` is how many besides the first."""
    return data.StructLayout(
        {"words": data.ArrayLayout(WORD, words), "more": unsigned((words - 1).bit_length())}
    )


MARKED = data.StructLayout({"word": WORD, "sample": 1, "zero": 1})
"""A word that waits to be dealt out; were it a header: of a sample's command, or padding."""


def _marked(words: Value) -> Value:
    """Words as `MARKED`, so that no path begins with the comparisons."""
    marked = []
    for start in range(0, len(words), WORD_BITS):
        word = words[start : start + WORD_BITS]
        marked.append(Cat(word, Cat(word[:8] == op for op in SAMPLE_OPS).any(), ~word.any()))
    return Cat(marked)


class CoreQueues(wiring.Component):
    """A queue of pieces for each core, all of them in one memory.

    It takes a piece a cycle, for one core, and gives one a cycle: since a core takes a word a
    cycle, that serves as many cores as a piece has words. Each has two pieces at hand.

    Parameters
    ----------
    cores, beat : int
    depth : int
        Pieces for each core, a power of two.

    Members
    -------
    piece, core, write : a piece for a core, if there is `room`
    room : for each core, a place for another piece
    words : streams out, each piece as words
    waiting : there are words for a core
    """

    def __init__(self, cores: int, beat: int, depth: int) -> None:
        self.beat = beat
        self.depth = depth
        self.cores = cores
        super().__init__(
            {
                "piece": In(_piece(beat)),
                "core": In(range(cores)),
                "write": In(1),
                "room": Out(cores),
                "words": Out(stream.Signature(WORD)).array(cores),
                "waiting": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.store = store = memory.Memory(
            shape=_piece(self.beat),
            depth=self.depth << (self.cores - 1).bit_length(),
            init=[],
        )
        write, read = store.write_port(), store.read_port()
        bits = exact_log2(self.depth)
        into = Array(Signal(bits + 1, name=f"into_{core}") for core in range(self.cores))
        out_of = Array(Signal(bits + 1, name=f"out_of_{core}") for core in range(self.cores))
        turn = Signal(range(self.cores))
        coming = Signal(self.cores)
        asks, waiting = [], []
        for core in range(self.cores):
            level = Signal(bits + 1, name=f"level_{core}")
            m.d.comb += [
                level.eq(into[core] - out_of[core]),
                self.room[core].eq(~level[-1]),
            ]
            some, wants = self._hand_out(m, core, coming[core], read.data)
            asks.append((level != 0) & wants & ~coming[core])
            waiting.append((level != 0) | coming[core] | some)
        m.d.comb += [
            write.addr.eq(Cat(into[self.core][:bits], self.core)),
            write.data.eq(self.piece),
            write.en.eq(self.write),
            read.addr.eq(Cat(out_of[turn][:bits], turn)),
            self.waiting.eq(Cat(waiting).any()),
        ]
        # The core that was served last is asked last.
        served = Signal.like(turn)
        for ahead in reversed(range(1, self.cores + 1)):
            with m.Switch(served):
                for last in range(self.cores):
                    core = (last + ahead) % self.cores
                    with m.Case(last), m.If(asks[core]):
                        m.d.comb += turn.eq(core)
        m.d.sync += coming.eq(0)
        for core, ask in enumerate(asks):
            with m.If(ask & (turn == core)):
                m.d.sync += [
                    coming[core].eq(1),
                    out_of[core].eq(out_of[core] + 1),
                    served.eq(core),
                ]
            with m.If(self.write & (self.core == core)):
                m.d.sync += into[core].eq(into[core] + 1)
        return m

    def _hand_out(
        self, m: Module, core: int, comes: Value, fresh: data.View
    ) -> tuple[Value, Value]:
        """A core's two pieces: whether there are any, and whether there is a place for one."""
        words = self.words[core]
        front, behind = (Signal(_piece(self.beat), name=f"{n}_{core}") for n in ("front", "behind"))
        has_front, has_behind = Signal(name=f"has_front_{core}"), Signal(name=f"has_behind_{core}")
        at = Signal(range(self.beat), name=f"at_{core}")
        ends = Signal(name=f"ends_{core}")
        m.d.comb += [
            words.valid.eq(has_front),
            words.payload.eq(front.words[at]),
            ends.eq(words.ready & (at == front.more)),
        ]
        with m.If(words.valid & words.ready):
            m.d.sync += at.eq(Mux(ends, 0, at + 1))
        with m.If(~has_front | ends):
            m.d.sync += [front.eq(behind), has_front.eq(has_behind), has_behind.eq(0)]
        with m.If(comes):
            m.d.sync += [behind.eq(fresh), has_behind.eq(1)]
        return has_front | has_behind, ~has_behind | ~has_front | ends


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
        last = self._queue(m, "queue_decoder", self.decoder)
        idle = Signal()
        self._turn = Signal(range(self.cores_count))
        self._room = Signal(self.cores_count)
        self._write = Signal()
        self._piece = Signal(_piece(self.beat))
        if self.cores_count > 1:
            self._share(m)
        else:
            only = self._queue(m, "queue_core", self.cores[0])
            m.d.comb += [
                self.waiting.eq(only.level != 0),
                self._room.eq(only.w_rdy),
                only.w_en.eq(self._write),
                only.w_data.eq(self._piece),
            ]
        # Found a cycle early, and so without what the decoder gets in this one.
        m.d.sync += idle.eq(self.decoder_idle & (last.level == 0) & ~last.w_en)
        self._deal(m, last, idle)
        return m

    def _share(self, m: Module) -> None:
        """Several cores' queues."""
        depth = QUEUE_WORDS // self.beat
        m.submodules.queues = queues = CoreQueues(self.cores_count, self.beat, depth)
        m.d.comb += [
            self.waiting.eq(queues.waiting),
            self._room.eq(queues.room),
            queues.core.eq(self._turn),
            queues.write.eq(self._write),
            queues.piece.eq(self._piece),
        ]
        for mine, theirs in zip(self.cores, queues.words, strict=True):
            wiring.connect(m, wiring.flipped(mine), theirs)

    def _queue(self, m: Module, name: str, words: wiring.PureInterface) -> fifo.SyncFIFOBuffered:
        """A short queue of pieces that ends in a stream of words."""
        shape = _piece(self.beat)
        m.submodules[name] = queue = fifo.SyncFIFOBuffered(width=shape.size, depth=4)
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

    def _deal(self, m: Module, last: fifo.SyncFIFOBuffered, idle: Signal) -> None:
        turn = self._turn
        held = Signal(data.ArrayLayout(MARKED, self.beat))
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
        begins = Signal(init=1)
        covers = Signal()
        small = have.shape().width
        header = held[0]
        room = Mux(to_core, self._room.bit_select(turn, 1), last.w_rdy)
        m.d.comb += [
            padding.eq(begins & header.zero),
            after.eq(Mux(begins, header.word[16:], left)),
            # The command goes on beyond the words that are here.
            covers.eq(after[small:].any() | (after[:small] >= have)),
            # Of a single word it is the one, whatever the command.
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
