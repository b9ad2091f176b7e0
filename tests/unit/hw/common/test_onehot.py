# SPDX-License-Identifier: BSD-2-Clause

"""One-hot logic agrees with arithmetic, for every word of 6 bits and random words of 16."""

from typing import Any

import numpy as np
import pytest
from amaranth import Cat, Module, Signal
from amaranth.sim import Simulator

from dualgate_hw.common.onehot import (
    bit_length,
    isolate_lowest,
    more_than_one,
    onehot_index,
    onehot_mux,
)
from dualgate_hw.lanes.tangent.issue import flag_fields

RANDOM = np.random.default_rng(1)
WORDS = {6: range(1 << 6), 16: [0, 1, 1 << 15, *RANDOM.integers(1 << 16, size=500).tolist()]}


@pytest.mark.parametrize("bits", WORDS)
def test_flags_are_what_their_numbers_say(bits: int) -> None:
    m = Module()
    flags = Signal(bits)
    words = [Signal(5, name=f"word_{n}", init=n + 3) for n in range(bits)]
    first = Signal(bits)
    m.d.comb += first.eq(isolate_lowest(flags))
    found = {
        "position": onehot_index(first),
        "length": bit_length(flags),
        "several": more_than_one(flags),
        "chosen": onehot_mux(first, words),
        **flag_fields(flags),
    }

    async def bench(ctx: Any) -> None:
        for word in WORDS[bits]:
            ctx.set(flags, word)
            alone = word & -word
            place = max(alone.bit_length() - 1, 0)
            assert {name: ctx.get(Cat(value)) for name, value in found.items()} == {
                "position": place,
                "length": word.bit_length(),
                "several": int(word.bit_count() > 1),
                "chosen": place + 3 if word else 0,
                "flags": word,
                "some": int(word != 0),
                "lowest": alone,
                "single": int(word.bit_count() <= 1),
            }, f"{word:b}"
            await ctx.delay(1e-9)

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
