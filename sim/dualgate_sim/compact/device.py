# SPDX-License-Identifier: BSD-2-Clause

"""The interpreted compact engine as a device, reached through its command stream."""

import numpy as np

from dualgate.contract.commands import Words
from dualgate.contract.engine import EngineParameters
from dualgate.devices.stream import StreamDevice

from .machine import Machine


class InterpretedDevice(StreamDevice):
    """A compact engine whose program is interpreted; its counters are those of the RTL.

    Parameters
    ----------
    engine : EngineParameters
        Of a compact engine.
    """

    def __init__(self, engine: EngineParameters) -> None:
        super().__init__()
        self._machine = Machine(engine)

    def exchange(self, words: Words, responses: int, capacity: int) -> Words:
        return np.array(self._machine.exchange(words.tolist()), np.uint32)

    def close(self) -> None:
        """Do nothing; a model holds nothing open."""
