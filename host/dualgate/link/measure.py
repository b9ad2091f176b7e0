# SPDX-License-Identifier: BSD-2-Clause

"""Measurement of a link: the round trip, then the data rate of each direction."""

import time
from dataclasses import dataclass

import numpy as np

from ..contract import commands
from ..contract.commands import IDENTITY_FIELDS, Op, Words
from .health import Health, Linked

ROUND_TRIPS = 20
COMMANDS = 512
"""Number of commands in one exchange, whose responses are 27 kB."""

FILLERS = 1 << 13
"""Number of padding words in one exchange, 32 kB, which the engine does not answer."""


@dataclass(frozen=True)
class Rates:
    """Measured rates of a link.

    Parameters
    ----------
    round_trip_s : float
        Time from one command to its response; the median.
    to_device, from_device : float
        Data rates in bytes per second, one direction at a time.
    health : Health
        Counts since the link was opened.
    """

    round_trip_s: float
    to_device: float
    from_device: float
    health: Health


def measure(device: Linked) -> Rates:
    """Measure a link, without changing the state of the engine.

    Raises
    ------
    LinkError
        If the link fails.
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
