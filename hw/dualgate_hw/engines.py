# SPDX-License-Identifier: BSD-2-Clause

"""Choice of the engine, wide or compact, by its parameters."""

from dualgate.contract.engine import Depths, EngineParameters

from .compact import CompactEngine
from .lanes.engine import Engine


def make_engine(
    parameters: EngineParameters, depths: Depths | None = None
) -> Engine | CompactEngine:
    """Make an engine behind streams of commands and responses.

    Parameters
    ----------
    parameters : EngineParameters
        Parameters of the engine.
    depths : Depths
        Number of samples and tags in flight; a compact engine has one of each.
    """
    if parameters.compact:
        return CompactEngine(parameters)
    return Engine(parameters, depths)
