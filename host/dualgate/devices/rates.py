# SPDX-License-Identifier: BSD-2-Clause

"""A search for the rate at which a board on a serial port answers."""

from collections.abc import Callable

from ..contract.errors import HandshakeError, LinkError
from .serial import BAUD, SerialDevice

RATES = (BAUD, 12_000_000, 2_000_000, 1_000_000, 921_600, 460_800, 230_400, 115_200)
"""Rates in baud that adapters and boards have, the likeliest first.

The rate of a board is fixed in its bitstream.
"""


def find_rate(address: str, tried: int, say: Callable[[str], None]) -> int | None:
    """Try usual rates on a serial port where no board answered.

    Parameters
    ----------
    address : str
        Name of the port.
    tried : int
        The rate that was tried already.
    say : callable
        Takes a line before each attempt, which lasts some seconds.

    Returns
    -------
    int or None
        The rate in baud at which a board answers, compatible or not; None if none does.
    """
    for rate in RATES:
        if rate == tried:
            continue
        say(f"{address}: trying {rate:,} baud")
        try:
            SerialDevice(address, rate).close()
        except HandshakeError:
            return rate
        except LinkError:
            # No answer, or an adapter that does not have this rate.
            continue
        return rate
    return None
