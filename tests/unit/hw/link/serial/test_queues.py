# SPDX-License-Identifier: BSD-2-Clause

"""The link's queues agree with lists: accepted words come out, kept words can be read again."""

import random
from typing import Any

import pytest
from support.benches import simulate

from dualgate_hw.link.serial.queues import ReceiveQueue, SendQueue
from dualgate_sim.testing.streams import receive, send

DEPTH = 16


@pytest.mark.parametrize("odds", [0.0, 0.5, 0.9])
def test_words_of_accepted_frames_come_out_and_no_others(odds: float) -> None:
    queue = ReceiveQueue(DEPTH)
    dice = random.Random(1)
    accepted: list[int] = []
    got: list[int] = []
    overflows = 0

    async def source(ctx: Any) -> None:
        nonlocal overflows
        for _ in range(400):
            frame = [dice.getrandbits(32) for _ in range(dice.randrange(DEPTH + 4))]
            expected, credit = ctx.get(queue.expected), ctx.get(queue.credit)
            assert expected == len(accepted) & 0xFFFF
            assert credit <= DEPTH
            for word in frame:
                ctx.set(queue.append, 1)
                ctx.set(queue.word, word)
                await ctx.tick()
            ctx.set(queue.append, 0)
            overflow = ctx.get(queue.overflow)
            if len(frame) <= credit:
                assert not overflow, "what a credit was given for must find room"
            overflows += overflow
            good = not overflow and dice.random() < 0.7
            ctx.set(queue.accept, good)
            ctx.set(queue.drop, not good)
            await ctx.tick()
            ctx.set(queue.accept, 0)
            ctx.set(queue.drop, 0)
            if good:
                accepted.extend(frame)

    async def sink(ctx: Any) -> None:
        stalls = random.Random(2)
        while True:
            ctx.set(queue.words.ready, stalls.random() >= odds)
            ready = ctx.get(queue.words.ready)
            valid, word = (await ctx.tick().sample(queue.words.valid, queue.words.payload))[2:]
            if valid and ready:
                got.append(word)

    async def drain(ctx: Any) -> None:
        await source(ctx)
        await ctx.tick().repeat(400)

    simulate(queue, drain, watch=[sink])
    assert got == accepted
    assert len(got) > 300
    assert overflows > 20


def test_accepted_words_leave_a_word_a_cycle() -> None:
    queue = ReceiveQueue(DEPTH)

    async def bench(ctx: Any) -> None:
        ctx.set(queue.append, 1)
        for word in range(DEPTH):
            ctx.set(queue.word, word)
            await ctx.tick()
        ctx.set(queue.append, 0)
        ctx.set(queue.accept, 1)
        await ctx.tick()
        ctx.set(queue.accept, 0)
        assert ctx.get(queue.credit) == 0
        got = await receive(ctx, queue.words, DEPTH)
        assert got == [(1 + word, word) for word in range(DEPTH)]
        assert ctx.get(queue.credit) == DEPTH

    simulate(queue, bench)


@pytest.mark.parametrize("odds", [0.0, 0.6])
def test_words_stay_readable_until_acknowledged(odds: float) -> None:
    queue = SendQueue(DEPTH)
    words = [random.Random(3).getrandbits(32) for _ in range(2000)]
    words = [word + at for at, word in enumerate(words)]

    async def source(ctx: Any) -> None:
        await send(ctx, queue.words, words, odds, 1)

    async def host(ctx: Any) -> None:
        dice = random.Random(4)
        done = 0
        while done < len(words):
            written, kept = ctx.get(queue.written), ctx.get(queue.acknowledged)
            assert kept == done & 0xFFFF
            count = written - kept & 0xFFFF
            assert count <= DEPTH
            for at in range(done, done + count):
                ctx.set(queue.read, at & 0xFFFF)
                await ctx.tick()
                assert ctx.get(queue.word) == words[at] & 0xFFFF_FFFF
            arrived = dice.randrange(count + 1)
            wrong = dice.random() < 0.3
            position = written + 1 + dice.randrange(1000) if wrong else done + arrived
            ctx.set(queue.position, position & 0xFFFF)
            ctx.set(queue.acknowledge, 1)
            # Words written meanwhile would make the wrong position a valid one.
            legal = position - kept & 0xFFFF <= (ctx.get(queue.written) - kept & 0xFFFF)
            await ctx.tick()
            ctx.set(queue.acknowledge, 0)
            done += position - kept & 0xFFFF if legal else 0

    simulate(queue, source, host, cycles=200_000)


def test_a_full_queue_takes_a_word_two_cycles_after_acknowledgement() -> None:
    queue = SendQueue(DEPTH)

    async def bench(ctx: Any) -> None:
        ctx.set(queue.words.valid, 1)
        await ctx.tick().repeat(2 * DEPTH)
        assert ctx.get(queue.written) == DEPTH
        ctx.set(queue.position, 1)
        ctx.set(queue.acknowledge, 1)
        await ctx.tick()
        ctx.set(queue.acknowledge, 0)
        assert not ctx.get(queue.words.ready)
        await ctx.tick()
        assert ctx.get(queue.words.ready)
        await ctx.tick().repeat(DEPTH)
        assert ctx.get(queue.written) == DEPTH + 1

    simulate(queue, bench)


@pytest.mark.parametrize("depth", [0, 8, 24, 1 << 16])
@pytest.mark.parametrize("kind", [ReceiveQueue, SendQueue])
def test_a_depth_that_positions_cannot_address_is_refused(kind: Any, depth: int) -> None:
    with pytest.raises(ValueError, match="give a power of two from 16 to 32768"):
        kind(depth)
