# SPDX-License-Identifier: BSD-2-Clause

"""Queues of command words in front of several cores, in one memory."""

from amaranth import Array, Cat, Module, Mux, Signal, unsigned
from amaranth.hdl import Value
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from ...common.shapes import WORD


def piece(words: int) -> data.StructLayout:
    """Return the layout of a piece: words of one command that arrived in the same beat.

    Fields
    ------
    words : ArrayLayout(WORD, words)
        The words; the first one is always there.
    more : unsigned
        Number of further words.
    """
    return data.StructLayout(
        {"words": data.ArrayLayout(WORD, words), "more": unsigned((words - 1).bit_length())}
    )


class CoreQueues(wiring.Component):
    """A queue of pieces for each core; all queues share one memory.

    The memory takes one piece per cycle, for one core, and gives one piece per cycle. A core takes
    one word per cycle, so this suffices for as many cores as a piece has words. Each core has two
    pieces in registers.

    Parameters
    ----------
    cores : int
        Number of cores.
    beat : int
        Words of a piece.
    depth : int
        Pieces in the queue of each core, a power of two.

    Members
    -------
    `piece` : In(piece(beat))
        Piece to write.
    `core` : In(range(cores))
        Core that the piece is for.
    `write` : In(1)
        Writes the piece; only while the core has `room`.
    `room` : Out(cores)
        Flag of each core: its queue has room for a piece.
    `words` : Out(stream of WORD).array(cores)
        Words of the pieces for each core, in order.
    `waiting` : Out(1)
        High while a queue holds a word.
    """

    def __init__(self, cores: int, beat: int, depth: int) -> None:
        self.beat = beat
        self.depth = depth
        self.cores = cores
        super().__init__(
            {
                "piece": In(piece(beat)),
                "core": In(range(cores)),
                "write": In(1),
                "room": Out(cores),
                "words": Out(stream.Signature(WORD)).array(cores),
                "waiting": Out(1),
            }
        )
        self._store = memory.Memory(
            shape=piece(beat), depth=depth << (cores - 1).bit_length(), init=[]
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.store = self._store
        write, read = self._store.write_port(), self._store.read_port()
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
            some, wants = self._give_words(m, core, coming[core], read.data)
            asks.append((level != 0) & wants & ~coming[core])
            waiting.append((level != 0) | coming[core] | some)
        m.d.comb += [
            write.addr.eq(Cat(into[self.core][:bits], self.core)),
            write.data.eq(self.piece),
            write.en.eq(self.write),
            read.addr.eq(Cat(out_of[turn][:bits], turn)),
            self.waiting.eq(Cat(waiting).any()),
        ]
        # Round robin: the core that was served last has the lowest priority.
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

    def _give_words(
        self, m: Module, core: int, comes: Value, fresh: data.View
    ) -> tuple[Value, Value]:
        """Build the two piece registers of a core, and its stream of words.

        Returns whether a register holds a piece, and whether there is room for another.
        """
        words = self.words[core]
        front, behind = (Signal(piece(self.beat), name=f"{n}_{core}") for n in ("front", "behind"))
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
