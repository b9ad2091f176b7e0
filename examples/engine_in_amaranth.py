# SPDX-License-Identifier: BSD-2-Clause

"""Put the engine into an Amaranth design of one's own: a chip that teaches itself, without a host.

Run: ``python examples/engine_in_amaranth.py``. The design holds a network's description and four
samples in a ROM, trains on them for ever, and lights a lamp while every answer is right. Here it
runs in Amaranth's simulator; for a board, connect ``learned`` to an LED.
"""

from typing import Any

import numpy as np
from amaranth import Array, Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.wiring import Out
from amaranth.sim import Simulator

from dualgate import EngineParameters, Network
from dualgate.contract.commands import (
    Op,
    command,
    layer_command,
    settings_command,
)
from dualgate.contract.layout import Layout
from dualgate.contract.sample_commands import sample_commands
from dualgate.contract.settings import make_settings, update_frac
from dualgate_hw.engines import make_engine

INPUTS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
TARGETS = np.array([[0], [0], [0], [1]])
"""The AND of two bits."""


class SelfTeaching(wiring.Component):
    """A training engine that is fed from a ROM.

    Members
    -------
    `learned` : Out(1)
        High while the last answer to each sample was on the right side of one half.
    """

    learned: Signal

    def __init__(self) -> None:
        parameters = EngineParameters(1, rows=8, inputs=4, activations=4, vectors=2, groups=2)
        network = Network((2, 1), loss="bce")
        frac = update_frac(network, 4.0, len(INPUTS))
        layout = Layout(network, parameters, frac)
        settings = make_settings(network, frac, 4.0, len(INPUTS))
        x, targets = network.quantize_inputs(INPUTS), network.quantize_targets(TARGETS)
        self.setup = [*layer_command(layout, 0), *settings_command(settings, 1)]
        self.batch = [*sample_commands(x, targets), *command(Op.APPLY)]
        self.half = 1 << (network.output_format.frac - 1)
        self.engine = make_engine(parameters)
        super().__init__({"learned": Out(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.engine = engine = self.engine
        words = Array(int(word) for word in (*self.setup, *self.batch))
        at = Signal(range(len(words)))
        m.d.comb += [
            engine.command.valid.eq(1),
            engine.command.payload.eq(words[at]),
            engine.response.ready.eq(1),
        ]
        with m.If(engine.command.ready):
            m.d.sync += at.eq(at + 1)
            with m.If(at == len(words) - 1):
                m.d.sync += at.eq(len(self.setup))
        self._judge(m)
        return m

    def _judge(self, m: Module) -> None:
        """Compare each answer with its target; an answer is a header and the output of one unit."""
        response = self.engine.response
        is_output = Signal()
        sample = Signal(range(len(TARGETS)))
        right = Signal(unsigned(len(TARGETS)))
        wanted = Array(int(target) for target in TARGETS[:, 0])
        with m.If(response.valid):
            m.d.sync += is_output.eq(~is_output & (response.payload[16:] == 1))
            with m.If(is_output):
                answer = response.payload.as_signed() > self.half
                m.d.sync += right.bit_select(sample, 1).eq(answer == wanted[sample])
                m.d.sync += sample.eq(sample + 1)
        m.d.comb += self.learned.eq(right.all())


def main() -> None:
    """Simulate until the lamp is lit."""
    design = SelfTeaching()

    async def watch(ctx: Any) -> None:
        cycles = 0
        while not ctx.get(design.learned):
            await ctx.tick()
            cycles += 1
            assert cycles < 50_000, "it did not learn"
        print(f"all four answers were right after {cycles} cycles")

    simulator = Simulator(design)
    simulator.add_clock(1e-6)
    simulator.add_testbench(watch)
    simulator.run()


if __name__ == "__main__":
    main()
