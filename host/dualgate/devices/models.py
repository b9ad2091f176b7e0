# SPDX-License-Identifier: BSD-2-Clause

"""Models that other packages register: accounts of a pass, and an interpreter."""

from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..contract.commands import Masks
from ..contract.engine import EngineParameters
from ..contract.errors import MissingToolError
from ..contract.network import Network
from ..contract.settings import Settings
from ..cycles import Activity
from .base import Device
from .inspection import Inspection

Ints = NDArray[np.int64]
Inspect = Callable[[Network, Sequence[Ints], Settings, int, Ints, Ints, Masks | None], Inspection]
Interpreter = Callable[[EngineParameters], Device]


class Measure(Protocol):
    """An account of nonzeros."""

    def __call__(
        self,
        network: Network,
        weights: Sequence[Ints],
        settings: Settings,
        x: Ints,
        target: Ints,
        masks: Masks | None = None,
        velocity: Sequence[Ints] | None = None,
    ) -> Activity:
        """Run a batch, and return which of its numbers are nonzero."""


def find_measure() -> Measure:
    """Find the golden model's account of nonzeros, see `dualgate_sim.golden.activity`.

    Raises
    ------
    MissingToolError
        When the package that has it is not installed.
    """
    measure: Measure = _find("activity")
    return measure


def find_inspector() -> Inspect:
    """Find the golden model's account of ranges, see `dualgate_sim.golden.inspection`.

    Raises
    ------
    MissingToolError
        When the package that has it is not installed.
    """
    inspect: Inspect = _find("inspection")
    return inspect


def find_interpreter() -> Interpreter:
    """Find the interpreter of the compact engine's program, see `dualgate_sim.compact`.

    Raises
    ------
    MissingToolError
        When the package that has it is not installed.
    """
    interpreter: Interpreter = _find("compact")
    return interpreter


def _find(name: str) -> Any:
    for entry in entry_points(group="dualgate.models", name=name):
        try:
            return entry.load()
        except ImportError as error:
            raise MissingToolError(
                f"this needs {error.name}, which is missing; see dualgate doctor"
            ) from error
    raise MissingToolError(f"this needs the model {name!r}; install dualgate with it again")
