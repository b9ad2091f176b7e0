# SPDX-License-Identifier: BSD-2-Clause

"""The dispatcher gives whole commands to the cores in rotation, and to the decoder."""

import random
from collections.abc import Iterator
from typing import Any

import pytest
from support.benches import STALLS, simulate, small_shapes
from support.command_words import CORES, Command, flat, raw

from dualgate.contract import commands
from dualgate.contract.commands import Op
from dualgate_hw.lanes.control.dispatcher import QUEUE_WORDS, SAMPLE_OPS, Dispatcher
from dualgate_sim.testing.streams import receive, send

pytestmark = pytest.mark.slow

OTHER_OPS = [op for op in Op if op not in SAMPLE_OPS] + [0xFF]
PADDING = [0]


def dispatcher(cores: int) -> Dispatcher:
    return Dispatcher(small_shapes(2, cores=cores))


def random_commands(seed: int, count: int, samples: float) -> list[Command]:
    """Return commands of up to 12 words, padding between them; a share `samples` are samples."""
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
    """Return the beats of the command stream; padding fills the last one."""
    words = [word for command in said for word in command]
    words += [0] * (-len(words) % size)
    return [
        sum(word << 32 * place for place, word in enumerate(words[start : start + size]))
        for start in range(0, len(words), size)
    ]


def destinations(said: list[Command], cores: int) -> tuple[list[list[Command]], list[Command]]:
    """Return the commands for each core, and those for the decoder."""
    samples = [command for command in said if is_sample(command)]
    others = [command for command in said if not is_sample(command) and command != PADDING]
    return [samples[core::cores] for core in range(cores)], others


def run(
    cores: int, said: list[Command], odds: tuple[float, float], busy: int
) -> tuple[list[list[tuple[int, int]]], list[tuple[int, int]], list[int]]:
    """Send commands through a dispatcher.

    Parameters
    ----------
    busy : int
        Largest number of cycles that the decoder stays busy after the last word of a command.

    Returns
    -------
    cores, decoder : list of (cycle, word)
    idle : list of int
        Cycle in which the decoder was idle again, for each of its commands.
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
        """Nothing follows the expected words."""
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
def test_commands_arrive_whole_and_in_order_samples_in_rotation(
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
    """Yield the cycle of each sample's header, and the number of decoder commands before it."""
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
    """Return the cycles in which beats of samples are taken; each core takes its words at once."""
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
    """Return the number of commands with words in each beat; a padding word counts as one."""
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
def test_queue_words_wait_for_a_core_before_the_stream_stops(cores: int) -> None:
    part = dispatcher(cores)
    words = QUEUE_WORDS - 2 * part.beat
    long = [commands.header(Op.TRAIN, words - 1), *range(1, words)]
    assert len(taken(cores, [long] * cores, drain=False)) == cores * words // part.beat


@pytest.mark.parametrize("cores", CORES)
def test_samples_wait_for_commands_of_the_decoder_but_not_vice_versa(cores: int) -> None:
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
