# SPDX-License-Identifier: BSD-2-Clause

"""The engine to build for a network on a board's part."""

from dataclasses import replace

from dualgate.contract.engine import MEMORIES, EngineParameters
from dualgate.contract.network import Network
from dualgate.cycles import Activity, choose

from ..boards.board import Board


def fit(board: Board, network: Network, activity: Activity) -> EngineParameters:
    """Return the fastest engine for which the part has enough multipliers and block RAM.

    Speed is that of the closed-form estimate. LUTs are not estimated: the board's own engine is
    known to fit, so the result has at most as many neurons, tangent lanes and cores. A board with a
    compact engine has no other.

    Parameters
    ----------
    board : Board
    network : Network
    activity : Activity
        See `dualgate.cycles.assumed_activity`.

    Raises
    ------
    FitError
        When no engine fits.
    """
    if board.engine.compact:
        board.engine.check(network)
        return board.engine
    has = board.capacity
    found = choose(network, activity, has.multipliers, has.block_rams * has.block_bits).engine
    most = board.engine
    limited = replace(
        most,
        neurons=min(found.neurons, most.neurons),
        tangent_lanes=min(found.tangent_lanes, most.tangent_lanes),
        cores=min(found.cores, most.cores),
        **dict.fromkeys(MEMORIES, 1),
    )
    return limited.grown(network)
