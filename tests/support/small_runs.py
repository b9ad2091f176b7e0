# SPDX-License-Identifier: BSD-2-Clause

"""A small problem that trains in milliseconds, and devices that do something wrong."""

from typing import Any

import numpy as np

from dualgate.contract.network import Network
from dualgate.data.samples import Samples
from dualgate.devices import Device, open_device
from dualgate.train.recipe import Recipe

NETWORK = Network((6, 8, 5, 3), "tanh", "cce")
RECIPE = Recipe(epochs=3, batch=16, lr=0.2, momentum=0.9, prune=2, seed=1)


def blobs(count: int = 50, seed: int = 0) -> Samples:
    """Three clouds of points in six dimensions."""
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    centres = np.random.default_rng(7).uniform(-1, 1, (3, 6))
    return Samples.of_classes(centres[labels] + random.normal(0, 0.2, (count, 6)), labels, 3)


def golden() -> Device:
    """The golden model, opened as a user would."""
    return open_device("golden")


class Recorder:
    """Stands before a device, notes the names of the calls and may change what they return.

    Parameters
    ----------
    device : Device
    """

    def __init__(self, device: Device) -> None:
        self.device = device
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        return getattr(self.device, name)
