# SPDX-License-Identifier: BSD-2-Clause

"""The engine to build for a network: what the chooser finds for a board's part."""

from dataclasses import replace

from dualgate.contract.engine import MEMORIES, EngineParameters
from dualgate.contract.network import Network
from dualgate.cycles import Activity, choose

from ..boards.board import Board


def fit(board: Board, network: Network, activity: Activity) -> EngineParameters:
    """The fastest engine, by the closed-form estimate, that the part has multipliers and RAM for.

    LUTs are not estimated. As many cores and neurons as the board's own engine has are known to
    fit; more are not offered. A board with a compact engine has just this one.

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
