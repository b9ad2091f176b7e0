# SPDX-License-Identifier: BSD-2-Clause

"""The engine that parameters ask for."""

from dualgate.contract.engine import Depths, EngineParameters

from .compact import CompactEngine
from .lanes.engine import Engine


def make_engine(
    parameters: EngineParameters, depths: Depths | None = None
) -> Engine | CompactEngine:
    """An engine behind streams of commands and responses.

    Parameters
    ----------
    parameters : EngineParameters
    depths : Depths
        Samples and tags in flight; a compact engine has one of each.
    """
    if parameters.compact:
        return CompactEngine(parameters)
    return Engine(parameters, depths)
