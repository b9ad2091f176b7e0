# SPDX-License-Identifier: BSD-2-Clause

"""Dispatcher and collector: whole commands to the cores in turn, whole responses back in order."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from support.benches import STALLS, simulate, small_shapes

from dualgate.contract import commands
from dualgate.contract.commands import Op
from dualgate_hw.lanes.control.dispatch import (
    QUEUE_WORDS,
    RESPONSE_WORDS,
    SAMPLE_OPS,
    Collector,
    Dispatcher,
)
from dualgate_sim.testing.streams import receive, send

CORES = [1, 2, 3, 5]
OTHER_OPS = [op for op in Op if op not in SAMPLE_OPS] + [0xFF]
PADDING = [0]
Command = list[int]


def dispatcher(cores: int) -> Dispatcher:
    return Dispatcher(small_shapes(2, cores=cores))


def raw(dice: random.Random, op: int, count: int) -> Command:
    """A command whose payload looks like headers and padding, too."""
    words = (0, op, commands.header(Op.TRAIN, 3), dice.getrandbits(32))
    return [commands.header(op, count), *dice.choices(words, k=count)]


def random_commands(seed: int, count: int, samples: float) -> list[Command]:
    """Commands of up to 12 words, a share `samples` of them samples, and padding between them."""
    dice = random.Random(seed)
    said = []
    for _ in range(count):
        said += [PADDING] * dice.choice([0, 0, 0, 1, 2, 5])
        op = dice.choice(SAMPLE_OPS if dice.random() < samples else OTHER_OPS)
        said.append(raw(dice, op, dice.choice([0, 0, 1, 2, 3, 7, 8, 11])))
    return said


def is_sample(command: Command) -> bool:
    return command[0] & 0xFF in SAMPLE_OPS


def beats(said: list[Command], size: int) -> list[int]:
    """Beats of the command stream, filled up with padding."""
    words = [word for command in said for word in command]
    words += [0] * (-len(words) % size)
    return [
        sum(word << 32 * place for place, word in enumerate(words[start : start + size]))
        for start in range(0, len(words), size)
    ]


def destinations(said: list[Command], cores: int) -> tuple[list[list[Command]], list[Command]]:
    """The commands of each core, and those of the decoder."""
    samples = [command for command in said if is_sample(command)]
    others = [command for command in said if not is_sample(command) and command != PADDING]
    return [samples[core::cores] for core in range(cores)], others


def flat(some: list[Command]) -> list[int]:
    return [word for command in some for word in command]


def run(
    cores: int, said: list[Command], odds: tuple[float, float], busy: int
) -> tuple[list[list[tuple[int, int]]], list[tuple[int, int]], list[int]]:
    """Deal commands out.

    Parameters
    ----------
    busy : int
        Most cycles that the decoder is not idle after the last word of a command.

    Returns
    -------
    cores, decoder : list of (cycle, word)
    idle : list of int
        When the decoder was idle again after each of its commands.
    """
    part = dispatcher(cores)
    to_cores, to_decoder = destinations(said, cores)
    got: list[list[tuple[int, int]]] = [[] for _ in range(cores)]
    decoded: list[tuple[int, int]] = []
    idle: list[int] = []

    async def source(ctx: Any) -> None:
        await send(ctx, part.command, beats(said, part.beat), odds[0], 1)

    def sink(core: int) -> Any:
        async def bench(ctx: Any) -> None:
            words = len(flat(to_cores[core]))
            got[core] += await receive(ctx, part.cores[core], words, odds[1], 2 + core)

        return bench

    async def decoder(ctx: Any) -> None:
        dice = random.Random(5)
        cycle = 0
        ctx.set(part.decoder_idle, 1)
        for command in to_decoder:
            for position in range(len(command)):
                ((waited, word),) = await receive(ctx, part.decoder, 1, odds[1], dice.random())
                decoded.append((cycle + waited, word))
                cycle += waited + 1
                if position == 0:
                    ctx.set(part.decoder_idle, 0)
            time = 1 + dice.randrange(busy + 1)
            await ctx.tick().repeat(time)
            cycle += time
            ctx.set(part.decoder_idle, 1)
            idle.append(cycle)

    async def more(ctx: Any) -> None:
        """Nothing comes after what is expected."""
        for port in (*part.cores, part.decoder):
            assert not ctx.get(port.valid)
        assert not ctx.get(part.waiting)

    benches = [source, decoder, *(sink(core) for core in range(cores))]
    done = []

    def noted(bench: Any) -> Any:
        async def run(ctx: Any) -> None:
            await bench(ctx)
            done.append(bench)
            if len(done) == len(benches):
                await ctx.tick().repeat(20)
                await more(ctx)

        return run

    simulate(part, *(noted(bench) for bench in benches))
    return got, decoded, idle


@pytest.mark.parametrize("cores", CORES)
@pytest.mark.parametrize("odds", STALLS)
@pytest.mark.parametrize("samples", [0.5, 0.9])
def test_every_command_arrives_whole_and_in_order_the_samples_at_the_cores_in_turn(
    cores: int, odds: tuple[float, float], samples: float
) -> None:
    said = random_commands(cores, 60, samples)
    got, decoded, idle = run(cores, said, odds, busy=6)
    to_cores, to_decoder = destinations(said, cores)
    assert [[word for _, word in words] for words in got] == [flat(some) for some in to_cores]
    assert [word for _, word in decoded] == flat(to_decoder)
    for sample, others in headers(said, cores, got):
        assert sample > max(idle[:others], default=-1), "a sample overtook the decoder"


def headers(
    said: list[Command], cores: int, got: list[list[tuple[int, int]]]
) -> Iterator[tuple[int, int]]:
    """The cycle in which each sample's header came, and how many commands of the decoder before."""
    at = [0] * cores
    samples = others = 0
    for command in said:
        if is_sample(command):
            core = samples % cores
            yield got[core][at[core]][0], others
            at[core] += len(command)
            samples += 1
        elif command != PADDING:
            others += 1


