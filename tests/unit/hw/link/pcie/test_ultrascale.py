# SPDX-License-Identifier: BSD-2-Clause

"""The BAR on the streams of the UltraScale+ block: details beyond the models, and cycles."""

from itertools import pairwise
from typing import Any

import pytest
from support.benches import simulate, watcher
from support.cq_packets import Request, answers, as_words, ask, read, write
from support.echo import Echo

from dualgate.contract.commands import MAGIC
from dualgate.contract.engine import EngineParameters
from dualgate.link.bar import Page, Register
from dualgate.link.identity import Identity
from dualgate_hw.link.pcie.engine import UltraScaleEngine
from dualgate_hw.link.pcie.ultrascale_types import NOTE, REQUEST, RequestType

pytestmark = pytest.mark.slow

SCRATCH, WINDOW = Page.SCRATCH.base, Page.WINDOW.base
BUILD = bytes(range(32))
DEPTH = 256


def board() -> UltraScaleEngine:
    return UltraScaleEngine(Echo(), Identity(EngineParameters(), BUILD), DEPTH, DEPTH)


def converse(
    requests: list[Request], count: int, odds: tuple[float, float] = (0.0, 0.0)
) -> list[tuple[dict[str, int], list[int]]]:
    """Send all requests; returns `count` completions."""
    design = board()
    heard: list[tuple[dict[str, int], list[int]]] = []

    async def asking(ctx: Any) -> None:
        await ask(ctx, design.cq, requests, odds[0])

    async def hearing(ctx: Any) -> None:
        heard.extend(await answers(ctx, design.cc, count, odds[1]))

    simulate(design, asking, hearing)
    return heard


@pytest.mark.parametrize("odds", [(0.0, 0.0), (0.7, 0.0), (0.0, 0.8), (0.5, 0.5)])
def test_a_completion_repeats_what_identifies_its_request(odds: tuple[float, float]) -> None:
    request = read(Register.MAGIC, 2, tag=0xA7)
    ((descriptor, words),) = converse([request], 1, odds)
    assert words == [MAGIC, 1]
    for name in ("requester", "tag", "function", "traffic", "attributes", "translation"):
        assert descriptor[name] == request.fields[name]
    assert {
        name: descriptor[name] for name in ("lower", "bytes", "length", "status", "locked")
    } == {
        "lower": 0,
        "bytes": 8,
        "length": 2,
        "status": 0,
        "locked": 0,
    }
    for name in ("bus_valid", "poisoned", "checksum"):
        assert descriptor[name] == 0


@pytest.mark.parametrize("kind", [2, 3, 4, 5, 6, RequestType.LOCKED_READ, 8, 9, 10, 11])
def test_an_unsupported_request_is_refused_and_repeated_for_the_log(kind: int) -> None:
    payload = {3: [1], 4: [1], 5: [1, 2], 6: [1, 2, 3, 4], 10: [1], 11: [1]}.get(kind, [])
    length = 3 if kind == RequestType.LOCKED_READ else max(len(payload), 1)
    request = Request(kind, SCRATCH + 4, length, payload, first=0b1100, last=0b0111)
    refusal, alive = converse([request, read(SCRATCH + 4, 1)], 2)
    descriptor, words = refusal
    assert descriptor["status"] == 1
    assert descriptor["length"] == 0
    assert descriptor["tag"] == request.tag
    locked = kind == RequestType.LOCKED_READ
    assert descriptor["locked"] == locked
    assert descriptor["lower"] == (6 if locked else 0)
    assert descriptor["bytes"] == (9 if locked else 4)
    assert words == [*as_words(NOTE.const(request.note)), *as_words(REQUEST.const(request.fields))]
    assert alive[1] == [0]


def test_a_read_of_part_of_a_word_states_its_first_byte_and_length() -> None:
    """First byte and count for byte enables 0 to 15; 0 counts as if the first byte were enabled."""
    reads = [read(SCRATCH + 8, 1, first=enables) for enables in range(16)]
    got = [(descriptor["lower"] - 8, descriptor["bytes"]) for descriptor, _ in converse(reads, 16)]
    assert got == [
        *[(0, 1), (0, 1), (1, 1), (0, 2), (2, 1), (0, 3), (1, 2), (0, 3)],
        *[(3, 1), (0, 4), (1, 3), (0, 4), (2, 2), (0, 4), (1, 3), (0, 4)],
    ]


