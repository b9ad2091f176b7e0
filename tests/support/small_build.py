# SPDX-License-Identifier: BSD-2-Clause

"""A board with next to nothing in it, built for real: ``python small_build.py BOARD DIR``.

Clock, reset, pins and LEDs are the board's own. In the engine's place a word of the identity's hash
goes round, through a block RAM and as many multipliers as the build wants to see.
"""

import sys
from dataclasses import replace
from pathlib import Path

from amaranth import Cat, Module, Signal
from amaranth.lib.memory import Memory

from dualgate.contract.engine import MEMORIES, EngineParameters
from dualgate.cycles import multipliers
from dualgate_hw.boards import find_board
from dualgate_hw.boards.board import Board
from dualgate_hw.boards.top import BoardTop
from dualgate_hw.build import flow, sources
from dualgate_hw.build.job import Build
from dualgate_hw.build.result import Result

SMALLEST = EngineParameters(1, arrays=1, **dict.fromkeys(MEMORIES, 1))


class SmallTop(BoardTop):
    """See above."""

    def __init__(self, board: Board, engine: EngineParameters, build: bytes) -> None:
        super().__init__(board, engine, build)
        self.build = int.from_bytes(build)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        board = self.board
        assert board.reset is not None
        board.clock.create(m, platform, self._input(m, platform, board.reset))
        word = Signal(256, init=self.build)
        rx = self._input(m, platform, (*board.uart[:2], "rx"))
        m.d.sync += word.eq(Cat(word[1:], word[0] ^ rx))
        m.submodules.memory = memory = Memory(shape=16, depth=256, init=[])
        write, read = memory.write_port(), memory.read_port()
        m.d.comb += [write.en.eq(word[0]), write.addr.eq(word[:8]), write.data.eq(word[8:24])]
        m.d.comb += read.addr.eq(word[24:32])
        found = read.data
        for number in range(multipliers(self.engine.engine.parameters)):
            left, right, product = Signal(16), Signal(16), Signal(32)
            m.d.sync += [
                left.eq(found),
                right.eq(word.word_select(number + 2, 16)),
                product.eq(left * right),
            ]
            found = product[8:24]
        tx = Signal()
        m.d.sync += tx.eq(found.xor())
        self._output(m, platform, (*board.uart[:2], "tx"), tx)
        for pin in (board.leds.alive, board.leds.training):
            assert pin is not None
            self._output(m, platform, pin, word[0])
        return m


def build(name: str, directory: Path) -> Result:
    """Build it, in one placement."""
    sources.BoardTop = SmallTop  # type: ignore[misc]
    board = replace(find_board(name), engine=SMALLEST)
    return flow.run(Build(board, SMALLEST, directory, (1,), print))


if __name__ == "__main__":
    build(sys.argv[1], Path(sys.argv[2]))