@pytest.mark.parametrize("cores", CORES)
@pytest.mark.parametrize("place", range(8))
def test_commands_may_begin_at_any_word_of_a_beat(cores: int, place: int) -> None:
    dice = random.Random(place)
    said = [[commands.header(op, 0)] for op in (*SAMPLE_OPS, Op.APPLY, Op.TRAIN, Op.COUNTERS)]
    said = [PADDING] * place + [raw(dice, command[0], place % 3) for command in said]
    got, decoded, _ = run(cores, said, (0.0, 0.0), busy=0)
    to_cores, to_decoder = destinations(said, cores)
    assert [[word for _, word in words] for words in got] == [flat(some) for some in to_cores]
    assert [word for _, word in decoded] == flat(to_decoder)


def taken(cores: int, said: list[Command], drain: bool = True) -> list[int]:
    """The cycles in which the beats of samples are taken; every core takes its words at once."""
    part = dispatcher(cores)
    cycles: list[int] = []

    async def bench(ctx: Any) -> None:
        ctx.set(part.decoder_idle, 1)
        for core in part.cores:
            ctx.set(core.ready, drain)
        cycles.extend(await send(ctx, part.command, beats(said, part.beat)))

    simulate(part, bench)
    return cycles


def costs(said: list[Command], size: int) -> list[int]:
    """How many commands have words in each beat; a word of padding counts as one."""
    owners = [index for index, command in enumerate(said) for _ in command]
    owners += range(len(said), len(said) + -len(owners) % size)
    return [len(set(owners[start : start + size])) for start in range(0, len(owners), size)]


