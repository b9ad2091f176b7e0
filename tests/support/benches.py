# SPDX-License-Identifier: BSD-2-Clause

"""What the gateware's tests share: running a simulation, watching signals, small engines."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import numpy as np
from amaranth import Module
from amaranth.lib import memory, wiring
from amaranth.sim import Simulator

from dualgate.contract.engine import EngineParameters
from dualgate_hw.common.shapes import LAYER, MASTER, VELOCITY, Shapes, vector
from dualgate_hw.lanes.control.row_access import RowAccess
from dualgate_sim.testing.streams import plain

Bench = Callable[[Any], Awaitable[None]]

EXTREMES = (-32768, -32767, -16385, -1, 0, 1, 16384, 32766, 32767)
"""Values at the edges of 16 bits."""

SIZES = [(1, 1), (2, 1), (2, 2), (4, 1), (4, 2), (4, 3)]
"""N and K, neurons and tangent lanes."""

STALLS = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.3, 0.7), (0.8, 0.2)]
"""Shares of cycles in which the sender and the receiver of a stream hold back."""


def simulate(
    design: Any, *benches: Bench, watch: Sequence[Bench] = (), cycles: int = 50_000
) -> None:
    """Run until every bench is done; `watch` runs beside them. Fails after `cycles`."""

    async def deadline(ctx: Any) -> None:
        await ctx.delay(cycles * 1e-6)
        raise AssertionError(f"still waiting after {cycles} cycles")

    simulator = Simulator(design)
    simulator.add_clock(1e-6)
    for bench in (deadline, *watch):
        simulator.add_testbench(bench, background=True)
    for bench in benches:
        simulator.add_testbench(bench)
    simulator.run()


def watcher(when: Any, *signals: Any) -> tuple[Bench, list[tuple[int, Any]]]:
    """A bench that notes the cycle and `signals` whenever `when` is high, and its notes."""
    notes: list[tuple[int, Any]] = []

    async def watch(ctx: Any) -> None:
        cycle = 0
        while True:
            high, *values = (await ctx.tick().sample(when, *signals))[2:]
            if high:
                notes.append((cycle, *(plain(value) for value in values)))
            cycle += 1

    return watch, notes


def attach(
    m: Module, name: str, port: Any, shape: Any, depth: int, init: Any = ()
) -> memory.Memory:
    """A memory behind one read or write port of a component."""
    store = memory.Memory(shape=shape, depth=depth, init=init)
    m.submodules[name] = store
    if isinstance(port.signature.flip(), memory.ReadPort.Signature):
        wiring.connect(m, port, store.read_port())
    else:
        lanes = 1 if port.signature.granularity else None
        wiring.connect(m, port, store.write_port(granularity=lanes))
    return store


def row_memories(m: Module, access: RowAccess, shapes: Shapes) -> None:
    """Add memories of weights and velocities, and the registers from which `access` reads."""
    strips = shapes.engine.rows * shapes.engine.strips
    for name, shape in (("weights", MASTER), ("velocity", VELOCITY)):
        store = memory.Memory(shape=vector(shapes.strip, shape), depth=strips, init=[])
        m.submodules[name] = store
        read, write = store.read_port(), store.write_port()
        m.d.comb += [
            read.addr.eq(access.strip),
            write.addr.eq(access.strip),
            write.en.eq(getattr(access, f"write_{name}")),
        ]
        m.d.sync += getattr(access, name).eq(read.data)
        for number, new in zip(write.data, access.new_strip, strict=True):
            m.d.comb += number.eq(new)


def descriptors(m: Module, part: Any, layers: list[dict[str, int]]) -> None:
    """Layer descriptors behind the `index` and `layer` of a component."""
    m.submodules.descriptors = store = memory.Memory(shape=LAYER, depth=4, init=layers)
    read = store.read_port()
    m.d.comb += [read.addr.eq(part.index), part.layer.eq(read.data)]


def contents(ctx: Any, store: memory.Memory) -> list[Any]:
    """What a memory holds."""
    return [plain(ctx.get(store.data[address])) for address in range(store.depth)]


def small_shapes(neurons: int, **sizes: int) -> Shapes:
    """Shapes of an engine that simulates fast."""
    small = {"layers": 4, "rows": 64, "inputs": 16, "activations": 32, "vectors": 16, "groups": 4}
    return Shapes(EngineParameters(neurons, **{**small, **sizes}), contexts=4, slots=4)


def in_pairs(lists: Sequence[Sequence[Any]], filler: Any) -> tuple[list[list[Any]], list[int]]:
    """Lists one behind the other, two entries a word, and the word in which each begins."""
    words: list[list[Any]] = []
    begins = []
    for entries in lists:
        begins.append(len(words))
        padded = [*entries, filler]
        words += [padded[at : at + 2] for at in range(0, len(entries), 2)]
    return words, begins


def flagged_job(flags: int, **fields: Any) -> dict[str, Any]:
    """Return a job of the issuer, with the fields that follow from its flags."""
    single = int(flags & (flags - 1) == 0)
    known = {"some": int(flags != 0), "lowest": flags & -flags, "single": single}
    return {"flags": flags, **known, **fields}


def numbers(random: np.random.Generator, count: int) -> list[int]:
    """16-bit numbers, every third at an edge of the range."""
    return [
        int(random.choice(EXTREMES)) if random.random() < 0.3 else int(random.integers(-9999, 9999))
        for _ in range(count)
    ]
