# SPDX-License-Identifier: BSD-2-Clause

"""The command decoder executes every command without a sample, and refuses malformed ones."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import wiring
from support.benches import STALLS, row_memories, simulate, small_shapes, watcher

from dualgate.contract import commands
from dualgate.contract.commands import COUNTERS, IDENTITY_FIELDS, MAGIC, PROTOCOL, Op, Status
from dualgate.contract.layout import Layout
from dualgate.contract.network import Network
from dualgate.contract.settings import Settings
from dualgate_hw.lanes.control.decoder import CommandDecoder
from dualgate_hw.lanes.control.row_access import RowAccess
from dualgate_sim.testing.streams import plain, receive, send

NEURONS = 2
SHAPES = small_shapes(NEURONS)
ENGINE = SHAPES.engine
NETWORK = Network((3, 4, 2), "tanh", "mse")
LAYOUT = Layout(NETWORK, ENGINE, 12)
APPLY_TIME = 7
HIGH = 0xFFFF_FFFF


def configuration() -> list[list[int]]:
    count = len(NETWORK.layers)
    layers = [commands.layer_command(LAYOUT, index).tolist() for index in range(count)]
    return [*layers, commands.settings_command(Settings(20000, 17, 16384, 3, True), count).tolist()]


@dataclass
class Heard:
    """Outputs of a decoder: its responses, its pulses by name, its settings and descriptors."""

    responses: list[list[int]] = field(default_factory=list)
    events: dict[str, list[Any]] = field(default_factory=dict)
    settings: dict[str, int] = field(default_factory=dict)
    layers: list[dict[str, int]] = field(default_factory=list)


def talk(
    said: list[list[int]],
    responses: int,
    odds: tuple[float, float] = (0.0, 0.0),
    drained_after: int = 0,
) -> Heard:
    """Send commands to a decoder whose engine is otherwise empty.

    Parameters
    ----------
    responses : int
        Words to wait for; the decoder must not respond with more.
    drained_after : int
        Cycle from which on no sample is in flight.
    """
    heard = Heard()
    m = Module()
    m.submodules.decoder = decoder = CommandDecoder(SHAPES)
    m.submodules.row_access = access = RowAccess(SHAPES)
    wiring.connect(m, decoder.row_access, access.port)
    row_memories(m, access, SHAPES)
    m.d.sync += decoder.counter.eq(decoder.counter_index * ((1 << 40) + 5))
    notes = {}
    watches = []
    for name, when, what in (
        ("layer", decoder.layer_write, decoder.layer_index),
        ("weights", access.write_weights, access.strip),
        ("velocity", access.write_velocity, access.strip),
        ("apply", decoder.batch_end, decoder.batch_end),
        ("clear", decoder.counter_clear, decoder.counter_clear),
    ):
        watch, notes[name] = watcher(when, what)
        watches.append(watch)

    async def finish_batches(ctx: Any) -> None:
        left = 0
        while True:
            (begun,) = (await ctx.tick().sample(decoder.batch_end))[2:]
            left = APPLY_TIME if begun else max(0, left - 1)
            ctx.set(decoder.batch_done, left == 1)

    async def drain(ctx: Any) -> None:
        await ctx.tick().repeat(drained_after + 1)
        ctx.set(decoder.drained, 1)

    async def source(ctx: Any) -> None:
        await send(ctx, decoder.command, [word for command in said for word in command], odds[0])

    async def sink(ctx: Any) -> None:
        got = await receive(ctx, decoder.response, responses, odds[1], 1)
        assert all(cycle >= drained_after for cycle, _ in got)
        words = np.array([word for _, word in got], np.uint32)
        for answer in commands.parse_responses(words):
            heard.responses.append([answer.op, answer.status, *answer.payload.tolist()])
        await ctx.tick().repeat(30)
        assert not ctx.get(decoder.response.valid), "said more than was asked"
        assert ctx.get(decoder.idle)
        heard.settings = plain(ctx.get(decoder.settings))
        heard.layers = [plain(ctx.get(decoder.input_layer)), plain(ctx.get(decoder.output_layer))]

    simulate(m, source, sink, watch=[*watches, finish_batches, drain])
    heard.events = {name: [value for _, value in found] for name, found in notes.items()}
    return heard


def raw(op: int, payload: list[int]) -> list[int]:
    return [commands.header(op, len(payload)), *payload]


def configured(*said: list[int], responses: int, **options: Any) -> Heard:
    """Talk after a configuration; its responses and events are checked and removed."""
    before = configuration()
    heard = talk([*before, *said], len(before) + responses, **options)
    assert heard.responses[: len(before)] == [[command[0] & 0xFF, 0] for command in before]
    del heard.responses[: len(before)]
    assert heard.events["layer"][: len(NETWORK.layers)] == [0, 1]
    del heard.events["layer"][: len(NETWORK.layers)]
    return heard


WRONG = [
    (Op.IDENTIFY, [1], Status.LENGTH),
    (Op.LAYER, [0] * commands.LAYER_WORDS, Status.LENGTH),
    (Op.LAYER, [0] * (commands.LAYER_WORDS + 2), Status.LENGTH),
    (Op.SETTINGS, [], Status.LENGTH),
    (Op.SETTINGS, [0] * (commands.SETTINGS_WORDS + 1), Status.LENGTH),
    (Op.WRITE_WEIGHTS, [], Status.LENGTH),
    (Op.WRITE_WEIGHTS, [0, 1], Status.LENGTH),
    (Op.WRITE_VELOCITY, [0, 1, 2], Status.LENGTH),
    (Op.READ_WEIGHTS, [0], Status.LENGTH),
    (Op.READ_VELOCITY, [0, 1, 2], Status.LENGTH),
    (Op.APPLY, [0], Status.LENGTH),
    (Op.COUNTERS, [0, 0], Status.LENGTH),
    (Op.CLEAR_COUNTERS, [0], Status.LENGTH),
    (0, [], Status.UNKNOWN),
    (15, [1, 2, 3], Status.UNKNOWN),
    (255, [9] * 20, Status.UNKNOWN),
]


@pytest.mark.parametrize(("op", "payload", "status"), WRONG)
def test_a_malformed_command_is_read_refused_and_changes_nothing(
    op: int, payload: list[int], status: Status
) -> None:
    heard = configured(raw(op, payload), raw(Op.CLEAR_COUNTERS, []), responses=2)
    assert heard.responses == [[op, status], [Op.CLEAR_COUNTERS, Status.OK]]
    assert heard.events == {
        "layer": [],
        "weights": [],
        "velocity": [],
        "apply": [],
        "clear": [1],
    }
    assert heard.settings["rate_mantissa"] == 20000


@pytest.mark.parametrize("odds", STALLS)
def test_rows_are_written_from_a_row_on_and_read_back(odds: tuple[float, float]) -> None:
    random = np.random.default_rng(3)
    weights = random.integers(0, 1 << 32, 3 * NEURONS).tolist()
    velocity = [(1 << 45) - 1, -(1 << 45), -1, 0]
    words = [part & HIGH for v in velocity for part in (v, v >> 32)]
    heard = configured(
        raw(Op.WRITE_WEIGHTS, [5, *weights]),
        raw(Op.WRITE_VELOCITY, [9, *words]),
        raw(Op.READ_WEIGHTS, [6, 2]),
        raw(Op.READ_VELOCITY, [9, 2]),
        raw(Op.READ_WEIGHTS, [0, 0]),
        responses=2 + 1 + 2 * NEURONS + 1 + 4 * NEURONS + 1,
        odds=odds,
    )
    assert heard.events["weights"] == [5, 6, 7]
    assert heard.events["velocity"] == [9, 10]
    assert heard.responses == [
        [Op.WRITE_WEIGHTS, 0],
        [Op.WRITE_VELOCITY, 0],
        [Op.READ_WEIGHTS, 0, *weights[NEURONS:]],
        [Op.READ_VELOCITY, 0, *words],
        [Op.READ_WEIGHTS, 0],
    ]


@pytest.mark.parametrize("odds", STALLS)
def test_identity_and_counters_are_told_whole(odds: tuple[float, float]) -> None:
    said = [raw(Op.IDENTIFY, []), raw(Op.COUNTERS, []), raw(Op.CLEAR_COUNTERS, [])]
    heard = talk(said, 1 + len(IDENTITY_FIELDS) + 1 + 2 * len(COUNTERS) + 1, odds)
    identity, counters, _ = heard.responses
    fields = {"magic": MAGIC, "protocol": PROTOCOL, **vars(ENGINE)}
    assert identity == [Op.IDENTIFY, 0, *(fields[name] for name in IDENTITY_FIELDS)]
    values = [index * ((1 << 40) + 5) for index in range(len(COUNTERS))]
    assert counters[2:] == [part for v in values for part in (v & HIGH, v >> 32)]
    assert heard.events["clear"] == [1]


def test_descriptors_and_settings_arrive_whole() -> None:
    heard = configured(responses=0)
    assert heard.settings == {
        "rate_mantissa": 20000,
        "rate_shift": 17,
        "prune": 3,
        "layers": 2,
        "momentum": 16384,
        "masked": 1,
    }
    assert heard.layers == [LAYOUT.descriptors[0], LAYOUT.descriptors[-1]]


@pytest.mark.parametrize("op", [Op.APPLY, Op.COUNTERS, Op.IDENTIFY, 77])
def test_a_command_waits_until_no_sample_is_in_flight(op: int) -> None:
    words = {Op.COUNTERS: 1 + 2 * len(COUNTERS), Op.IDENTIFY: 1 + len(IDENTITY_FIELDS)}
    heard = talk([raw(op, [])], words.get(Op(op) if op != 77 else None, 1), drained_after=60)
    assert heard.responses[0][:2] == [op, Status.UNKNOWN if op == 77 else Status.OK]


def test_the_response_to_a_batch_s_end_comes_when_it_is_done() -> None:
    heard = configured(raw(Op.APPLY, []), raw(Op.APPLY, []), responses=2)
    assert heard.responses == [[Op.APPLY, 0]] * 2
    assert heard.events["apply"] == [1, 1]


def test_it_is_idle_but_from_a_header_to_the_end_of_its_response() -> None:
    decoder = CommandDecoder(SHAPES)

    async def bench(ctx: Any) -> None:
        ctx.set(decoder.drained, 1)
        assert ctx.get(decoder.idle)
        await send(ctx, decoder.command, raw(Op.IDENTIFY, []))
        for _ in range(1 + len(IDENTITY_FIELDS)):
            assert not ctx.get(decoder.idle)
            await receive(ctx, decoder.response, 1, 0.5)
        assert ctx.get(decoder.idle)

    simulate(decoder, bench)
