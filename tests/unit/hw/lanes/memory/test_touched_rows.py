# SPDX-License-Identifier: BSD-2-Clause

"""The list of touched rows: no row with a velocity is left out, whatever the commands."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.benches import simulate, small_shapes
from support.effort import examples
from support.random_networks import gentle_case
from support.small_engines import engine, open_both, prepare, state

from dualgate.contract.network import Network
from dualgate_hw.lanes.memory.touched_rows import TouchedRows
from dualgate_sim.testing.streams import receive

ROWS = 8
SHAPES = small_shapes(2, rows=ROWS)

EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("update"), st.sets(st.integers(0, ROWS - 1))),
        st.tuples(st.just("step"), st.sets(st.integers(0, ROWS - 1))),
        st.just(("forget", set())),
    ),
    max_size=12,
)


@examples(60)
@given(EVENTS, st.sampled_from([0.0, 0.5]))
def test_the_list_has_each_touched_row_once(
    events: list[tuple[str, set[int]]], stalls: float
) -> None:
    """Updates of rows, steps that keep some of the rows, and writes of the host, in any order."""
    rows = TouchedRows(SHAPES)

    async def enter(ctx: Any, port: Any, row: int) -> None:
        ctx.set(port, {"valid": 1, "entry": {"row": row, "shift": 3 * row}})
        await ctx.tick()
        ctx.set(port.valid, 0)

    async def bench(ctx: Any) -> None:
        listed: set[int] = set()
        complete = False
        for event, chosen in events:
            assert ctx.get(rows.complete) == complete
            if event == "update":
                for row in sorted(chosen - listed):
                    await enter(ctx, rows.updated, row)
                listed |= chosen
            elif event == "forget":
                ctx.set(rows.forget, 1)
                await ctx.tick()
                ctx.set(rows.forget, 0)
                complete = False
            else:
                ctx.set(rows.begin, 1)
                await ctx.tick()
                ctx.set(rows.begin, 0)
                visited = set(range(ROWS))
                if complete:
                    taken = await receive(ctx, rows.taken, len(listed), stalls, 1)
                    entries = [(entry["row"], entry["shift"]) for _, entry in taken]
                    assert sorted(entries) == [(row, 3 * row) for row in sorted(listed)]
                    assert not ctx.get(rows.taken.valid)
                    visited = listed
                listed, complete = visited & chosen, True
                for row in sorted(listed, reverse=True):
                    await enter(ctx, rows.kept, row)

    simulate(rows, bench)


COMMANDS = st.lists(
    st.sampled_from(["train", "train", "apply", "apply", "configure", "velocity", "weights"]),
    min_size=4,
    max_size=14,
)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["n4", "n2k2s"])
@examples(15)
@given(COMMANDS, st.sampled_from([0.0, 0.3, 0.9]), st.integers(0, 99))
def test_any_sequence_of_commands_leaves_the_golden_model_s_numbers(
    name: str, commands: list[str], momentum: float, seed: int
) -> None:
    """A row with a velocity that is not listed would miss its step.

    Two networks alternate, so that a row belongs now to one layer and now to another.
    """
    networks = (Network((9, 7, 3), "tanh"), Network((3, 5, 8, 2), "relu"))
    cases = [gentle_case(n, 2, 14, 1, seed, momentum) for n in networks]
    devices = open_both(name)
    assert engine(name).cores == 1
    chosen = 0
    for device in devices:
        prepare(device, cases[chosen])
        device.set(cases[chosen].batches[0][2])
    for turn, command in enumerate((*commands, "apply", "train", "apply")):
        x, target, settings = cases[chosen].batches[turn % 14]
        if command == "configure":
            chosen = 1 - chosen
        for device in devices:
            if command == "configure":
                device.configure(cases[chosen].network, cases[chosen].update_frac)
            elif command == "velocity":
                old = device.read_velocity()
                device.write_velocity([v * (seed % 3) for v in old[:1]] + old[1:])
            elif command == "weights":
                device.write_weights(cases[chosen].weights)
            elif command == "train":
                device.set(settings)
                device.train(x, target)
            else:
                device.apply()
        assert state(devices[1]) == state(devices[0])
    for device in devices:
        device.close()
