# SPDX-License-Identifier: BSD-2-Clause

"""The weight step: every weight and velocity as in the golden model, in the stated time."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import memory, wiring
from hypothesis import given
from hypothesis import strategies as st
from support.benches import contents, descriptors, simulate, small_shapes, watcher
from support.effort import examples

from dualgate.contract.formats import APPLY_BIAS
from dualgate_hw.common.mac import MacArray
from dualgate_hw.common.shapes import MASTER, VELOCITY, vector
from dualgate_hw.lanes.memory.touched_rows import TouchedRows
from dualgate_hw.lanes.weight_step import WeightStep
from dualgate_sim.golden import model as golden
from dualgate_sim.golden.exact import Tally

NEURONS = 4
ROWS = 64


@dataclass
class Result:
    """The rows after a step, the clipped numbers, and the cycles from start to done."""

    weights: list[Any]
    velocity: list[Any]
    saturated: int
    cycles: int


def run(
    arrays: int,
    layers: list[dict[str, int]],
    weights: np.ndarray,
    velocity: np.ndarray,
    momentum: int,
    strip: int = NEURONS,
) -> tuple[Result, Result]:
    """Take a step of all rows, and then a step of those that it listed."""
    shapes = small_shapes(NEURONS, rows=ROWS, apply_lanes=strip)
    m = Module()
    m.submodules.end = end = WeightStep(shapes, arrays)
    m.submodules.touched = touched = TouchedRows(shapes)
    wiring.connect(m, touched.taken, end.touched)
    m.d.comb += [
        touched.kept.eq(end.kept),
        touched.begin.eq(end.start),
        end.complete.eq(touched.complete),
    ]
    descriptors(m, end, layers)
    for index in range(arrays):
        m.submodules[f"mac_{index}"] = mac = MacArray(strip, lanes=1, vectors=1, weights=0)
        wiring.connect(m, end.macs[index], mac.vector_clients[0])
        m.d.comb += end.products[index].eq(mac.product[0])
    port = end.port
    stores = []
    for name, shape, init in (("weights", MASTER, weights), ("velocity", VELOCITY, velocity)):
        strips = init.reshape(-1, strip)
        store = memory.Memory(shape=vector(strip, shape), depth=len(strips), init=strips.tolist())
        m.submodules[name] = store
        read, write = store.read_port(), store.write_port()
        m.d.comb += [
            read.addr.eq(getattr(port, f"{name}_from")),
            getattr(port, name).eq(read.data),
            write.addr.eq(getattr(port, f"{name}_to")),
            write.data.eq(getattr(port, f"new_{name}")),
            write.en.eq(getattr(port, f"write_{name}")),
        ]
        stores.append(store)
    m.d.comb += end.settings.momentum.eq(momentum)
    watch, clips = watcher(end.saturated != 0, end.saturated)
    results = []

    async def step(ctx: Any) -> None:
        await ctx.tick().repeat(3)
        clips.clear()
        ctx.set(end.start, 1)
        await ctx.tick()
        ctx.set(end.start, 0)
        cycles, done = 0, False
        while not done:
            (done,) = (await ctx.tick().sample(end.done))[2:]
            cycles += 1
        found = [contents(ctx, store) for store in stores]
        await ctx.tick().repeat(16)
        clipped = sum(count for _, count in clips)
        assert [contents(ctx, store) for store in stores] == found, "written after done"
        rows = [np.reshape(strips, (ROWS, NEURONS)).tolist() for strips in found]
        results.append(Result(*rows, clipped, cycles))

    async def bench(ctx: Any) -> None:
        await step(ctx)
        await step(ctx)

    simulate(m, bench, watch=[watch])
    return results[0], results[1]


def layout(shapes: list[tuple[int, int, int]]) -> list[dict[str, int]]:
    """Descriptors of layers of (inputs, groups, apply_shift), one after the other in memory."""
    base, layers = 3, []
    for index, (inputs, groups, shift) in enumerate(shapes):
        layers.append(
            {
                "inputs": inputs,
                "groups": groups,
                "weight_base": base,
                "apply_shift": shift,
                "last": int(index == len(shapes) - 1),
            }
        )
        base += groups * (inputs + 1)
    return layers


def rows_of(layer: dict[str, int]) -> int:
    return layer["groups"] * (layer["inputs"] + 1)


def rows_in(layer: dict[str, int]) -> slice:
    return slice(layer["weight_base"], layer["weight_base"] + rows_of(layer))


def extremes(random: np.random.Generator, bits: int) -> np.ndarray:
    limit = 1 << (bits - 1)
    size = 1 << random.integers(1, bits, (ROWS, NEURONS))
    numbers = np.floor(random.uniform(-1, 1, (ROWS, NEURONS)) * size / 2).astype(np.int64)
    edge = random.choice([-limit, limit - 1, 1 - limit, 0, -1], (ROWS, NEURONS))
    return np.where(random.random((ROWS, NEURONS)) < 0.3, edge, numbers)


def expect(
    found: Result,
    layers: list[dict[str, int]],
    weights: np.ndarray,
    velocity: np.ndarray,
    momentum: int,
) -> None:
    """Take the step of the golden model in `weights` and `velocity`, and compare."""
    tally = Tally()
    for layer in layers:
        part = rows_in(layer)
        weights[part], velocity[part] = golden.apply(
            weights[part], velocity[part], layer["apply_shift"], APPLY_BIAS, momentum, tally
        )
    assert found.weights == weights.tolist()
    assert found.velocity == velocity.tolist()
    assert found.saturated == tally.saturated_weights


LAYERS = st.lists(
    st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(0, 62)), min_size=1, max_size=4
)
MOMENTA = st.sampled_from([0, 1, 16384, 32767]) | st.integers(0, 32767)


@examples(60)
@given(
    st.sampled_from([1, 3]),
    st.sampled_from([1, 2, NEURONS]),
    LAYERS,
    MOMENTA,
    st.integers(0, 2**32 - 1),
)
def test_every_row_is_the_golden_model_s_in_the_stated_time(
    arrays: int, strip: int, shapes: list[tuple[int, int, int]], momentum: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    weights, velocity = extremes(random, 32), extremes(random, 46)
    velocity[random.random(ROWS) < 0.3] = 0
    layers = layout(shapes)
    each = 3 // arrays * NEURONS // strip
    every, touched = run(arrays, layers, weights, velocity, momentum, strip)
    expect(every, layers, weights, velocity, momentum)
    rows = sum(rows_of(layer) for layer in layers)
    assert every.cycles == each * rows + 2 * len(layers) + 7
    moving = sum(int(velocity[rows_in(layer)].any(axis=1).sum()) for layer in layers)
    expect(touched, layers, weights, velocity, momentum)
    assert touched.cycles == each * moving + 8


@pytest.mark.parametrize("arrays", [1, 3])
@pytest.mark.parametrize("velocity", [-(1 << 45), (1 << 45) - 1, (1 << 44) + 1, -(1 << 44) - 2])
def test_momentum_of_almost_one_clips_what_is_too_fast(velocity: int, arrays: int) -> None:
    many = np.full((ROWS, NEURONS), velocity)
    layers = layout([(2, 1, 62)])
    found, _ = run(arrays, layers, np.zeros_like(many), many, 32767)
    tally = Tally()
    _, left = golden.apply(np.zeros_like(many[:3]), many[:3], 62, APPLY_BIAS, 32767, tally)
    assert found.velocity[3:6] == left.tolist()
    assert found.saturated == tally.saturated_weights
