# SPDX-License-Identifier: BSD-2-Clause

"""What the PCIe benches run on, and what both sides know of it."""

from dataclasses import replace

from conversations import ENGINES
from support.echo import Echo

from dualgate.contract.engine import EngineParameters
from dualgate.link.identity import Identity
from dualgate_hw.lanes.engine import Engine
from dualgate_hw.link.pcie.engine import UltraScaleEngine

BUILD = bytes(range(32))
DEPTH = 64
"""Words of each of the window's queues."""

ENGINE = replace(ENGINES["plain"], neurons=2, arrays=1)


def echo_board() -> UltraScaleEngine:
    return UltraScaleEngine(Echo(), Identity(EngineParameters(), BUILD), DEPTH, DEPTH)


def engine_board() -> UltraScaleEngine:
    return UltraScaleEngine(Engine(ENGINE), Identity(ENGINE, BUILD), DEPTH, DEPTH)
