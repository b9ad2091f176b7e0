# SPDX-License-Identifier: BSD-2-Clause

"""Training runs of the estimators, as they are kept: on a device, or in floating point."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract.errors import InputError
from ..contract.formats import MASTER
from ..contract.network import Network
from ..devices import open_device
from ..floating import ForwardMode, Policy
from ..optim.optimisers import State
from ..train.checkpoint import Checkpoint
from ..train.record import Record

Floats = NDArray[np.floating[Any]]

FLOAT = "float"
"""Name of floating point among the devices of an estimator."""


@dataclass(frozen=True)
class DeviceRun:
    """A run on a device, by its last checkpoint."""

    checkpoint: Checkpoint

    @property
    def network(self) -> Network:
        """The network."""
        return self.checkpoint.network

    @property
    def records(self) -> list[Record]:
        """A record of each epoch."""
        return list(self.checkpoint.records)

    @property
    def seed(self) -> int:
        """The seed of the run."""
        return self.checkpoint.recipe.seed

    @property
    def weights(self) -> Sequence[Floats]:
        """The weights that answer, as real numbers."""
        return [MASTER.real(w) for w in self.checkpoint.inference_weights]

    def outputs(self, device: str, x: Floats) -> NDArray[np.float64]:
        """Compute outputs.

        Parameters
        ----------
        device : str
            Name for `open_device`.
        x : (samples, inputs)
            Scaled features.

        Returns
        -------
        float array (samples, outputs)
        """
        if device == FLOAT:
            raise InputError("trained on a device, not in floating point; fit with device='float'")
        state = self.checkpoint
        with open_device(device) as opened:
            return state.network.predictions(state.infer(opened, x))


@dataclass(frozen=True)
class FloatRun:
    """A run in floating point, which has no checkpoint.

    Parameters
    ----------
    network : Network
    seed : int
    optimiser : str
    records : list of Record
    weights : sequence of array (inputs + 1, outputs)
    state : State
    policy : Policy
        With its random numbers as the run left them.
    """

    network: Network
    seed: int
    optimiser: str
    records: list[Record]
    weights: Sequence[Floats]
    state: State
    policy: Policy

    def outputs(self, device: str, x: Floats) -> NDArray[np.float64]:
        """Compute outputs, in float64.

        Parameters
        ----------
        device : str
            `FLOAT`.
        x : (samples, inputs)
            Scaled features.

        Returns
        -------
        float array (samples, outputs)
        """
        if device != FLOAT:
            raise InputError(
                f"trained in floating point, not for device {device!r}; fit on that device"
            )
        trace = ForwardMode(self.network).forward(list(self.weights), x)
        return np.asarray(self.network.objective.inverse(trace.outputs), np.float64)


AnyRun = DeviceRun | FloatRun
