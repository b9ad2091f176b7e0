# SPDX-License-Identifier: BSD-2-Clause

"""The error unit: responses and update scalars as in the golden model, in the stated time."""

from typing import Any

import numpy as np
import pytest
from amaranth import Module
from support.benches import attach, contents, numbers, simulate, small_shapes

from dualgate.contract.activations import softmax_rule
from dualgate.contract.commands import Op, header
from dualgate.contract.engine import EngineParameters
from dualgate.contract.layout import Layout
from dualgate.contract.network import Network
from dualgate.contract.settings import make_settings, update_frac
from dualgate_hw.common.rounding import ROUNDING_LATENCY
from dualgate_hw.common.shapes import OUTPUT, VALUE
from dualgate_hw.lanes.error.unit import ErrorUnit
from dualgate_sim.golden import model as golden
from dualgate_sim.golden.exact import Pass, Tally

SHAPES = small_shapes(4, groups=4)
WIDTH = 16


def run(
    network: Network, settings: Any, outputs: list[dict[str, int]], target: list[int], train: bool
) -> tuple[list[int], list[int], int]:
    """Run one sample in context 1; return response, update scalars and cycles."""
    m = Module()
    m.submodules.unit = unit = ErrorUnit(SHAPES)
    pad = WIDTH - len(outputs)
    attach(m, "outputs", unit.outputs, OUTPUT, 4 * WIDTH, [{}] * WIDTH + outputs + [{}] * pad)
    attach(m, "targets", unit.targets, VALUE, 4 * WIDTH, [0] * WIDTH + target + [0] * pad)
    stale = [[1] * SHAPES.neurons] * 16
    errors = attach(m, "errors", unit.errors, SHAPES.vector, 16, stale)
    layer = Layout(network, EngineParameters(4).grown(network), 12).descriptors[-1]
    said: list[int] = []
    took: list[int] = []
    written: list[int] = []

    async def listen(ctx: Any) -> None:
        ctx.set(unit.response.ready, 1)
        while True:
            valid, word = (await ctx.tick().sample(unit.response.valid, unit.response.payload))[2:]
            if valid:
                said.append(word)

    async def bench(ctx: Any) -> None:
        ctx.set(unit.layer, layer)
        for name in ("rate_mantissa", "rate_shift"):
            ctx.set(unit.settings[name], getattr(settings, name))
        ctx.set(unit.token.payload, {"context": 1, "train": train})
        ctx.set(unit.token.valid, 1)
        await ctx.tick()
        ctx.set(unit.token.valid, 0)
        cycles = 1
        while not ctx.get(unit.done.valid):
            await ctx.tick()
            cycles += 1
        took.append(cycles)
        written.extend(entry for word in contents(ctx, errors)[4:8] for entry in word)

    simulate(m, bench, watch=[listen])
    return said, written, took[0]


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("loss", ["mse", "sigmoid-mse", "bce", "cce"])
@pytest.mark.parametrize("count", [1, 6])
def test_outputs_become_answers_and_update_scalars_in_the_stated_time(
    loss: str, count: int, train: bool
) -> None:
    random = np.random.default_rng(count)
    network = Network((3, count), loss=loss)
    settings = make_settings(network, update_frac(network, 1.0, 1), 1.0, 1)
    z = np.array(numbers(random, count))
    softmax = loss == "cce"
    values, slopes = (z, z) if softmax else network.layers[0].activation.rule(z)
    target = np.array(numbers(random, count))
    answers = softmax_rule(z) if softmax else values
    output_entries = [
        {"value": int(v), "slope": int(s)} for v, s in zip(values, slopes, strict=True)
    ]
    said, written, took = run(network, settings, output_entries, target.tolist(), train)
    assert said[0] == header(Op.TRAIN if train else Op.INFER, count)
    assert np.array(said[1:], np.uint32).view(np.int32).tolist() == answers.tolist()
    cost = 4 + softmax * ROUNDING_LATENCY
    if train:
        cost += 1 + (1 + network.objective.sloped) * ROUNDING_LATENCY
        done = Pass([], [slopes[None].astype(float)], answers[None].astype(float))
        update = golden.output_updates(network, settings, done, target[None], Tally())
        groups = -(-count // 4)
        # Lanes without a unit are cleared in the words that are written, and only there.
        assert written[: 4 * groups] == update[0].tolist() + [0] * (4 * groups - count)
    assert took == 2 + count * cost + softmax * (2 * count + 25)
