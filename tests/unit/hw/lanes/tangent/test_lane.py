# SPDX-License-Identifier: BSD-2-Clause

"""The tangent lanes: update scalars of hidden units, and counts, as in the golden model."""

from typing import Any

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import memory, wiring
from support.benches import SIZES, attach, contents, simulate, small_shapes, watcher

from dualgate.contract.formats import UNIT_FRAC
from dualgate.contract.layout import Layout
from dualgate.contract.network import Network
from dualgate.contract.settings import PRUNE_OFF, Settings
from dualgate_hw.common.mac import MacArray
from dualgate_hw.common.shapes import LAYER, vector
from dualgate_hw.lanes.tangent.lane import TangentLane
from dualgate_sim.golden.exact import Pass, Tally
from dualgate_sim.golden.tangents import tag_updates
from dualgate_sim.testing.streams import receive, send

pytestmark = pytest.mark.slow

NETWORK = Network((2, 7, 5, 3), ("sigmoid", "tanh"))
SAMPLES = 4
LEFT_OVER = 99
COUNTED = ("tangent_rows", "scale_rows", "kept", "dropped", "saturated_updates")


class Bench:
    """Tangent lanes with memories of random slopes and errors of several samples.

    Parameters
    ----------
    neurons, lanes, prune : int
    seed : int
        Seed of weights, slopes and errors.
    """

    def __init__(self, neurons: int, lanes: int, prune: int, seed: int) -> None:
        self.random = random = np.random.default_rng(seed)
        self.shapes = small_shapes(neurons, tangent_lanes=lanes, rows=128, groups=8)
        self.layout = Layout(NETWORK, self.shapes.engine, 12)
        self.settings = Settings(20000, 17, 0, prune)
        # A weight row of zeros ends a tag while others of its chunk live on.
        self.weights = [
            random.integers(-9000, 9000, (layer.rows, layer.outputs))
            * (random.random((layer.rows, 1)) < 0.8)
            for layer in NETWORK.layers
        ]
        self.slopes = [
            random.integers(0, (1 << UNIT_FRAC) + 1, (SAMPLES, layer.outputs))
            * (random.random((SAMPLES, layer.outputs)) < 0.6)
            for layer in NETWORK.layers
        ]
        self.errors = random.integers(-32768, 32768, (SAMPLES, NETWORK.sizes[-1]))

    def rows(self, numbers: np.ndarray) -> np.ndarray:
        """Return units, (samples, units), as rows, (samples, groups, neurons)."""
        neurons = self.shapes.neurons
        groups = -(-numbers.shape[1] // neurons)
        padded = np.zeros((SAMPLES, groups * neurons), np.int64)
        padded[:, : numbers.shape[1]] = numbers
        return padded.reshape(SAMPLES, groups, neurons)

    def store(self, layers: list[np.ndarray], depth: int, left_over: int = 0) -> np.ndarray:
        """Return a memory of `depth` rows a sample, with the layers' rows at their places."""
        memory_rows = np.full((SAMPLES, depth, self.shapes.neurons), left_over, np.int64)
        for layer, numbers in zip(self.layout.descriptors, layers, strict=False):
            base = layer["vector_base"]
            memory_rows[:, base : base + layer["groups"]] = self.rows(numbers)
        return memory_rows.reshape(-1, self.shapes.neurons)

    def design(self) -> tuple[Module, TangentLane, memory.Memory]:
        shapes, engine = self.shapes, self.shapes.engine
        m = Module()
        m.submodules.lane = lane = TangentLane(shapes)
        m.submodules.mac = mac = MacArray(shapes.neurons, shapes.lanes, vectors=1, weights=1)
        wiring.connect(m, lane.scale_mac, mac.vector_clients[0])
        wiring.connect(m, lane.sum_mac, mac.weight_clients[0])
        rows = self.layout.to_rows(self.weights).tolist()
        m.submodules.weights = weights = memory.Memory(
            shape=vector(shapes.neurons), depth=len(rows), init=rows
        )
        read = weights.read_port()
        m.submodules.layers = layers = memory.Memory(
            shape=LAYER, depth=4, init=self.layout.descriptors
        )
        slopes = self.store(self.slopes, engine.vectors).tolist()
        errors = np.zeros((SAMPLES, engine.groups, shapes.neurons), np.int64)
        outputs = self.rows(self.errors)
        errors[:, : outputs.shape[1]] = outputs
        left_over = np.full((SAMPLES * engine.vectors, shapes.neurons), LEFT_OVER).tolist()
        for name, port, init in (
            ("seeds", lane.seed_slopes, slopes),
            ("slopes", lane.scale_slopes, slopes),
            ("errors", lane.errors, errors.reshape(-1, shapes.neurons).tolist()),
        ):
            attach(m, name, port, shapes.vector, len(init), init)
        deltas = attach(m, "deltas", lane.deltas, shapes.vector, len(left_over), left_over)
        m.d.comb += [
            lane.sum_product.eq(mac.product),
            lane.scale_product.eq(mac.product),
            read.addr.eq(mac.row),
            mac.weight_row.eq(read.data),
            lane.settings.prune.eq(self.settings.prune),
        ]
        for index, layer in zip(lane.indices, lane.layers, strict=True):
            port = layers.read_port()
            m.d.comb += [port.addr.eq(index), layer.eq(port.data)]
        return m, lane, deltas

    def run(self, train: list[bool]) -> tuple[list[Any], dict[str, int]]:
        """Send the samples; return the memory of update scalars, and the counts."""
        m, lane, deltas = self.design()
        signals = (lane.tangent_row, lane.scale_row, lane.kept, lane.dropped, lane.saturated)
        watch, notes = watcher(1, *signals)
        tokens = [{"context": c, "train": int(trains)} for c, trains in enumerate(train)]
        found: list[Any] = []

        async def source(ctx: Any) -> None:
            await send(ctx, lane.token, tokens, 0.3, 1)

        async def sink(ctx: Any) -> None:
            for token in tokens:
                if token["train"]:
                    await self.follow(ctx, lane, deltas, token["context"])
                ((_, done),) = await receive(ctx, lane.done, 1, 0.3, 2)
                assert done == token
            found.extend(contents(ctx, deltas))

        simulate(m, source, sink, watch=[watch])
        sums = np.array(notes)[:, 1:].sum(axis=0).tolist()
        return found, dict(zip(COUNTED, sums, strict=True))

    async def follow(
        self, ctx: Any, lane: TangentLane, deltas: memory.Memory, context: int
    ) -> None:
        """Wait for one hidden layer after the other; its update scalars must not change later."""
        depth = self.shapes.engine.vectors
        written: list[Any] = []
        while not ctx.get(lane.done.valid):
            await ctx.tick()
        for index, layer in enumerate(self.layout.descriptors[:-1]):
            ctx.set(lane.wanted, index)
            while not ctx.get(lane.complete):
                await ctx.tick()
            rows = contents(ctx, deltas)[context * depth :]
            before = layer["vector_base"]
            assert rows[:before] == written
            written = rows[: before + layer["groups"]]

    def golden(self, train: list[bool]) -> tuple[list[Any], dict[str, int]]:
        """Return the result that `run` must have."""
        tally = Tally()
        chosen = np.array(train)
        done = Pass(slopes=[slopes[chosen].astype(float) for slopes in self.slopes])
        weights = [matrix.astype(float) for matrix in self.weights]
        updates = []
        for index in range(len(NETWORK.layers) - 1):
            update = np.zeros((SAMPLES, NETWORK.layers[index].outputs))
            update[chosen] = tag_updates(
                NETWORK,
                weights,
                self.settings,
                done,
                self.errors[chosen].astype(float),
                index,
                self.shapes.engine,
                tally,
            )
            updates.append(update.astype(np.int64))
        depth = self.shapes.engine.vectors
        stored = self.store(updates, depth, LEFT_OVER).reshape(SAMPLES, depth, -1)
        stored[~chosen] = LEFT_OVER
        counts = {name: getattr(tally, name) for name in COUNTED}
        return stored.reshape(SAMPLES * depth, -1).tolist(), counts


@pytest.mark.parametrize(("neurons", "lanes"), SIZES)
@pytest.mark.parametrize("prune", [1, 2, PRUNE_OFF])
def test_every_unit_s_update_scalar_is_the_golden_model_s(
    neurons: int, lanes: int, prune: int
) -> None:
    bench = Bench(neurons, lanes, prune, seed=10 * prune + lanes)
    train = [True, True, False, True]
    assert bench.run(train) == bench.golden(train)


@pytest.mark.parametrize("lanes", [2, 3])
def test_absent_and_dead_tags_leave_living_tags_scalars_alone(lanes: int) -> None:
    """One living tag in each row, at each of its places in turn, with a dead tag or alone."""
    bench = Bench(4, lanes, PRUNE_OFF, seed=1)
    bench.weights = [np.full_like(matrix, 4096) for matrix in bench.weights]
    bench.weights[1][[1, 5]] = 0
    bench.slopes = [np.full_like(slopes, 1 << 14) for slopes in bench.slopes]
    bench.slopes[0] = np.array(
        [
            [1 << 14, 9, 0, 0, 0, 0, 1 << 14],
            [0, 9, 1 << 14, 0, 1 << 14, 0, 0],
            [0, 9, 0, 1 << 14, 0, 9, 1 << 14],
            [0, 9, 0, 0, 1 << 14, 9, 0],
        ]
    )
    bench.errors = np.full_like(bench.errors, 700)
    train = [True] * SAMPLES
    found, _ = whole = bench.run(train)
    assert whole == bench.golden(train)
    first = np.array(found).reshape(SAMPLES, -1, 4)[:, :2].reshape(SAMPLES, -1)[:, :7]
    assert (first != 0).tolist() == (bench.slopes[0] == 1 << 14).tolist()
    alone = Bench(4, 1, PRUNE_OFF, seed=1)
    alone.weights, alone.slopes, alone.errors = bench.weights, bench.slopes, bench.errors
    assert alone.run(train)[0] == found
