# SPDX-License-Identifier: BSD-2-Clause

"""The state of a link: counts of transfers and of repetitions."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from ..contract.commands import Words


@dataclass(frozen=True)
class Health:
    """Counts since the link was opened.

    Parameters
    ----------
    frames_sent, frames_received : int
        Numbers of frames; `frames_received` counts only intact ones.
    bytes_sent, bytes_received : int
        Numbers of all bytes on the line.
    words_sent, words_received : int
        Numbers of words of the streams, without repetitions.
    crc_errors : int
        Number of damaged frames that arrived at the host.
    retries : int
        Number of repetitions by either side and of time-outs.
    reconnects : int
        Number of times that the port was reopened after a loss.
    round_trip_s : float or None
        Smoothed time from sending a frame to its acknowledgement; None before the first.
    """

    frames_sent: int = 0
    frames_received: int = 0
    bytes_sent: int = 0
    bytes_received: int = 0
    words_sent: int = 0
    words_received: int = 0
    crc_errors: int = 0
    retries: int = 0
    reconnects: int = 0
    round_trip_s: float | None = None


@runtime_checkable
class Linked(Protocol):
    """A device behind a link."""

    def exchange(self, words: Words, responses: int, capacity: int) -> Words:
        """Send commands and return their responses; see `StreamDevice.exchange`."""

    def health(self) -> Health:
        """Return the state of the link."""

    def about(self) -> dict[str, str]:
        """Return the properties of the device by name."""
