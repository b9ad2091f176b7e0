# SPDX-License-Identifier: BSD-2-Clause

"""The collector returns whole responses in the order of the commands."""

import random
from typing import Any

import pytest
from support.benches import STALLS, simulate, small_shapes
from support.command_words import CORES, Command, flat, raw

from dualgate.contract.commands import Op
from dualgate_hw.lanes.control.collector import RESPONSE_WORDS, Collector
from dualgate_sim.testing.streams import receive, send

pytestmark = pytest.mark.slow


def response(dice: random.Random, op: int) -> Command:
    return raw(dice, op, dice.choice([0, 0, 1, 2, 5, 10]))


@pytest.mark.parametrize("cores", CORES)
@pytest.mark.parametrize("odds", STALLS)
def test_responses_come_whole_in_rotation_and_the_decoder_s_last(
    cores: int, odds: tuple[float, float]
) -> None:
    """As in the engine, the decoder answers from 2 cycles after the last word of a core on."""
    part = Collector(small_shapes(2, cores=cores))
    dice = random.Random(cores)
    phases = [
        ([response(dice, Op.TRAIN) for _ in range(dice.randrange(12))], response(dice, Op.COUNTERS))
        for _ in range(12)
    ]
    expected = flat([command for samples, last in phases for command in (*samples, last)])
    given = [0] * cores
    phase = 0
    turns = [sum(len(samples) for samples, _ in phases[:number]) for number in range(len(phases))]

    def core(index: int) -> Any:
        async def bench(ctx: Any) -> None:
            for number, (samples, _) in enumerate(phases):
                while phase < number:
                    await ctx.tick()
                first = (index - turns[number]) % cores
                for seed, command in enumerate(samples[first::cores]):
                    await send(ctx, part.cores[index], command, odds[0], seed)
                    given[index] += 1

        return bench

    async def decoder(ctx: Any) -> None:
        nonlocal phase
        total = 0
        for samples, last in phases:
            total += len(samples)
            while sum(given) < total:
                await ctx.tick()
            await ctx.tick()
            await send(ctx, part.decoder, last, odds[0], total)
            phase += 1

    async def sink(ctx: Any) -> None:
        got = await receive(ctx, part.response, len(expected), odds[1], 3)
        assert [word for _, word in got] == expected

    simulate(part, sink, decoder, *(core(index) for index in range(cores)))


@pytest.mark.parametrize("cores", CORES[1:])
def test_a_core_may_answer_before_its_turn(cores: int) -> None:
    """The response of the last core is taken, up to the depth of its queue, and comes last."""
    part = Collector(small_shapes(2, cores=cores))
    dice = random.Random(1)
    answers = [raw(dice, Op.TRAIN, RESPONSE_WORDS - 2) for _ in range(cores)]

    async def bench(ctx: Any) -> None:
        for core, answer in reversed(list(zip(part.cores, answers, strict=True))):
            assert await send(ctx, core, answer) == list(range(len(answer)))

    async def sink(ctx: Any) -> None:
        got = await receive(ctx, part.response, len(flat(answers)))
        assert [word for _, word in got] == flat(answers)

    simulate(part, bench, sink)
