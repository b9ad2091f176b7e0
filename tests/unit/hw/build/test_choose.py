# SPDX-License-Identifier: BSD-2-Clause

"""The engine that is built for a network."""

from support.build_results import BOARD

from dualgate.contract.network import Network
from dualgate.cycles import assumed_activity
from dualgate_hw.build.choose import fit


def test_fit_holds_the_network_and_stays_within_the_boards_engine() -> None:
    network = Network((64, 16, 10))
    engine = fit(BOARD, network, assumed_activity(network, 0.5))
    engine.check(network)
    assert engine.multipliers <= BOARD.capacity.multipliers
    assert engine.neurons <= BOARD.engine.neurons
