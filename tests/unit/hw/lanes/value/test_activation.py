# SPDX-License-Identifier: BSD-2-Clause

"""The activation unit: rounding, every activation's rule, and the memories it writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from amaranth import Module
from support.benches import attach, contents, simulate, small_shapes, watcher

from dualgate.contract.activations import ACTIVATIONS, HIDDEN_ACTIVATIONS, SOFTMAX
from dualgate.contract.formats import saturate
from dualgate_hw.common.mac import MAC_LATENCY
from dualgate_hw.common.shapes import ENTRY, OUTPUT, WORD
from dualgate_hw.lanes.value.activation import ACTIVATION_LATENCY, ActivationUnit

pytestmark = pytest.mark.slow

NEURONS = 4
GROUPS = 64
SHAPES = small_shapes(NEURONS, groups=GROUPS, vectors=64, activations=512)
CONTEXT = 2
Z_SHIFT = 9
EDGES = (0, 1, -1, 127, 128, 129, -127, -128, -129, 32766, 32767, -32767, -32768)
JUNK = -3


@dataclass
class Filed:
    """Results of a layer: entries of its list, rows of slopes, outputs, and counts."""

    hidden: list[Any]
    slopes: list[Any]
    outputs: list[Any]
    count: int
    saturated: int
    loads: list[int]
    writes: list[int]


def run(
    layer: dict[str, int],
    sums: list[int],
    first_layer: bool = True,
    masked: bool = False,
    masks: Sequence[int] = (),
    follow: bool = False,
) -> Filed:
    """Feed a layer's sums, N at a time.

    Parameters
    ----------
    masks : the context's words of masks
    follow : whether groups come as soon as the queue takes them
    """
    m = Module()
    m.submodules.unit = unit = ActivationUnit(SHAPES)
    owners = SHAPES.contexts
    engine = SHAPES.engine
    hidden = attach(m, "hidden", unit.hidden, ENTRY, owners * engine.activations)
    junk = [[JUNK] * NEURONS] * (owners * engine.vectors)
    slopes = attach(m, "slopes", unit.slopes, SHAPES.vector, len(junk), junk)
    words = SHAPES.mask_words
    attach(m, "masks", unit.masks, WORD, owners * words, [0] * (CONTEXT * words) + [*masks])
    outputs = attach(m, "outputs", unit.outputs, OUTPUT, owners * GROUPS * NEURONS)
    clip_watch, clips = watcher(unit.saturated)
    load_watch, loads = watcher(unit.load)
    write_watch, writes = watcher(unit.outputs.en)
    filed = []

    async def bench(ctx: Any) -> None:
        ctx.set(unit.layer, layer)
        ctx.set(unit.first_layer, first_layer)
        ctx.set(unit.context, CONTEXT)
        ctx.set(unit.masked, masked)
        await ctx.tick()
        done = False
        for start in range(0, len(sums), NEURONS):
            part = sums[start : start + NEURONS]
            ctx.set(unit.sums, [*part, *[0] * (NEURONS - len(part))])
            ctx.set(unit.group, start // NEURONS)
            ctx.set(unit.load, 1)
            await ctx.tick()
            ctx.set(unit.load, 0)
            early = follow and start + NEURONS < len(sums)
            waits = unit.queued if early else unit.busy
            busy = True
            while busy:
                busy, now_done, count = (await ctx.tick().sample(waits, unit.done, unit.count))[2:]
                assert not (now_done and done)
                if now_done:
                    done, entries = True, count
            for _ in range(MAC_LATENCY - early):
                now_done, count = (await ctx.tick().sample(unit.done, unit.count))[2:]
                assert not (now_done and done)
                if now_done:
                    done, entries = True, count
        assert done
        part = slice(CONTEXT * engine.activations, (CONTEXT + 1) * engine.activations)
        words = slice(CONTEXT * engine.vectors, (CONTEXT + 1) * engine.vectors)
        width = GROUPS * NEURONS
        filed.append(
            Filed(
                contents(ctx, hidden)[part],
                contents(ctx, slopes)[words],
                contents(ctx, outputs)[CONTEXT * width : (CONTEXT + 1) * width],
                entries,
                len(clips),
                [cycle for (cycle,) in loads],
                [cycle for (cycle,) in writes],
            )
        )
        others = contents(ctx, slopes)
        del others[words]
        assert all(word == [JUNK] * NEURONS for word in others), "another context was written"

    simulate(m, bench, watch=[clip_watch, load_watch, write_watch])
    return filed[0]


def layer_of(name: str, units: int, last: bool, **fields: int) -> dict[str, int]:
    activation = ACTIVATIONS[name]
    return {
        "inputs": 20,
        "outputs": units,
        "groups": -(-units // NEURONS),
        "z_shift": Z_SHIFT,
        "activation": activation.code,
        "out_frac": max(activation.out_frac, 10),
        "last": int(last),
        **fields,
    }


def pre_activations(seed: int) -> np.ndarray:
    """Return all edges, then numbers of every size: one less than the unit's groups hold."""
    random = np.random.default_rng(seed)
    count = GROUPS * NEURONS - 1 - len(EDGES)
    sizes = 1 << random.integers(1, 16, count)
    return np.concatenate((EDGES, np.floor(random.uniform(-1, 1, count) * sizes).astype(int)))


