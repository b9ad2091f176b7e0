# SPDX-License-Identifier: BSD-2-Clause

"""Softmax's powers and reciprocal, against the rules of the host."""

from typing import Any

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import memory
from hypothesis import example, given
from hypothesis import strategies as st
from support.benches import simulate, small_shapes
from support.effort import examples

from dualgate.contract.activations import EXP_TABLE, SOFTMAX, reciprocal, softmax_rule
from dualgate.contract.formats import round_shift
from dualgate_hw.common.shapes import OUTPUT
from dualgate_hw.lanes.error.softmax import Softmax
from dualgate_sim.testing.streams import receive, send

SHAPES = small_shapes(4, groups=4)
WIDTH = 16
LAYERS = st.lists(
    st.lists(
        st.sampled_from([-32768, 32767, 0, -8193, 2, 6]) | st.integers(-32768, 32767),
        min_size=1,
        max_size=WIDTH,
    )
    | st.integers(-100, 100).map(lambda z: [z + 2 * step for step in range(WIDTH)]),
    min_size=1,
    max_size=3,
)


def run(layers: list[list[int]]) -> list[dict[str, Any]]:
    """Return the softmax of layers one after the other, and the cycles from token to done."""
    m = Module()
    m.submodules.softmax = softmax = Softmax(SHAPES)
    store = memory.Memory(shape=OUTPUT, depth=WIDTH, init=[])
    m.submodules.outputs = store
    read = store.read_port()
    m.d.comb += [read.addr.eq(softmax.unit), softmax.output.eq(read.data)]
    results = []

    async def bench(ctx: Any) -> None:
        for layer in layers:
            for unit in range(WIDTH):
                # Entries beyond the layer must not affect the result.
                value = layer[unit] if unit < len(layer) else 32767
                ctx.set(store.data[unit], {"value": value, "slope": 0})
            await ctx.tick().repeat(2)
            ctx.set(softmax.units, len(layer))
            ctx.set(softmax.enable, 1)
            token = {"context": len(results), "train": 1}
            assert await send(ctx, softmax.token, [token]) == [0]
            ((cycles, done),) = await receive(ctx, softmax.done, 1)
            assert done == token
            powers = []
            for unit in range(len(layer)):
                ctx.set(softmax.power_unit, unit)
                await ctx.tick()
                powers.append(ctx.get(softmax.power))
            reciprocal, bits = ctx.get(softmax.reciprocal), ctx.get(softmax.bits)
            results.append(
                {"powers": powers, "reciprocal": reciprocal, "bits": bits, "cycles": cycles + 1}
            )

    simulate(m, bench)
    return results


@examples(40)
@given(LAYERS)
@example([[0, *range(-8200, -8185)], [32767, -32768, *range(24565, 24578)]])
def test_powers_and_reciprocal_are_those_of_the_rule(layers: list[list[int]]) -> None:
    for layer, found in zip(layers, run(layers), strict=True):
        z = np.array(layer)
        index = round_shift(z.max() - z, SOFTMAX.index_shift)
        powers = np.array((*EXP_TABLE, 0))[np.minimum(index, len(EXP_TABLE))]
        inverse, bits = reciprocal(np.array(powers.sum()))
        assert found["powers"] == powers.tolist()
        assert (found["reciprocal"], found["bits"]) == (inverse, bits)
        value = round_shift(powers * found["reciprocal"], found["bits"] + 1)
        assert value.tolist() == softmax_rule(z).tolist()


@pytest.mark.parametrize("units", [1, 2, 7, WIDTH])
def test_softmax_takes_two_passes_and_a_division(units: int) -> None:
    for found in run([[100] * units, [-5] * units]):
        assert found["cycles"] == 2 * units + 25
