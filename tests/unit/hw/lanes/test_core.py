# SPDX-License-Identifier: BSD-2-Clause

"""A core: what its lanes have to agree on."""

from typing import Any

import numpy as np
import pytest
from support.benches import simulate, small_shapes

from dualgate.contract.commands import Op, Status, header
from dualgate.contract.engine import EngineParameters
from dualgate.contract.layout import Layout
from dualgate.contract.network import Network
from dualgate.contract.sample_commands import sample_commands
from dualgate_hw.lanes.core import Core
from dualgate_sim.testing.streams import receive, send

NETWORK = Network((3, 5), loss="bce")
HALF = 1 << 13
"""The sigmoid of zero."""


@pytest.mark.parametrize("odds", [0.0, 0.9, 0.98])
def test_a_refusal_waits_for_the_words_of_the_samples_before(odds: float) -> None:
    """A sample is finished before its words are taken, and the core is at work as long."""
    core = Core(small_shapes(4))
    layer = Layout(NETWORK, EngineParameters(4).grown(NETWORK), 12).descriptors[0]
    sample = sample_commands(np.array([[1, 0, 1]])).tolist()
    refused = [header(Op.INFER, 4), 0, 0, 0, 0]
    answer = [header(Op.INFER, 5), *[HALF] * 5]
    busy: list[bool] = []

    async def command(ctx: Any) -> None:
        for port in (core.input_layer, core.output_layer, core.layer):
            ctx.set(port, layer)
        ctx.set(core.layer_write, 1)
        await ctx.tick()
        ctx.set(core.layer_write, 0)
        await send(ctx, core.command, [*sample, *sample, *refused, *sample])

    async def listen(ctx: Any) -> None:
        words = await receive(ctx, core.response, 19, odds)
        refusal = header(Op.INFER, 0, Status.LENGTH)
        assert [word for _, word in words] == [*answer, *answer, refusal, *answer]

    async def watch(ctx: Any) -> None:
        while True:
            valid, working = (await ctx.tick().sample(core.error.response.valid, core.working))[2:]
            busy.append(bool(working) or not valid)

    simulate(core, command, listen, watch=[watch])
    assert all(busy)