def expected(name: str, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if name == SOFTMAX.name:
        return z, np.full_like(z, 1 << 14)
    return ACTIVATIONS[name].rule(z)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_output_layer_writes_values_and_slopes_of_the_rule(name: str) -> None:
    z = pre_activations(1)
    filed = run(layer_of(name, len(z), last=True), (z << Z_SHIFT).tolist())
    values, slopes = expected(name, z)
    found = filed.outputs[: len(z)]
    assert [entry["value"] for entry in found] == values.tolist()
    assert [entry["slope"] for entry in found] == slopes.tolist()
    assert filed.saturated == 0
    assert all(word == [JUNK] * NEURONS for word in filed.slopes)


@pytest.mark.parametrize("first_layer", [True, False])
@pytest.mark.parametrize("name", HIDDEN_ACTIVATIONS)
def test_a_hidden_layer_writes_its_nonzeros_a_bias_and_its_slopes(
    name: str, first_layer: bool
) -> None:
    z = pre_activations(2)[: 4 * NEURONS + 1]
    layer = layer_of(name, len(z), last=False, list_base=30, vector_base=7)
    filed = run(layer, (z << Z_SHIFT).tolist(), first_layer)
    values, slopes = expected(name, z)
    entries = [{"value": int(value), "index": index} for index, value in enumerate(values) if value]
    entries.append({"value": 1 << layer["out_frac"], "index": len(z)})
    base = 0 if first_layer else 30 + 20 + 1
    assert filed.count == len(entries)
    assert filed.hidden[base : base + len(entries)] == entries
    words = np.concatenate((slopes, np.zeros(NEURONS - 1, int))).reshape(-1, NEURONS)
    assert filed.slopes[7 : 7 + len(words)] == words.tolist()
    assert filed.slopes[6] == filed.slopes[7 + len(words)] == [JUNK] * NEURONS


@pytest.mark.parametrize(("first_layer", "base"), [(True, 0), (False, 30 + 20 + 1)])
@pytest.mark.parametrize("name", ["identity", "sigmoid", "leaky_relu"])
def test_units_that_a_mask_leaves_out_have_no_value_and_no_slope(
    name: str, first_layer: bool, base: int
) -> None:
    z = pre_activations(3)[: 17 * NEURONS + 1]
    flags = np.random.default_rng(4).integers(0, 2, 32 * SHAPES.mask_words)
    words = np.packbits(flags.astype(bool), bitorder="little").view("<u4").tolist()
    layer = layer_of(name, len(z), last=False, list_base=30, vector_base=7)
    filed = run(layer, (z << Z_SHIFT).tolist(), first_layer, True, words)
    kept = flags[base : base + len(z)]
    values, slopes = (numbers * kept for numbers in expected(name, z))
    entries = [{"value": int(value), "index": index} for index, value in enumerate(values) if value]
    entries.append({"value": 1 << layer["out_frac"], "index": len(z)})
    assert filed.hidden[base : base + len(entries)] == entries
    assert filed.count == len(entries)
    found = np.array(filed.slopes[7 : 7 + 18]).reshape(-1)
    assert found[: len(z)].tolist() == slopes.tolist()


@pytest.mark.parametrize(("last", "masked"), [(True, True), (True, False), (False, False)])
def test_outputs_and_samples_without_masks_keep_every_unit(last: bool, masked: bool) -> None:
    z = np.arange(1, 2 * NEURONS)
    filed = run(layer_of("relu", len(z), last), (z << Z_SHIFT).tolist(), masked=masked)
    stores = filed.outputs if last else filed.hidden
    assert [entry["value"] for entry in stores[: len(z)]] == z.tolist()
    if not last:
        assert np.array(filed.slopes[:2]).reshape(-1)[: len(z)].tolist() == [1 << 14] * len(z)


@pytest.mark.parametrize("shift", [0, 1, Z_SHIFT, 16])
def test_sums_are_rounded_half_upwards_and_saturated(shift: int) -> None:
    random = np.random.default_rng(shift)
    near = [(z << shift) + off for z in EDGES for off in (-1, 0, 1)]
    half = (1 << shift) >> 1
    halves = [(z << shift) + half + off for z in EDGES for off in (-1, 0, 1)]
    # The largest sum that all entries of a list can have.
    most = SHAPES.engine.activations << 30
    far = [most, -most, most >> 2, -(1 << 31)]
    many = random.integers(-most, most, 20) >> random.integers(0, 34, 20)
    sums = np.array([*near, *halves, *far, *many.tolist()])
    z, clipped = saturate((sums + half) >> shift, 16)
    filed = run(layer_of("identity", len(sums), last=True, z_shift=shift), sums.tolist())
    assert [entry["value"] for entry in filed.outputs[: len(sums)]] == z.tolist()
    assert filed.saturated == clipped


def test_values_follow_by_the_stated_latency_one_a_cycle() -> None:
    filed = run(layer_of("tanh", NEURONS, last=True), [1000] * NEURONS)
    # A group is at the head of the queue one cycle after it is loaded.
    first = filed.loads[0] + 1 + ACTIVATION_LATENCY
    assert filed.writes == list(range(first, first + NEURONS))


@pytest.mark.parametrize("last", [False, True])
def test_groups_of_a_layer_may_follow_as_soon_as_the_queue_is_empty(last: bool) -> None:
    sums = np.random.default_rng(5).integers(-1 << 20, 1 << 20, 4 * NEURONS + 1).tolist()
    layer = layer_of("tanh", len(sums), last)
    apart, filed = run(layer, sums), run(layer, sums, follow=True)
    for what in ("hidden", "slopes", "outputs", "count", "saturated"):
        assert getattr(filed, what) == getattr(apart, what)
    assert np.diff(filed.loads).tolist() == [NEURONS] * 4
