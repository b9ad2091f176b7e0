# SPDX-License-Identifier: BSD-2-Clause

"""The update lane: outer products are added to the velocity, also those that follow at once."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from amaranth import Module, Signal
from amaranth.lib import memory, wiring
from support.benches import Bench as Simulated
from support.benches import (
    attach,
    contents,
    descriptors,
    in_pairs,
    numbers,
    simulate,
    small_shapes,
    watcher,
)

from dualgate_hw.common.mac import MacArray
from dualgate_hw.common.shapes import ENTRY, VELOCITY, vector
from dualgate_hw.lanes.update import WRITE_LATENCY, UpdateLane
from dualgate_sim.testing.streams import receive, send

NEURONS = 2
SHAPES = small_shapes(NEURONS)
ENGINE = SHAPES.engine
Entries = list[tuple[int, int]]


def entries_of(pairs: Entries) -> list[dict[str, int]]:
    """Return the numbers as the memory holds them."""
    return [{"value": value, "index": index} for index, value in pairs]


class Bench:
    """Update lane with memories of lists and update scalars of several samples.

    Parameters
    ----------
    layers : list of descriptors
    samples : list of (lists, scalars): for each layer its (index, value) entries, and its update
        scalars, (groups, neurons)
    velocity : before the samples
    late : cycles from a sample's token to the update scalars of its hidden layers
    """

    def __init__(
        self,
        layers: list[dict[str, int]],
        samples: list[tuple[list[Entries], list[np.ndarray]]],
        velocity: np.ndarray,
        late: int = 0,
    ) -> None:
        self.layers, self.samples, self.velocity = layers, samples, velocity
        contexts = SHAPES.contexts
        hidden = [{"value": 99, "index": 0}] * (contexts * ENGINE.activations)
        counts = [0] * (contexts * ENGINE.layers)
        deltas = [[55] * NEURONS] * (contexts * ENGINE.vectors)
        errors = [[55] * NEURONS] * (contexts * ENGINE.groups)
        for context, (lists, scalars) in enumerate(samples):
            for index, layer in enumerate(layers):
                first = context * ENGINE.activations + layer.get("list_base", 0)
                if index > 0:
                    hidden[first : first + len(lists[index])] = entries_of(lists[index])
                counts[context * ENGINE.layers + index] = len(lists[index])
                target, first = (
                    (errors, context * ENGINE.groups)
                    if layer["last"]
                    else (deltas, context * ENGINE.vectors + layer.get("vector_base", 0))
                )
                for group, word in enumerate(scalars[index].tolist()):
                    target[first + group] = word
        firsts = [entries_of(lists[0]) for lists, _ in samples]
        inputs, begins = in_pairs(firsts, {"value": 99, "index": 0})
        self.m = m = Module()
        m.submodules.lane = self.lane = lane = UpdateLane(SHAPES)
        m.submodules.mac = mac = MacArray(NEURONS, lanes=1, vectors=2, weights=0)
        self.rival = mac.vector_clients[0]
        wiring.connect(m, lane.mac, mac.vector_clients[1])
        m.d.comb += lane.product.eq(mac.product[0])
        self._complete(m, late)
        descriptors(m, lane, layers)
        attach(m, "inputs", lane.inputs, SHAPES.pair, SHAPES.pairs, inputs)
        attach(m, "begin", lane.begin, SHAPES.place, contexts, begins)
        attach(m, "hidden", lane.hidden, ENTRY, len(hidden), hidden)
        attach(m, "counts", lane.counts, SHAPES.unit, len(counts), counts)
        attach(m, "deltas", lane.deltas, SHAPES.vector, len(deltas), deltas)
        attach(m, "errors", lane.errors, SHAPES.vector, len(errors), errors)
        m.submodules.velocity = self.store = store = memory.Memory(
            shape=vector(NEURONS, VELOCITY), depth=ENGINE.rows, init=velocity.tolist()
        )
        wiring.connect(m, lane.read, store.read_port())
        wiring.connect(m, lane.write, store.write_port())

    def _complete(self, m: Module, late: int) -> None:
        """Complete the hidden layers `late` cycles after a token is offered."""
        lane = self.lane
        waited = Signal(range(late + 1))
        m.d.comb += [lane.last.eq(len(self.layers) - 1), lane.complete.eq(waited == late)]
        with m.If(lane.token.valid & lane.token.ready):
            m.d.sync += waited.eq(0)
        with m.Elif(lane.token.valid & (waited != late)):
            m.d.sync += waited.eq(waited + 1)

    def run(self, train: list[bool], rival: float = 0.0, watch: Sequence[Simulated] = ()) -> None:
        """Send the samples; sets the velocity and the steps taken."""
        tokens = [
            {"context": context, "train": int(trains)} for context, trains in enumerate(train)
        ]
        taken_watch, self.taken = watcher(self.lane.taken)
        random = np.random.default_rng(2)

        async def source(ctx: Any) -> None:
            await send(ctx, self.lane.token, tokens, 0.0, 1)

        async def sink(ctx: Any) -> None:
            done = await receive(ctx, self.lane.done, len(tokens), 0.3, 2)
            assert [token for _, token in done] == tokens
            busy = True
            while busy:
                (busy,) = (await ctx.tick().sample(self.lane.busy))[2:]
            await ctx.tick()
            self.found = contents(ctx, self.store)

        async def compete(ctx: Any) -> None:
            while True:
                ctx.set(self.rival.valid, random.random() < rival)
                await ctx.tick()

        read_watch, reads = watcher(self.lane.inputs.en)
        simulate(self.m, source, sink, watch=[taken_watch, compete, read_watch, *watch])
        cycles = [cycle for (cycle,) in reads]
        assert all(later - earlier > 1 for earlier, later in pairwise(cycles))

    def check(self, train: list[bool]) -> None:
        expected = self.velocity.copy()
        steps = 0
        for trains, (lists, scalars) in zip(train, self.samples, strict=True):
            for layer, entries, words in zip(self.layers, lists, scalars, strict=True):
                for group, word in enumerate(words):
                    if not (trains and word.any()):
                        continue
                    steps += len(entries)
                    for index, value in entries:
                        row = layer["weight_base"] + group * (layer["inputs"] + 1) + index
                        expected[row] += value * word
        assert self.found == expected.tolist()
        assert len(self.taken) == steps


def network() -> list[dict[str, int]]:
    """Layers 5-3-4 on two lanes."""
    return [
        {
            "inputs": 5,
            "outputs": 3,
            "groups": 2,
            "weight_base": 4,
            "last": 0,
            "vector_base": 1,
            "apply_shift": 21,
        },
        {
            "inputs": 3,
            "outputs": 4,
            "groups": 2,
            "weight_base": 16,
            "list_base": 0,
            "vector_base": 3,
            "last": 1,
            "apply_shift": 41,
        },
    ]


def random_bench(seed: int, late: int = 0) -> Bench:
    random = np.random.default_rng(seed)
    samples = []
    for _ in range(4):
        lists, scalars = [], []
        for layer in network():
            reach = layer["inputs"] + 1
            rows = np.sort(random.permutation(reach)[: int(random.integers(1, reach + 1))])
            lists.append(list(zip(rows.tolist(), numbers(random, len(rows)), strict=True)))
            words = np.array([numbers(random, NEURONS) for _ in range(layer["groups"])])
            words[random.random(layer["groups"]) < 0.3] = 0
            scalars.append(words)
        samples.append((lists, scalars))
    velocity = random.integers(-1 << 44, 1 << 44, (ENGINE.rows, NEURONS))
    return Bench(network(), samples, velocity, late)


@pytest.mark.parametrize("rival", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(4))
def test_random_samples_add_their_outer_products(seed: int, rival: float) -> None:
    bench = random_bench(seed)
    train = [True, seed % 2 == 0, True, True]
    bench.run(train, rival)
    bench.check(train)


def test_a_row_is_written_before_the_next_sample_reads_it() -> None:
    """Networks of one row have the shortest time from a row's write to its next read."""
    layers = [{"inputs": 1, "groups": 1, "weight_base": 0, "last": 1}]
    samples = [([[(0, 1000 + n)]], [np.array([[7, -32768]])]) for n in range(4)]
    bench = Bench(layers, samples, np.zeros((ENGINE.rows, NEURONS), np.int64))
    bench.run([True] * 4)
    bench.check([True] * 4)
    cycles = [cycle for (cycle,) in bench.taken]
    assert all(later - earlier > WRITE_LATENCY for earlier, later in pairwise(cycles))


