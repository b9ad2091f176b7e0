# SPDX-License-Identifier: BSD-2-Clause

"""Shifts and saturation agree with integer arithmetic."""

from typing import Any

import pytest
from amaranth import Module, Signal, signed
from amaranth.sim import Simulator

from dualgate_hw.common.rounding import saturate, shift_right

EDGES = [0, 1, -1, 5, -6, (1 << 19) - 1, -(1 << 19), 1 << 15, (1 << 15) - 1, -(1 << 15) - 1, 99_999]


@pytest.mark.parametrize(("amount_bits", "width"), [(1, 4), (3, 16), (5, 20), (6, 16), (2, 21)])
def test_a_right_shift_knows_what_it_lost_and_keeps_its_sign(amount_bits: int, width: int) -> None:
    m = Module()
    value, amount, out = Signal(signed(20)), Signal(amount_bits), Signal(signed(width))
    lost = Signal()
    shifted, beyond = shift_right(m, value, amount, width)
    m.d.comb += [out.eq(shifted), lost.eq(beyond)]

    async def bench(ctx: Any) -> None:
        for number in EDGES:
            for places in range(1 << amount_bits):
                ctx.set(value, number)
                ctx.set(amount, places)
                exact = number >> places
                fits = -(1 << width - 1) <= exact < 1 << width - 1
                assert ctx.get(lost) == (not fits)
                assert ctx.get(out) == exact if fits else (ctx.get(out) < 0) == (number < 0)

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()


@pytest.mark.parametrize("width", [2, 15, 16, 20])
def test_saturation_clips_and_says_so(width: int) -> None:
    m = Module()
    value, out, clipped = Signal(signed(20)), Signal(signed(width)), Signal()
    narrow, beyond = saturate(value, width)
    m.d.comb += [out.eq(narrow), clipped.eq(beyond)]

    async def bench(ctx: Any) -> None:
        limit = 1 << width - 1
        for number in [*EDGES, limit, limit - 1, -limit, -limit - 1]:
            if not -(1 << 19) <= number < 1 << 19:
                continue
            ctx.set(value, number)
            expected = max(-limit, min(limit - 1, number))
            assert (ctx.get(out), ctx.get(clipped)) == (expected, expected != number)

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
