# SPDX-License-Identifier: BSD-2-Clause

"""How well a link does: a few round trips, then as much as it carries in each direction."""

import time
from dataclasses import dataclass

import numpy as np

from ..contract import commands
from ..contract.commands import IDENTITY_FIELDS, Op, Words
from .health import Health, Linked

ROUND_TRIPS = 20
COMMANDS = 512
"""Commands whose responses are asked for at once; 27 kB of them."""

FILLERS = 1 << 13
"""Words of zero to send at once, which no engine answers; 32 kB."""


@dataclass(frozen=True)
class Rates:
    """What a link carried.

    Parameters
    ----------
    round_trip_s : float
        Of one command, from the host and back; the median.
    to_device, from_device : float
        Bytes of commands and responses a second, one direction at a time.
    health : Health
        Since the link was opened.
    """

    round_trip_s: float
    to_device: float
    from_device: float
    health: Health


def measure(device: Linked) -> Rates:
    """Measure a link; nothing changes in the engine behind it.

    Raises
    ------
    LinkError
        When the link fails.
    """
    one = commands.command(Op.IDENTIFY)
    answer = 1 + len(IDENTITY_FIELDS)

    def seconds(words: Words, count: int) -> float:
        started = time.perf_counter()
        device.exchange(words, count, count * answer)
        return time.perf_counter() - started

    round_trip = float(np.median([seconds(one, 1) for _ in range(ROUND_TRIPS)]))
    back = seconds(np.tile(one, COMMANDS), COMMANDS)
    there = seconds(np.concatenate((np.zeros(FILLERS, np.uint32), one)), 1)
    return Rates(round_trip, 4 * FILLERS / there, 4 * COMMANDS * answer / back, device.health())