def test_distinct_rows_take_a_cycle_each() -> None:
    layers = [{"inputs": 9, "groups": 1, "weight_base": 0, "last": 1}]
    entries = [(row, row + 1) for row in range(10)]
    scalars = np.array([[3, 4]])
    bench = Bench(layers, [([entries], [scalars])], np.zeros((ENGINE.rows, NEURONS), np.int64))
    bench.run([True])
    cycles = [cycle for (cycle,) in bench.taken]
    assert cycles == list(range(cycles[0], cycles[0] + 10))


def test_a_sample_that_only_infers_leaves_the_velocity_alone() -> None:
    bench = random_bench(1)
    bench.run([False] * 4)
    assert bench.found == bench.velocity.tolist()
    assert bench.taken == []


def test_each_row_is_listed_once_with_the_shift_of_its_layer() -> None:
    bench = random_bench(3)
    listed = memory.Memory(shape=1, depth=ENGINE.rows, init=[])
    bench.m.submodules.listed = listed
    read, write = listed.read_port(), listed.write_port()
    lane = bench.lane
    bench.m.d.comb += [
        read.addr.eq(lane.read.addr),
        lane.listed.eq(read.data),
        write.addr.eq(lane.write.addr),
        write.data.eq(1),
        write.en.eq(lane.write.en),
    ]
    watch, touched = watcher(lane.touched.valid, lane.touched.entry)
    bench.run([True] * 4, watch=[watch])
    bench.check([True] * 4)
    expected = {}
    for lists, scalars in bench.samples:
        for layer, entries, words in zip(bench.layers, lists, scalars, strict=True):
            for group, word in enumerate(words):
                first = layer["weight_base"] + group * (layer["inputs"] + 1)
                rows = [first + index for index, _ in entries] if word.any() else []
                expected |= dict.fromkeys(rows, layer["apply_shift"])
    found = [(entry["row"], entry["shift"]) for _, entry in touched]
    assert len(found) > len(bench.samples)
    assert sorted(found) == sorted(expected.items())


def test_the_output_layer_is_updated_while_the_tangents_are_under_way() -> None:
    """The update scalars of hidden layers are late, and everything else is done by then."""
    bench = random_bench(0, late=80)
    bench.samples = bench.samples[:1]
    watch, complete = watcher(bench.lane.complete)
    bench.run([True], watch=[watch])
    bench.check([True])
    ((lists, scalars),) = bench.samples
    steps = [cycle for (cycle,) in bench.taken]
    early = len(lists[1]) * int(scalars[1].any(axis=1).sum())
    assert sum(cycle < complete[0][0] for cycle in steps) == early
    assert 0 < early < len(steps)