def test_a_read_of_another_bar_is_refused() -> None:
    (refusal,) = converse([read(SCRATCH, 1, bar=2)], 1)
    assert refusal[0]["status"] == 1


@pytest.mark.parametrize(
    "request_",
    [
        write(SCRATCH, [1, 2, 3], bar=1),
        write(SCRATCH, [1, 2, 3], damaged=True),
        write(WINDOW, [1], damaged=True),
        Request(RequestType.MESSAGE),
        Request(RequestType.VENDOR_MESSAGE, SCRATCH, 3, [1, 2, 3]),
        Request(RequestType.TRANSLATION_MESSAGE, SCRATCH, 2, [1, 2]),
    ],
)
def test_a_request_without_a_completion_is_dropped_whole(request_: Request) -> None:
    memory, status, levels = converse(
        [request_, read(SCRATCH, 3), read(Register.STATUS), read(Register.LEVELS)], 3
    )
    assert memory[1] == [0, 0, 0]
    assert status[1] == [0]
    assert levels[1] == [DEPTH]


@pytest.mark.parametrize(("words", "period"), [(1, 3), (2, 4), (16, 18), (32, 34)])
def test_commands_pass_at_the_stated_rate(words: int, period: int) -> None:
    """A packet with one word takes 3 cycles, one for each beat."""
    design = board()
    target = design.target.target
    packets = 5
    watch, pushes = watcher(target.push, target.word)

    async def asking(ctx: Any) -> None:
        await ask(ctx, design.cq, [write(WINDOW, range(1, words + 1))] * packets)
        await ctx.tick().repeat(200)

    simulate(design, asking, watch=[watch])
    starts = [cycle for cycle, word in pushes if word == 1]
    assert [word for _, word in pushes] == [*range(1, words + 1)] * packets
    assert {after - before for before, after in pairwise(starts)} == {period}


@pytest.mark.parametrize(("words", "period"), [(1, 6), (32, 37), (64, 73)])
def test_responses_pass_at_the_stated_rate(words: int, period: int) -> None:
    """A cycle per word, 4 per completion and one for the read."""
    design = board()
    watch, ends = watcher(design.cc.tvalid & design.cc.tready & design.cc.tlast)
    reads = 4

    async def asking(ctx: Any) -> None:
        for start in range(0, words * reads, 32):
            count = min(32, words * reads - start)
            await ask(ctx, design.cq, [write(WINDOW, range(start, start + count))])
        await ask(ctx, design.cq, [read(WINDOW, words)] * reads)

    async def hearing(ctx: Any) -> None:
        blocks = -(-words // 32)
        got = await answers(ctx, design.cc, reads * blocks)
        assert [word for _, part in got for word in part] == [*range(words * reads)]

    simulate(design, asking, hearing, watch=[watch])
    last = [cycle for (cycle,) in ends][:: -(-words // 32)]
    assert {after - before for before, after in pairwise(last)} == {period}


def test_the_block_is_asked_for_no_more_reads_than_can_wait() -> None:
    """While completions stall, reads wait and writes pass them; then each read is answered."""
    design = board()
    reads, asked = 60, []
    watch, pushes = watcher(design.target.target.push)
    full, stalls = watcher(
        design.target.completion.valid & ~design.target.completion.ready & ~design.target.room
    )
    freed = [False]

    async def asking(ctx: Any) -> None:
        await ask(ctx, design.cq, [read(SCRATCH, 1024)] * 2)
        for _ in range(reads):
            asked.append(ctx.get(design.np_req))
            await ask(ctx, design.cq, [read(SCRATCH, 2)])
        await ask(ctx, design.cq, [write(WINDOW, range(32))] * 3)
        await ctx.tick().repeat(1500)
        assert len(pushes) == 96
        freed[0] = True

    async def hearing(ctx: Any) -> None:
        while not freed[0]:
            await ctx.tick()
        got = await answers(ctx, design.cc, 2 * 32 + reads)
        assert sum(len(words) for _, words in got) == 2 * 1024 + 2 * reads

    simulate(design, asking, hearing, watch=[watch, full])
    assert asked[0] == 1
    assert asked[-1] == 0
    assert stalls == []
