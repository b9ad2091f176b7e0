# SPDX-License-Identifier: BSD-2-Clause

"""The word packer fills beats with the words of the window."""

from typing import Any

import pytest
from support.benches import STALLS, simulate

from dualgate_hw.link.word_packer import WordPacker
from dualgate_sim.testing.streams import receive, send


@pytest.mark.parametrize("words", [1, 2, 4])
@pytest.mark.parametrize("odds", STALLS)
def test_words_fill_beats_from_the_lowest_on(words: int, odds: tuple[float, float]) -> None:
    design = WordPacker(words)
    count = 20

    async def sending(ctx: Any) -> None:
        taken = await send(ctx, design.word, range(count * words), odds[0], seed=1)
        if odds == (0.0, 0.0):
            assert taken == list(range(count * words))

    async def receiving(ctx: Any) -> None:
        got = await receive(ctx, design.beat, count, odds[1], seed=2)
        expected = [
            sum(word << 32 * i for i, word in enumerate(range(start, start + words)))
            for start in range(0, count * words, words)
        ]
        assert [beat for _, beat in got] == expected

    simulate(design, sending, receiving)
