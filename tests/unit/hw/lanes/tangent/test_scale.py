# SPDX-License-Identifier: BSD-2-Clause

"""Scaler and sink: mantissas are multiplied by slopes, or contracted with the errors."""

from typing import Any

import numpy as np
import pytest
from amaranth import Array, Const, Module
from amaranth.lib import data, wiring
from support.benches import (
    SIZES,
    attach,
    contents,
    descriptors,
    numbers,
    simulate,
    small_shapes,
    watcher,
)

from dualgate.contract.activations import ACTIVATIONS
from dualgate.contract.formats import UNIT_FRAC, WEIGHT_FRAC, round_shift
from dualgate_hw.common.mac import MAC_LATENCY, MacArray
from dualgate_hw.common.shapes import vector
from dualgate_hw.lanes.tangent.scale import Scaler
from dualgate_hw.lanes.tangent.scale_sink import ScaleSink
from dualgate_sim.golden.tangents import normalise
from dualgate_sim.testing.streams import send

pytestmark = pytest.mark.slow

GROUPS = 4
SETTLE = 40
"""Cycles in which the last product has certainly left."""

SUM_WIDTH = small_shapes(1).tangent_sum.width
"""Bits of a sum."""


def normalised(total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mantissas of a slot's sums, (groups, lanes, neurons), and the shift of each lane."""
    groups, lanes, neurons = total.shape
    flat, shift = normalise(total.swapaxes(0, 1).reshape(lanes, -1).T.astype(float))
    mantissas = flat.T.astype(np.int64).reshape(lanes, groups, neurons).swapaxes(0, 1)
    return mantissas, shift.astype(np.int64)


class Bench:
    """A scaler, a MAC array with a rival of higher priority, and the sink of the products.

    Parameters
    ----------
    sums : list of int array (groups, lanes, neurons), one a slot
    layers : list of descriptors; slot s has crossed layer s
    extreme : bool
        Whether all slopes and errors are the largest there are.
    """

    def __init__(
        self,
        sums: list[np.ndarray],
        layers: list[dict[str, int]],
        seed: int,
        extreme: bool = False,
    ) -> None:
        self.random = np.random.default_rng(seed)
        _, lanes, neurons = sums[0].shape
        self.shapes = shapes = small_shapes(neurons, tangent_lanes=lanes)
        self.sums, self.layers = sums, layers
        engine = shapes.engine
        self.slopes = [
            [abs(number) // 2 for number in numbers(self.random, neurons)]
            for _ in range(shapes.contexts * engine.vectors)
        ]
        self.errors = [numbers(self.random, neurons) for _ in range(shapes.contexts * GROUPS)]
        if extreme:
            self.slopes = [[1 << UNIT_FRAC] * neurons] * len(self.slopes)
            self.errors = [[-32768] * neurons] * len(self.errors)
        self.m = m = Module()
        m.submodules.scaler = self.scaler = scaler = Scaler(shapes)
        m.submodules.sink = self.sink = sink = ScaleSink(shapes)
        m.submodules.mac = mac = MacArray(neurons, lanes, vectors=2, weights=0)
        descriptors(m, scaler, layers)
        words = []
        for total in sums:
            padded = np.zeros((GROUPS, lanes, neurons), np.int64)
            padded[: len(total)] = total
            words += padded.tolist()
        totals = data.ArrayLayout(vector(neurons, shapes.tangent_sum), lanes)
        attach(m, "sums", scaler.sums, totals, shapes.slots * GROUPS, words)
        attach(m, "slopes", scaler.slopes, shapes.vector, len(self.slopes), self.slopes)
        attach(m, "errors", scaler.errors, shapes.vector, len(self.errors), self.errors)
        self.stored = attach(m, "stored", sink.vectors, shapes.vectors, shapes.slots * GROUPS)
        self.rival, client = mac.vector_clients
        wiring.connect(m, scaler.mac, client)
        slot = scaler.job.payload.slot
        m.d.comb += [
            scaler.slot_layer.eq(Array(Const(s, 2) for s in range(4))[slot]),
            scaler.slot_context.eq(Array(Const(3 - s, 2) for s in range(4))[slot]),
            sink.done.eq(client.done),
            sink.product.eq(mac.product),
            sink.note.eq(scaler.note),
        ]

    def run(self, odds: float, rival: float) -> None:
        jobs = []
        for slot, total in enumerate(self.sums):
            jobs.append({"slot": slot, "shift": normalised(total)[1].tolist(), "alive": 1})
        watch_stored, stored = watcher(self.sink.stored, self.sink.bits, self.sink.stored_note)
        watch_contracted, contracted = watcher(
            self.sink.contracted, self.sink.delta, self.sink.contracted_note
        )
        watch_taken, self.taken = watcher(self.scaler.taken)

        async def bench(ctx: Any) -> None:
            await send(ctx, self.scaler.job, jobs, odds, 1)
            await ctx.tick().repeat(SETTLE)
            self.vectors = contents(ctx, self.stored)

        async def compete(ctx: Any) -> None:
            while True:
                ctx.set(self.rival.valid, self.random.random() < rival)
                await ctx.tick()

        simulate(self.m, bench, watch=[watch_stored, watch_contracted, watch_taken, compete])
        self.notes = {note["note"]["slot"]: (bits, note) for _, bits, note in stored}
        self.deltas = {note["note"]["slot"]: (delta, note) for _, delta, note in contracted}

    def check(self) -> None:
        for slot, (total, layer) in enumerate(zip(self.sums, self.layers, strict=True)):
            mantissas, shift = normalised(total)
            context = 3 - slot
            gain = WEIGHT_FRAC - shift
            if layer["last"]:
                errors = np.array(self.errors[context * GROUPS :][: len(total)])
                delta, note = self.deltas.pop(slot)
                assert delta == (mantissas * errors[:, None]).sum(axis=(0, 2)).tolist()
                assert note["gain"] == gain.tolist()
                continue
            first = context * self.shapes.engine.vectors + layer.get("vector_base", 0)
            slopes = np.array(self.slopes[first : first + len(total)])
            expected = round_shift(mantissas * slopes[:, None], UNIT_FRAC)
            assert self.vectors[slot * GROUPS :][: len(total)] == expected.tolist()
            bits, note = self.notes.pop(slot)
            assert bits == [int(most).bit_length() for most in np.abs(expected).max(axis=(0, 2))]
            sigmoid = ACTIVATIONS["sigmoid"]
            extra = sigmoid.slope_frac - UNIT_FRAC
            assert (
                note["gain"] == (gain + extra * (layer.get("activation") == sigmoid.code)).tolist()
            )
        assert not self.notes
        assert not self.deltas
        assert len(self.taken) == sum(len(total) for total in self.sums)


def random_bench(neurons: int, lanes: int, seed: int) -> Bench:
    """Tags of any size in one chunk, and some that are dead."""
    random = np.random.default_rng(seed)
    sums, layers = [], []
    for slot in range(4):
        groups = int(random.integers(1, GROUPS + 1))
        total = np.zeros((groups, lanes, neurons), np.int64)
        for lane in range(lanes):
            reach = 1 << int(random.integers(1, SUM_WIDTH - 1))
            if lane == slot % lanes or random.random() < 0.7:
                total[:, lane] = random.integers(-reach, reach, (groups, neurons))
                total[0, lane, 0] = reach
        sums.append(total)
        layers.append(
            {
                "groups": groups,
                "vector_base": int(random.integers(12)),
                "activation": int(random.integers(5)),
                "last": int(random.integers(2)) if slot else 1,
            }
        )
    return Bench(sums, layers, seed)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("neurons", "lanes"), SIZES)
@pytest.mark.parametrize(("odds", "rival"), [(0.0, 0.0), (0.0, 0.6), (0.6, 0.3)])
def test_vectors_and_contractions_are_those_of_the_golden_model(
    neurons: int, lanes: int, seed: int, odds: float, rival: float
) -> None:
    bench = random_bench(neurons, lanes, seed)
    bench.run(odds, rival)
    bench.check()


def test_the_extremes_of_sums_and_factors_survive() -> None:
    low, high = -(1 << SUM_WIDTH - 1), (1 << SUM_WIDTH - 1) - 1
    sums = [
        np.full((GROUPS, 2, 2), low),
        np.full((GROUPS, 2, 2), high),
        np.array([[[-32768, 32767], [high, low]]]),
    ]
    layers = [
        {"groups": GROUPS, "last": 1},
        {"groups": GROUPS, "last": 0},
        {"groups": 1, "last": 0, "vector_base": 5},
    ]
    bench = Bench(sums, layers, 0, extreme=True)
    bench.run(0.0, 0.0)
    bench.check()


def test_groups_are_requested_one_a_cycle() -> None:
    sums = [np.full((GROUPS, 2, 2), 3)] * 3
    bench = Bench(sums, [{"groups": GROUPS, "last": last} for last in (0, 1, 0)], 1)
    bench.run(0.0, 0.0)
    cycles = [cycle for (cycle,) in bench.taken]
    assert cycles == list(range(cycles[0], cycles[0] + 3 * GROUPS))
    assert SETTLE > MAC_LATENCY


def test_a_product_is_rounded_up_from_exactly_one_half() -> None:
    """The edges of rounding, which products of random numbers hardly meet."""
    half = 1 << UNIT_FRAC - 1
    edges = [-half - 1, -half, -half + 1, -1, 0, half - 1, half, half + 1, 3 * half - 1, 3 * half]
    shapes = small_shapes(2)
    m = Module()
    m.submodules.sink = sink = ScaleSink(shapes)
    found = []

    async def bench(ctx: Any) -> None:
        ctx.set(sink.done, 1)
        for product in edges:
            ctx.set(sink.product, [[product, -product]])
            await ctx.tick()
            found.append([int(m) for m in ctx.get(sink.vectors.data)[0]])

    simulate(m, bench)
    assert found == [[round_shift(p, UNIT_FRAC) for p in (edge, -edge)] for edge in edges]
