# SPDX-License-Identifier: BSD-2-Clause

"""The loader files either form of a sample in the stated time, and refuses malformed ones."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import wiring
from hypothesis import given
from hypothesis import strategies as st
from support.benches import STALLS, attach, contents, simulate, small_shapes, watcher
from support.effort import examples

from dualgate.contract import commands
from dualgate.contract.commands import Op, Status
from dualgate.contract.sample_commands import sample_commands
from dualgate_hw.common.shapes import VALUE, WORD
from dualgate_hw.lanes.control.loader import Loader
from dualgate_hw.lanes.memory.input_ring import InputRing
from dualgate_sim.testing.streams import plain, receive, send

pytestmark = pytest.mark.slow

SHAPES = small_shapes(2, activations=128)
ENGINE = SHAPES.engine
WIDTH = ENGINE.groups * ENGINE.neurons
IN_FRAC = 12
TIMES = st.sampled_from([2, 40])
"""Cycles in flight: 2 is less than a core takes, and the least that the ring allows."""
HIGH = 0xFFFF_FFFF


@dataclass
class Loaded:
    """Outputs of a loader.

    Members
    -------
    samples : list of {"train", "inputs", "targets", "masks"}
        Samples that were handed on.
    refusals : list of (operation, status)
        Responses.
    headers : list of int
        Cycle in which each header was taken.
    refused : list of int
        Cycle in which each response was taken.
    """

    samples: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[tuple[int, int]] = field(default_factory=list)
    headers: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)


def load(
    said: list[list[int]],
    inputs: int,
    outputs: int,
    odds: tuple[float, float] = (0.0, 0.0),
    time: int = 0,
    places: int = 0,
) -> Loaded:
    """Send sample commands to a loader, and collect what it files.

    Parameters
    ----------
    odds : float, float
        Probability that a command is held back, and that a sample or a response is.
    time : int
        Cycles that a sample is in flight; `SHAPES.contexts` of them can be in flight at once.
    places : int
        Bits of a sample's masks, 0 for none.
    """
    loaded = Loaded()
    m = Module()
    m.submodules.loader = loader = Loader(SHAPES)
    m.submodules.ring = ring = InputRing(SHAPES)
    wiring.connect(m, loader.inputs, ring.writer)
    stores = {
        "targets": attach(m, "targets", loader.targets, VALUE, SHAPES.contexts * WIDTH),
        "masks": attach(m, "masks", loader.masks, WORD, SHAPES.contexts * SHAPES.mask_words),
    }
    mask_words = -(-places // 32)
    m.d.comb += [
        loader.input_layer.inputs.eq(inputs),
        loader.input_layer.in_frac.eq(IN_FRAC),
        loader.output_layer.outputs.eq(outputs),
        loader.output_layer.list_base.eq(places // 3),
        loader.output_layer.inputs.eq(places - places // 3 - 1 if places else 0),
        loader.masked.eq(places != 0),
    ]
    watch, words = watcher(loader.command.valid & loader.command.ready)
    flying: list[int] = []
    m.d.comb += [
        ring.inputs.eq(inputs),
        ring.update.en.eq(0),
        ring.context.eq(loader.context),
        ring.enters.eq(loader.sample.valid & loader.sample.ready),
    ]

    def filed(ctx: Any, payload: dict[str, Any]) -> dict[str, Any]:
        context = payload["token"]["context"]
        words = contents(ctx, ring.store)
        place = [
            words[(payload["first"] + at // 2) % len(words)][at % 2]
            for at in range(payload["count"])
        ]
        targets = contents(ctx, stores["targets"])[context * WIDTH :][:outputs]
        train = payload["token"]["train"]
        entries = [(entry["index"], entry["value"]) for entry in place]
        masks = contents(ctx, stores["masks"])[context * SHAPES.mask_words :][:mask_words]
        assert payload["masked"] == (train and places > 0)
        return {
            "train": train,
            "inputs": entries,
            "targets": targets if train else [],
            "masks": masks if train else [],
        }

    async def fly(ctx: Any) -> None:
        """Assign and free contexts as a core does."""
        dice = np.random.default_rng(3)
        cycle = turn = 0
        while True:
            leaves = len(flying) > 0 and flying[0] <= cycle
            if leaves:
                flying.pop(0)
            ctx.set(ring.leaves, leaves)
            ctx.set(loader.context, turn)
            ctx.set(loader.context_free, len(flying) < SHAPES.contexts and ctx.get(ring.room))
            ctx.set(loader.empty, not flying)
            ctx.set(loader.sample.ready, dice.random() >= odds[1])
            sampled = await ctx.tick().sample(
                loader.sample.valid & loader.sample.ready, loader.sample.payload, loader.idle
            )
            handed, payload, idle = sampled[2:]
            assert not (idle and flying), "idle with a sample in flight"
            cycle += 1
            if handed:
                assert payload["token"]["context"] == turn
                assert len(flying) < SHAPES.contexts
                loaded.samples.append(filed(ctx, plain(payload)))
                flying.append(cycle + time)
                turn = (turn + 1) % SHAPES.contexts

    async def respond(ctx: Any) -> None:
        cycle = 0
        while True:
            ((after, word),) = await receive(ctx, loader.response, 1, odds[1], cycle)
            cycle += after + 1
            assert not flying, "answered with a sample in flight"
            assert word >> 16 == 0
            loaded.refusals.append((word & 0xFF, word >> 8))
            loaded.refused.append(cycle - 1)

    async def bench(ctx: Any) -> None:
        await ctx.tick().repeat(2)  # the descriptors must be constant for as long
        await send(ctx, loader.command, [word for command in said for word in command], odds[0], 1)
        idle = False
        while not idle:
            (idle,) = (await ctx.tick().sample(loader.idle))[2:]

    simulate(m, bench, watch=[watch, fly, respond], cycles=5_000)
    taken = [cycle for (cycle,) in words]
    assert len(taken) == sum(map(len, said))
    starts = np.cumsum([0, *map(len, said[:-1])])
    loaded.headers = [taken[start] for start in starts]
    return loaded


def raw(op: int, payload: list[int]) -> list[int]:
    return [commands.header(op, len(payload)), *payload]


def sparse(x: list[int], target: list[int] | None, masks: Sequence[int] = ()) -> list[int]:
    entries = [index << 16 | value & 0xFFFF for index, value in enumerate(x) if value]
    payload = [*(number & HIGH for number in target or []), *masks, *entries]
    return raw(Op.INFER if target is None else Op.TRAIN, payload)


def dense(x: list[int], target: list[int] | None, masks: Sequence[int] = ()) -> list[int]:
    even, odd = x[0::2], [*x[1::2], 0]
    entries = [low & 0xFFFF | (high & 0xFFFF) << 16 for low, high in zip(even, odd, strict=False)]
    payload = [*(number & HIGH for number in target or []), *masks, *entries]
    return raw(Op.INFER_DENSE if target is None else Op.TRAIN_DENSE, payload)


def expected(x: list[int], target: list[int] | None, masks: Sequence[int] = ()) -> dict[str, Any]:
    entries = [(index, value) for index, value in enumerate(x) if value]
    return {
        "train": int(target is not None),
        "inputs": [*entries, (len(x), 1 << IN_FRAC)],
        "targets": target or [],
        "masks": [*masks],
    }


def pairs(x: list[int]) -> int:
    """Return the number of words of the dense form whose two inputs are both nonzero."""
    return sum(low != 0 and high != 0 for low, high in zip(x[0::2], x[1::2], strict=False))


INPUT = st.just(0) | st.sampled_from([1, -1, 32767, -32768]) | st.integers(-32768, 32767)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[int, int, list[tuple[list[int], list[int] | None]]]:
    """Draw the number of inputs and outputs of a network, and samples for it."""
    inputs, outputs = draw(st.integers(1, ENGINE.inputs - 1)), draw(st.integers(1, WIDTH))
    x = st.lists(INPUT, min_size=inputs, max_size=inputs)
    target = st.lists(st.integers(-32768, 32767), min_size=outputs, max_size=outputs)
    samples = draw(st.lists(st.tuples(x, st.none() | target), min_size=1, max_size=6))
    return inputs, outputs, samples


@examples(40)
@given(conversations(), st.sampled_from(STALLS), st.sampled_from([2, 5, 40, 200]), st.data())
def test_either_form_leaves_targets_nonzero_inputs_and_a_bias(
    said: tuple[int, int, list[Any]], odds: tuple[float, float], time: int, data: st.DataObject
) -> None:
    inputs, outputs, samples = said
    forms = [data.draw(st.sampled_from([sparse, dense])) for _ in samples]
    words = [form(*sample) for form, sample in zip(forms, samples, strict=True)]
    loaded = load(words, inputs, outputs, odds, time)
    assert loaded.samples == [expected(*sample) for sample in samples]
    assert loaded.refusals == []


PLACES = st.sampled_from([2, 31, 32, 33, 64, 65, 128])


@examples(25)
@given(conversations(), PLACES, st.sampled_from(STALLS), TIMES, st.data())
def test_masks_are_filed_for_samples_to_train_on_and_no_others(
    said: tuple[int, int, list[Any]],
    places: int,
    odds: tuple[float, float],
    time: int,
    data: st.DataObject,
) -> None:
    inputs, outputs, samples = said
    count = -(-places // 32)
    word = st.integers(0, HIGH)
    masks = [
        [] if target is None else data.draw(st.lists(word, min_size=count, max_size=count))
        for _, target in samples
    ]
    forms = [data.draw(st.sampled_from([sparse, dense])) for _ in samples]
    words = [form(*s, mask) for form, s, mask in zip(forms, samples, masks, strict=True)]
    loaded = load(words, inputs, outputs, odds, time, places)
    assert loaded.samples == [expected(*s, mask) for s, mask in zip(samples, masks, strict=True)]
    assert loaded.refusals == []


@pytest.mark.parametrize("places", [31, 33, 96])
@pytest.mark.parametrize("form", [sparse, dense])
def test_masks_take_a_cycle_a_word(form: Any, places: int) -> None:
    x, target, masks = [5, -1, 0, 3], [7, -8], [HIGH] * -(-places // 32)
    said = form(x, target, masks)
    loaded = load([said, said, sparse(x, None)], 4, 2, places=places)
    assert loaded.samples == [*[expected(x, target, masks)] * 2, expected(x, None)]
    cycles = 4 + len(said) - 1 + (pairs(x) if form is dense else 0)
    assert np.diff(loaded.headers).tolist() == [cycles] * 2


MASK = 0x1234_5678
WRONG_MASKED = [
    (Op.TRAIN, [7, 7]),
    (Op.TRAIN, [7, 7, MASK]),
    (Op.TRAIN, [7, 7, MASK, MASK, 0 << 16 | 5, 1 << 16 | 5, 2 << 16 | 5, 2 << 16 | 5]),
    (Op.TRAIN_DENSE, [7, 7, 1, 2]),
    (Op.TRAIN_DENSE, [7, 7, MASK, 1, 2]),
    (Op.TRAIN_DENSE, [7, 7, MASK, MASK, MASK, 1, 2]),
    (Op.INFER_DENSE, [MASK, MASK, 1, 2]),
]
"""Malformed samples for a network of 3 inputs and 2 outputs, whose masks have 2 words."""


@pytest.mark.parametrize("odds", [(0.0, 0.0), (0.5, 0.5)])
@pytest.mark.parametrize(("op", "payload"), WRONG_MASKED)
def test_a_sample_without_all_of_its_masks_is_refused(
    op: int, payload: list[int], odds: tuple[float, float]
) -> None:
    right = [0, -1, 9], [-3, 32767], [MASK, HIGH]
    loaded = load([raw(op, payload), dense(*right), raw(op, payload)], 3, 2, odds, places=40)
    refusal = (Op.INFER if op == Op.INFER_DENSE else Op.TRAIN, Status.LENGTH)
    assert loaded.refusals == [refusal] * 2
    assert loaded.samples == [expected(*right)]


X = {
    "all zero": [0] * 7,
    "all nonzero": [5, -1, 32767, -32768, 1, 2, 3],
    "even ones": [5, 0, 32767, 0, 1, 0, 3],
    "odd ones": [0, -1, 0, -32768, 0, 2, 0],
    "some": [0, 0, 4, 5, 0, 6, 0],
}


@pytest.mark.parametrize("count", [6, 7])
@pytest.mark.parametrize("name", X)
@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("form", [sparse, dense])
def test_a_sample_takes_the_cycles_stated(form: Any, train: bool, name: str, count: int) -> None:
    x, target = X[name][:count], [7, -8, 9] if train else None
    said = form(x, target)
    loaded = load([said, said, sparse(x, None)], count, 3)
    assert loaded.samples == [*[expected(x, target)] * 2, expected(x, None)]
    # The payload does not include the header.
    cycles = 4 + len(said) - 1 + (pairs(x) if form is dense else 0)
    assert np.diff(loaded.headers).tolist() == [cycles] * 2


def test_what_the_host_sends_is_what_was_meant() -> None:
    random = np.random.default_rng(1)
    samples: list[tuple[list[int], list[int] | None]] = []
    for share in (0.0, 0.2, 0.5, 0.8, 1.0):
        x = (random.integers(-9, 9, 7) * (random.random(7) < share)).tolist()
        samples += [(x, None), (x, [3, -4])]
    said = [
        sample_commands(np.array([x]), None if target is None else np.array([target])).tolist()
        for x, target in samples
    ]
    assert {command[0] & 0xFF for command in said} == {
        Op.TRAIN,
        Op.INFER,
        Op.TRAIN_DENSE,
        Op.INFER_DENSE,
    }
    assert load(said, 7, 2).samples == [expected(*sample) for sample in samples]


ENTRY_0 = 0 << 16 | 5
WRONG = [
    (Op.TRAIN, []),
    (Op.TRAIN, [7]),
    (Op.TRAIN, [7, 7, *[ENTRY_0] * 4]),
    (Op.TRAIN, [7, 7, ENTRY_0, 3 << 16 | 1]),
    (Op.TRAIN, [7, 7, 0xFFFF << 16 | 1, ENTRY_0]),
    (Op.INFER, [ENTRY_0] * 4),
    (Op.INFER, [3 << 16]),
    (Op.TRAIN_DENSE, []),
    (Op.TRAIN_DENSE, [7, 7]),
    (Op.TRAIN_DENSE, [7, 7, 1]),
    (Op.TRAIN_DENSE, [7, 7, 1, 2, 3]),
    (Op.TRAIN_DENSE, [7, 7, 1, 1 << 16]),
    (Op.TRAIN_DENSE, [7, 7, 1, 1 << 16 | 2]),
    (Op.INFER_DENSE, []),
    (Op.INFER_DENSE, [1]),
    (Op.INFER_DENSE, [1, 2, 3]),
    (Op.INFER_DENSE, [1, 0x8000 << 16]),
]
"""Malformed samples for a network of 3 inputs and 2 outputs."""


@pytest.mark.parametrize("odds", [(0.0, 0.0), (0.5, 0.5)])
@pytest.mark.parametrize(("op", "payload"), WRONG)
def test_a_wrong_sample_is_read_to_its_end_answered_and_not_handed_on(
    op: int, payload: list[int], odds: tuple[float, float]
) -> None:
    x, target = [0, -1, 9], [-3, 32767]
    loaded = load([raw(op, payload), dense(x, target), raw(op, payload)], 3, 2, odds)
    train = op in (Op.TRAIN, Op.TRAIN_DENSE)
    refusal = (Op.TRAIN if train else Op.INFER, Status.LENGTH)
    assert loaded.refusals == [refusal] * 2
    assert loaded.samples == [expected(x, target)]


@pytest.mark.parametrize(
    ("wrong", "op"),
    [(raw(Op.TRAIN_DENSE, [7]), Op.TRAIN), (raw(Op.INFER_DENSE, [1, 1 << 16]), Op.INFER)],
)
def test_a_refusal_keeps_its_place_between_earlier_and_later_samples(
    wrong: list[int], op: int
) -> None:
    """`load` asserts that no sample is in flight when the response is taken."""
    x, time = [1, 0, 2], 60
    said = [sparse(x, None), sparse(x, None), wrong, sparse(x, None)]
    loaded = load(said, 3, 2, time=time)
    assert loaded.refusals == [(op, Status.LENGTH)]
    assert len(loaded.samples) == 3
    second, third, last = loaded.headers[1:]
    assert third - second < 10
    # The second sample has two nonzeros, so it is in flight 6 cycles after its header. The loader
    # sees its end one cycle later.
    assert loaded.refused == [second + 6 + time + 1]
    assert last == loaded.refused[0] + 1


def test_a_sample_waits_for_a_context_and_writes_nothing_before() -> None:
    loader = Loader(SHAPES)
    m = Module()
    m.submodules.loader = loader
    m.d.comb += [loader.input_layer.inputs.eq(3), loader.output_layer.outputs.eq(1)]
    watch, written = watcher(loader.inputs.en | loader.targets.en)

    async def source(ctx: Any) -> None:
        await send(ctx, loader.command, dense([1, 2, 3], [4]))

    async def sink(ctx: Any) -> None:
        ctx.set(loader.empty, 1)
        await ctx.tick().repeat(40)
        assert written == []
        ctx.set(loader.context_free, 1)
        await receive(ctx, loader.sample, 1, 0.5)
        assert len(written) == 1 + 3 + 1

    simulate(m, source, sink, watch=[watch])


def test_before_a_network_is_known_only_empty_samples_are_taken() -> None:
    wrong = [raw(Op.TRAIN, [1]), raw(Op.INFER, [ENTRY_0]), raw(Op.INFER_DENSE, [1])]
    loaded = load([*wrong, raw(Op.INFER_DENSE, [])], 0, 0)
    assert [op for op, _ in loaded.refusals] == [Op.TRAIN, Op.INFER, Op.INFER]
    assert [sample["inputs"] for sample in loaded.samples] == [[(0, 1 << IN_FRAC)]]