@pytest.mark.parametrize("cores", CORES)
@pytest.mark.parametrize("seed", range(3))
def test_a_beat_takes_a_cycle_for_each_command_with_words_in_it(cores: int, seed: int) -> None:
    dice = random.Random(seed)
    said = []
    for _ in range(20):
        said += [PADDING] * dice.choice([0, 0, 1])
        said.append(raw(dice, Op.TRAIN_DENSE, dice.choice([0, 1, 2, 6, 7, 15, 16, 30])))
    size = dispatcher(cores).beat
    each = costs(said, size)
    assert cores == 1 or max(each) > 1
    assert taken(cores, said) == [sum(each[:beat]) for beat in range(len(each))]


@pytest.mark.parametrize("cores", CORES)
def test_long_samples_are_taken_a_beat_a_cycle(cores: int) -> None:
    size = dispatcher(cores).beat
    said = [raw(random.Random(1), Op.TRAIN, 8 * size - 1)] * (3 * cores)
    assert taken(cores, said) == list(range(8 * 3 * cores))


@pytest.mark.parametrize("cores", CORES[1:])
def test_so_many_words_wait_for_a_core_before_the_stream_stops(cores: int) -> None:
    part = dispatcher(cores)
    words = QUEUE_WORDS - 2 * part.beat
    long = [commands.header(Op.TRAIN, words - 1), *range(1, words)]
    assert len(taken(cores, [long] * cores, drain=False)) == cores * words // part.beat


@pytest.mark.parametrize("cores", CORES)
def test_commands_of_the_decoder_do_not_wait_for_samples_but_samples_for_them(cores: int) -> None:
    part = dispatcher(cores)
    sample, apply = [commands.header(Op.INFER, 1), 5], [commands.header(Op.APPLY, 0)]
    said = [sample, apply, apply, sample]
    last = 1 % cores

    async def source(ctx: Any) -> None:
        await send(ctx, part.command, beats(said, part.beat))

    async def bench(ctx: Any) -> None:
        ctx.set(part.decoder_idle, 1)
        assert not ctx.get(part.waiting)
        got = await receive(ctx, part.decoder, 1)
        ctx.set(part.decoder_idle, 0)
        assert got[0][0] < 10
        assert ctx.get(part.waiting)
        got = await receive(ctx, part.decoder, 1)
        await receive(ctx, part.cores[0], 2)
        assert not ctx.get(part.waiting)
        for _ in range(20):
            await ctx.tick()
            assert not any(ctx.get(core.valid) for core in part.cores)
        ctx.set(part.decoder_idle, 1)
        got = await receive(ctx, part.cores[last], 2)
        assert [word for _, word in got] == sample

    simulate(part, source, bench)


@pytest.mark.parametrize("cores", CORES)
def test_words_are_waiting_until_the_last_core_has_taken_its_last(cores: int) -> None:
    part = dispatcher(cores)
    said = [[commands.header(Op.INFER, 2), core, core] for core in range(cores)]

    async def source(ctx: Any) -> None:
        await send(ctx, part.command, beats(said, part.beat))

    async def bench(ctx: Any) -> None:
        ctx.set(part.decoder_idle, 1)
        for core, port in enumerate(part.cores):
            got = await receive(ctx, port, len(said[core]) - 1, 0.5)
            assert ctx.get(part.waiting)
            got += await receive(ctx, port, 1, 0.5)
            assert [word for _, word in got] == said[core]
            assert ctx.get(part.waiting) == (core < cores - 1)

    simulate(part, source, bench)


def response(dice: random.Random, op: int) -> Command:
    return raw(dice, op, dice.choice([0, 0, 1, 2, 5, 10]))


@pytest.mark.parametrize("cores", CORES)
@pytest.mark.parametrize("odds", STALLS)
def test_responses_come_whole_in_the_turn_of_the_cores_and_the_decoder_s_last(
    cores: int, odds: tuple[float, float]
) -> None:
    """As in the engine, the decoder answers from 2 cycles after the last word of a core."""
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
    """What the last core says is taken, up to the depth of its queue, and comes last."""
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
