# SPDX-License-Identifier: BSD-2-Clause

"""The error unit: responses and update scalars as in the golden model, in the stated time."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from amaranth import Module
from numpy.typing import NDArray
from support.benches import attach, contents, numbers, simulate, small_shapes

from dualgate.contract.activations import softmax_rule
from dualgate.contract.commands import Op, header
from dualgate.contract.engine import EngineParameters
from dualgate.contract.layout import Layout
from dualgate.contract.network import Network
from dualgate.contract.settings import Settings, make_settings, update_frac
from dualgate_hw.common.shapes import OUTPUT, VALUE
from dualgate_hw.lanes.error.responder import PLACES
from dualgate_hw.lanes.error.unit import ErrorUnit
from dualgate_sim.golden import model as golden
from dualgate_sim.golden.exact import Pass, Tally
from dualgate_sim.testing.streams import receive, send

SHAPES = small_shapes(4, groups=4)
WIDTH = 16
CONTEXTS = 4
LOSSES = ["mse", "sigmoid-mse", "bce", "cce"]
TRAINS = [True, True, False, True]
STALE = 1


@dataclass
class Layer:
    """An output layer, and a sample's pre-activations and targets in each context.

    Parameters
    ----------
    network : Network
    settings : Settings
    z, target : int array (contexts, outputs)
    """

    network: Network
    settings: Settings
    z: NDArray[Any]
    target: NDArray[Any]

    @property
    def softmax(self) -> bool:
        return self.network.objective.name == "cce"

    @property
    def written(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """What the activation unit leaves: values and slopes."""
        if self.softmax:
            return self.z, self.z
        return self.network.layers[0].activation.rule(self.z)

    @property
    def answers(self) -> NDArray[Any]:
        """The outputs."""
        return softmax_rule(self.z) if self.softmax else self.written[0]

    def updates(self, trains: list[bool]) -> tuple[NDArray[Any], int]:
        """Update scalars, and how many numbers are clipped on the way to them, in golden."""
        slopes, tally = self.written[1][trains], Tally()
        done = Pass([], [slopes.astype(float)], self.answers[trains].astype(float))
        update = golden.output_updates(
            self.network, self.settings, done, self.target[trains], tally
        )
        return update, tally.saturated_updates


def make_layer(loss: str, count: int, rate: float = 1.0) -> Layer:
    random = np.random.default_rng(count)
    network = Network((3, count), loss=loss)
    settings = make_settings(network, update_frac(network, 1.0, 1), rate, 1)
    z, target = (
        np.array([numbers(random, count) for _ in range(CONTEXTS)]).reshape(CONTEXTS, count)
        for _ in range(2)
    )
    return Layer(network, settings, z, target)


@dataclass
class Record:
    """What a unit did with a sample of each context.

    Parameters
    ----------
    taken, done : list of int
        Cycles in which tokens are taken and given.
    said : list of int
        Words of the responses.
    errors : list of list of int
        Update scalars in the memory, (contexts, WIDTH).
    clipped : int
        Numbers that were counted as clipped.
    """

    taken: list[int] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    said: list[int] = field(default_factory=list)
    errors: list[list[int]] = field(default_factory=list)
    clipped: int = 0


def run(
    layer: Layer, trains: list[bool], stalls: tuple[float, float, float] = (0.0, 0.0, 0.0)
) -> Record:
    """Run a sample in each context; `stalls` are of tokens, responses and `done`."""
    m = Module()
    m.submodules.unit = unit = ErrorUnit(SHAPES)
    outputs: list[dict[str, int]] = [{} for _ in range(CONTEXTS * WIDTH)]
    targets = [0] * len(outputs)
    count = layer.z.shape[1]
    for context in range(CONTEXTS):
        for place in range(count):
            at = context * WIDTH + place
            value, slope = (int(part[context, place]) for part in layer.written)
            outputs[at] = {"value": value, "slope": slope}
            targets[at] = int(layer.target[context, place])
    attach(m, "outputs", unit.outputs, OUTPUT, len(outputs), outputs)
    attach(m, "targets", unit.targets, VALUE, len(targets), targets)
    rows = CONTEXTS * SHAPES.engine.groups
    stale = [[STALE] * SHAPES.neurons] * rows
    errors = attach(m, "errors", unit.errors, SHAPES.vector, rows, stale)
    descriptor = Layout(layer.network, EngineParameters(4).grown(layer.network), 12).descriptors[-1]
    record = Record()
    tokens = [{"context": c, "train": int(train)} for c, train in enumerate(trains)]

    async def bench(ctx: Any) -> None:
        ctx.set(unit.layer, descriptor)
        for name in ("rate_mantissa", "rate_shift"):
            ctx.set(unit.settings[name], getattr(layer.settings, name))
        record.taken = await send(ctx, unit.token, tokens, stalls[0])

    async def listen(ctx: Any) -> None:
        words = CONTEXTS * (count + 1)
        record.said = [
            word for _, word in await receive(ctx, unit.response, words, stalls[1], seed=1)
        ]

    async def take(ctx: Any) -> None:
        given = await receive(ctx, unit.done, CONTEXTS, stalls[2], seed=2)
        assert [token for _, token in given] == tokens
        record.done = [cycle for cycle, _ in given]
        stored = [entry for word in contents(ctx, errors) for entry in word]
        record.errors = [stored[c * WIDTH : (c + 1) * WIDTH] for c in range(CONTEXTS)]

    async def count_clipped(ctx: Any) -> None:
        while True:
            (clipped,) = (await ctx.tick().sample(unit.saturated))[2:]
            record.clipped += clipped

    simulate(m, bench, listen, take, watch=[count_clipped])
    return record


def assert_golden(layer: Layer, trains: list[bool], found: Record) -> None:
    """Responses, update scalars and the count of clipped numbers are golden's."""
    count = layer.z.shape[1]
    said = np.array(found.said, np.uint32).reshape(CONTEXTS, 1 + count)
    ops = [Op.TRAIN if train else Op.INFER for train in trains]
    assert said[:, 0].tolist() == [header(op, count) for op in ops]
    assert said[:, 1:].view(np.int32).tolist() == layer.answers.tolist()
    update, clipped = layer.updates(trains)
    # Lanes without a unit are cleared in the words that are written, and only there.
    cleared = [0] * (-count % SHAPES.neurons)
    expected = iter(row + cleared for row in update.tolist())
    for train, entries in zip(trains, found.errors, strict=True):
        written: list[int] = next(expected) if train else []
        assert entries == written + [STALE] * (WIDTH - len(written))
    assert found.clipped == clipped


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("count", [1, 6])
def test_outputs_become_answers_and_update_scalars_in_the_stated_time(
    loss: str, count: int
) -> None:
    layer = make_layer(loss, count)
    found = run(layer, TRAINS)
    assert_golden(layer, TRAINS, found)
    pace = 2 * count + 26 if layer.softmax else count + 1
    latency = count + 11 + (2 * count + 25 if layer.softmax else 0)
    assert found.taken == [pace * sample for sample in range(CONTEXTS)]
    assert found.done == [cycle + latency for cycle in found.taken]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    "stalls", [(0.5, 0.0, 0.0), (0.0, 0.5, 0.0), (0.0, 0.9, 0.5), (0.9, 0.3, 0.9)]
)
def test_stalls_change_nothing_but_the_time(loss: str, stalls: tuple[float, float, float]) -> None:
    layer = make_layer(loss, 13)
    assert_golden(layer, TRAINS, run(layer, TRAINS, stalls))


def test_errors_and_scalars_that_are_clipped_in_one_cycle_both_count() -> None:
    layer = make_layer("bce", WIDTH, rate=4.0)
    layer.target[:] = -32768
    trains = [True] * CONTEXTS
    found = run(layer, trains)
    assert_golden(layer, trains, found)
    assert found.clipped == 2 * CONTEXTS * WIDTH


def test_a_response_that_is_not_taken_holds_back_outputs_but_no_token() -> None:
    """As many words wait as the queue has places; samples whose words do not fit are not done."""
    layer = make_layer("mse", 6)
    found = run(layer, TRAINS, (0.0, 0.99, 0.0))
    assert PLACES // 7 == 2
    free = run(layer, TRAINS)
    assert found.done[:2] == free.done[:2]
    assert found.done[2] > free.done[2] + 100


def test_a_sample_that_is_not_taken_holds_back_no_other() -> None:
    """Every sample may wait in the queue."""
    layer = make_layer("mse", 6)
    found = run(layer, TRAINS, (0.0, 0.0, 0.99))
    assert_golden(layer, TRAINS, found)
    assert found.taken == [7 * sample for sample in range(CONTEXTS)]
    assert found.done[1] > found.taken[-1] + 6 + 11
