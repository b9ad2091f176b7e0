"""The engine that parameters ask for."""

from dualgate.cycles import Depths
from dualgate.engine import EngineParameters

from .compact import CompactEngine
from .engine import Engine


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
