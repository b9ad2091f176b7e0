# SPDX-License-Identifier: BSD-2-Clause

"""Nitefury: an Artix-7 on M.2, with PCIe. No open tool places it, so it is only synthesised.

The synthesised component is the engine behind the memory of its BAR, in the user clock of the
part's PCIe block. It has neither that block nor the logic between its packets and these streams.
"""

from amaranth.lib import wiring
from amaranth_boards.nitefury import NitefuryIIPlatform

from dualgate.contract.engine import Depths, EngineParameters
from dualgate.link.identity import Identity

from ..lanes.engine import Engine
from ..link.pcie.engine import PcieEngine
from .board import Board, Capacity
from .clock import Oscillator

CONTEXT_BITS = 40
"""Bits of a read request that its completion repeats: requester, tag, attributes, low address."""


def _part(board: Board, engine: EngineParameters, build: bytes) -> wiring.Component:
    return PcieEngine(Engine(engine, board.depths), CONTEXT_BITS, Identity(engine, build))


NITEFURY = Board(
    name="nitefury",
    title="Nitefury II",
    part="XC7A200T",
    family="xilinx",
    platform=NitefuryIIPlatform,
    capacity=Capacity(134_600, 269_200, 730, 18_432, 740),
    clock=Oscillator("pcie", 125),
    engine=EngineParameters(
        neurons=16, layers=4, rows=1024, inputs=1024, activations=64, vectors=8, groups=4
    ),
    depths=Depths(contexts=4, slots=8, threads=3),
    bridge="PCIe 2.0, 4 lanes",
    part_only=_part,
)
